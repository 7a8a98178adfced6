import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memoryStore } from "../../testing/memory-store.ts";
import { storeRow } from "../../testing/store-row.ts";
import { writeGrepSegment } from "../grep/segment.ts";
import { type GrepText, rewrittenTexts } from "./grep-rewrite.ts";
import { type CorpusLayout, corpusLayout, grepSegmentOf } from "./layout.ts";
import type { ManifestItem } from "./manifest.ts";

let layout: CorpusLayout;
beforeEach(async () => {
  layout = corpusLayout(await mkdtemp(join(tmpdir(), "winnow-rewrite-")));
  const texts = (names: string) => [...names].map((name) => ({ id: `${name}.md`, text: `exported ${name}` }));
  await writeGrepSegment(grepSegmentOf(layout, 1), texts("abc"));
  await writeGrepSegment(grepSegmentOf(layout, 2), texts("bd"));
});
afterEach(() => rm(layout.folder, { recursive: true, force: true }));

const item = (name: string, segment: number): ManifestItem => ({
  key: `${name}.md`,
  source: "files",
  state: "indexed",
  bytes: 1,
  mtimeMs: 1,
  documents: 1,
  chunks: 1,
  tokens: 1,
  textBytes: 1,
  segment,
});
/** What lives: of the two texts of b, the later one. */
const items = [item("a", 1), item("b", 2), item("d", 2)];

async function storedReader() {
  const writer = await memoryStore().createWriter("chunks");
  await writer.append(["a", "b", "d"].map((name) => storeRow(name, `stored ${name}`)));
  return writer.reader();
}

async function rewritten(damaged: readonly number[], reader = storedReader): Promise<GrepText[]> {
  const found: GrepText[] = [];
  for await (const text of rewrittenTexts({ layout, items, damaged: new Set(damaged), reader })) found.push(text);
  return found;
}

describe("texts of grep segments that are written anew", () => {
  test("are copied from the segments, the live ones only, without asking the store", async () => {
    const unasked = () => Promise.reject(new Error("The store was asked."));
    expect(await rewritten([], unasked)).toEqual([
      { id: "a.md", text: "exported a" },
      { id: "b.md", text: "exported b" },
      { id: "d.md", text: "exported d" },
    ]);
  });

  test("come from the store where a segment is damaged, known before or not", async () => {
    const expected = [
      { id: "a.md", text: "exported a" },
      { id: "b.md", text: "stored b" },
      { id: "d.md", text: "stored d" },
    ];
    expect(await rewritten([2])).toEqual(expected);
    await truncate(join(grepSegmentOf(layout, 2), "docs.bin"), 5);
    expect(await rewritten([])).toEqual(expected);
  });
});
