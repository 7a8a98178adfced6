import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { Chunk } from "../../core/types.ts";
import { placeChunk } from "./chunk-place.ts";

const chunk = (uri: string): Chunk => ({
  id: "a:0",
  documentId: "a",
  index: 0,
  count: 1,
  start: 0,
  end: 1,
  line: 1,
  text: "a",
  tokens: 1,
  title: "A",
  headings: [],
  uri,
  metadata: {},
});

test("a relative uri is joined to the base; absolute paths and addresses stay", () => {
  const base = resolve("/notes");
  expect(placeChunk(chunk("guides/a.md"), base).uri).toBe(join(base, "guides", "a.md"));
  expect(placeChunk(chunk("c:d.md"), base).uri).toBe(join(base, "c:d.md"));
  const absolute = resolve("/elsewhere/a.md");
  for (const uri of [absolute, "https://example.org/a", "mail+imap://host/1", ""]) {
    expect(placeChunk(chunk(uri), base).uri).toBe(uri);
  }
});
