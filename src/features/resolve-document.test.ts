import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { indexCorpus } from "./index-corpus.ts";
import { openCorpora } from "./open-corpora.ts";
import { type LineRange, readDocument } from "./read-document.ts";
import { resolveDocumentIds, resolveDocuments } from "./resolve-document.ts";

const FILES: Readonly<Record<string, string>> = {
  "note.md": "walrus at the root\nsecond\n",
  "sub/note.md": "walrus below\nsecond\nthird\n",
  "sub/only below.md": "walrus with a space\n",
  "sub/c#sharp.md": "walrus sharp\n",
  "sub/log.jsonl": '{"id":"a/../b","text":"walrus one"}\n{"id":"r2","text":"walrus two"}\n',
};

let base: string;
let sub: string;
let corpora: readonly CorpusReader[];
beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "winnow-resolve-")));
  sub = join(base, "sub");
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(base, name)), { recursive: true });
    await writeFile(join(base, name), text);
  }
  await indexCorpus({ folder: join(base, ".winnow"), paths: [base] });
  corpora = await openCorpora({ workingFolder: base, named: [], known: {} });
});
afterAll(async () => {
  await Promise.all(corpora.map((corpus) => corpus.close()));
  await rm(base, { recursive: true, force: true });
});

const resolved = async (name: string, folder: string) => {
  const found = await resolveDocuments(corpora, name, folder);
  return found && [...found.ids, ...(found.line === undefined ? [] : [found.line])];
};

describe("resolveDocuments", () => {
  test("ids, paths, lines and rows", async () => {
    expect(await resolved("sub/note.md", base)).toEqual(["sub/note.md"]);
    expect(await resolved("note.md", sub)).toEqual(["note.md"]);
    expect(await resolved("note.md:2", sub)).toEqual(["sub/note.md", 2]);
    expect(await resolved("./note.md", sub)).toEqual(["sub/note.md"]);
    expect(await resolved("../note.md:1", sub)).toEqual(["note.md", 1]);
    expect(await resolved("only below.md", sub)).toEqual(["sub/only below.md"]);
    expect(await resolved(`${join(sub, "note.md")}:3`, base)).toEqual(["sub/note.md", 3]);
    expect(await resolved("c#sharp.md:1", sub)).toEqual(["sub/c#sharp.md", 1]);
    expect(await resolved("log.jsonl#r2", sub)).toEqual(["sub/log.jsonl#r2"]);
    expect(await resolved("log.jsonl#a/../b", sub)).toEqual(["sub/log.jsonl#a/../b"]);
    expect(await resolved("sub/log.jsonl#r2", sub)).toEqual(["sub/log.jsonl#r2"]);
    expect(await resolved("log.jsonl:1", sub)).toEqual(["sub/log.jsonl#a/../b", "sub/log.jsonl#r2", 1]);
    for (const name of ["", ":", ":1", "note.md:0", "nope.md", "nope.md:1", "sub", "#", "log.jsonl#r3", "a\0b"]) {
      expect(await resolved(name, sub), JSON.stringify(name)).toBeUndefined();
    }
  });

  test("a line says where to begin, and a range wins over it", async () => {
    expect(await readDocument(corpora, "note.md:2", sub)).toMatchObject({
      lines: { from: 2, to: 3 },
      text: "second\nthird",
    });
    const one = await readDocument(corpora, "note.md:2", sub, { from: 1, to: 1 });
    expect(one).toMatchObject({ id: "sub/note.md", text: "walrus below" });
    for (const none of [{ from: 0, to: 1 }, { from: 2, to: 1 }, { from: 1.5, to: 2 }, "2-4" as unknown as LineRange]) {
      const asked = readDocument(corpora, "note.md", sub, none);
      await expect(asked, JSON.stringify(none)).rejects.toMatchObject({ code: "invalid_argument" });
    }
    await expect(readDocument(corpora, "note.md:9", sub)).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("a file of rows is not one document, and the error names rows", async () => {
    await expect(readDocument(corpora, "log.jsonl", sub)).rejects.toMatchObject({
      code: "document_not_found",
      hint: "Name one of them: sub/log.jsonl#a/../b, sub/log.jsonl#r2",
    });
  });

  test("excluded names stand for ids, a file of rows for all of its rows; a slip is refused", async () => {
    expect(await resolveDocumentIds(corpora, ["note.md:1", "log.jsonl", "sub/log.jsonl#r2"], sub)).toEqual([
      "sub/note.md",
      "sub/log.jsonl#a/../b",
      "sub/log.jsonl#r2",
    ]);
    await expect(resolveDocumentIds(corpora, ["nope.md"], sub)).rejects.toMatchObject({ code: "document_not_found" });
  });
});
