import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { findDocuments } from "./find-documents.ts";
import { indexCorpus } from "./index-corpus.ts";

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-standing-"));
});
afterEach(() => rm(base, { recursive: true, force: true }));

const put = (name: string, text: string) => writeFileSync(join(base, name), text);

async function notices(): Promise<string[]> {
  const corpus = await openCorpus(join(base, ".winnow"), { name: "notes" });
  try {
    const { notices } = await findDocuments([corpus], { text: "queue", mode: "lexical", documentsMax: 10 });
    return notices.map(({ code, message }) => `${code}: ${message}`);
  } finally {
    await corpus.close();
  }
}

it("says which documents of a list have changed, gone, or been superseded since they were indexed", async () => {
  put("a.md", "The queue retries.");
  put("b.md", "The queue drops.");
  put("c.md", "---\nsuperseded_by: a.md\n---\nThe queue waits.");
  await indexCorpus({ folder: join(base, ".winnow"), paths: [base] });
  const superseded = "superseded_documents: Out of date by what is written there: c.md (superseded by a.md).";
  expect(await notices()).toEqual([superseded]);
  put("a.md", "The queue retries no more.");
  rmSync(join(base, "b.md"));
  expect(await notices()).toEqual([
    "stale_documents: 2 documents have changed since the index of notes was made: a.md, b.md (gone). Refresh it with: winnow index",
    superseded,
  ]);
});
