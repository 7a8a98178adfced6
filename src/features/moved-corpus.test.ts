import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findDocuments } from "./find-documents.ts";
import { indexCorpus } from "./index-corpus.ts";
import { openCorpora } from "./open-corpora.ts";
import { readDocument } from "./read-document.ts";

test("after its folder was renamed, an index names the files where they are now", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "winnow-moved-")));
  try {
    const [before, after, outside] = [join(folder, "before"), join(folder, "after"), join(folder, "outside.md")];
    await mkdir(join(before, "log"), { recursive: true });
    await writeFile(join(before, "log", "retry.md"), "# Retries\n\nwalrus backoff\n");
    await writeFile(join(before, "rows.jsonl"), '{"id":"r1","text":"walrus row"}\n');
    await writeFile(outside, "walrus outside\n");
    await indexCorpus({ folder: join(before, ".winnow"), paths: [before, outside] });
    await rename(before, after);
    const corpora = await openCorpora({ workingFolder: after, named: [], known: {} });
    const expected = { "log/retry.md": join(after, "log", "retry.md"), "rows.jsonl#r1": join(after, "rows.jsonl") };
    for (const mode of ["lexical", "grep"] as const) {
      const found = await findDocuments(corpora, { text: "walrus", mode, documentsMax: 9 });
      const uris = Object.fromEntries(found.documents.map(({ id, uri }) => [id, uri]));
      expect(Object.values(uris)).toContain(outside);
      expect(uris).toMatchObject(expected);
    }
    for (const [id, uri] of Object.entries(expected))
      expect(await readDocument(corpora, id, after)).toMatchObject({ uri });
    await Promise.all(corpora.map((corpus) => corpus.close()));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
