import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findDocuments } from "../features/find-documents.ts";
import { indexCorpus } from "../features/index-corpus.ts";
import { openCorpora } from "../features/open-corpora.ts";
import { readDocument } from "../features/read-document.ts";
import { documentFacts, documentPlace, type ListedDocument, printDocuments } from "./document-list.ts";
import { createOutput } from "./output.ts";

const FILES: Readonly<Record<string, string>> = {
  "note.md": "walrus at the root\n",
  "sub/note.md": "first\nwalrus below\n",
  "sub/c#sharp.md": "walrus sharp\n",
  "sub/log.jsonl": '{"id":"a/../b","text":"walrus one"}\n{"id":"r2","text":"walrus two"}\n',
};

test("what find prints is read back, whatever the folder", async () => {
  const before = process.cwd();
  const base = await realpath(await mkdtemp(join(tmpdir(), "winnow-places-")));
  try {
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(base, name)), { recursive: true });
      await writeFile(join(base, name), text);
    }
    await indexCorpus({ folder: join(base, ".winnow"), paths: [base] });
    for (const folder of [base, join(base, "sub")]) {
      process.chdir(folder);
      const corpora = await openCorpora({ workingFolder: folder, named: [], known: {} });
      const { documents } = await findDocuments(corpora, { text: "walrus", mode: "grep", documentsMax: 30 });
      const places: Record<string, string> = {};
      for (const { id, uri, passages } of documents) {
        const place = documentPlace({ id, uri, line: passages[0]?.line ?? 1 });
        places[id] = place;
        expect(await readDocument(corpora, place, folder), place).toMatchObject({ id });
      }
      const below = folder === base ? "sub/" : "";
      expect(places).toEqual({
        "note.md": folder === base ? "note.md:1" : `${join(base, "note.md")}:1`,
        "sub/note.md": `${below}note.md:2`,
        "sub/c#sharp.md": `${below}c#sharp.md:1`,
        "sub/log.jsonl#a/../b": "sub/log.jsonl#a/../b",
        "sub/log.jsonl#r2": "sub/log.jsonl#r2",
      });
      await Promise.all(corpora.map((corpus) => corpus.close()));
    }
  } finally {
    process.chdir(before);
    await rm(base, { recursive: true, force: true });
  }
});

test("a list names day, repository, session and successor, as far as they are known", () => {
  expect(documentFacts({})).toEqual([]);
  expect(documentFacts({ modified: "2026-03-04T10:00:00Z", repository: "billing\u001b[31m" })).toEqual([
    "2026-03-04",
    "billing[31m",
  ]);
  expect(documentFacts({ timestamp: 1_767_225_600_000, session_id: "3f2a91bc-0000-4000-8000-000000000000" })).toEqual([
    "2026-01-01",
    "session 3f2a91bc",
  ]);
});

test("a document that another one of its corpus replaces is marked, and one of another corpus is not", () => {
  const document = (corpus: string, id: string, metadata: ListedDocument["metadata"]): ListedDocument => {
    return { rank: 1, corpus, id, title: id, uri: id, line: 1, passage: "text", metadata, why: "", duplicates: [] };
  };
  const lines: string[] = [];
  const output = { ...createOutput({ color: false }), print: (line: string) => lines.push(line) };
  const old = document("docs", "queue.md", { modified: "2026-01-02", repository: "billing" });
  printDocuments([old, document("docs", "queue-two.md", { supersedes: "queue.md" })], "text", output);
  expect(lines[0]).toBe(" 1 queue.md  queue.md:1  2026-01-02 · billing · superseded by queue-two.md");
  lines.length = 0;
  printDocuments([old, document("mail", "queue-two.md", { supersedes: "queue.md" })], "text", output);
  expect(lines[0]).toBe(" 1 queue.md  queue.md:1  2026-01-02 · billing");
});

test("near-duplicates are named below the passage", () => {
  const lines: string[] = [];
  const output = { ...createOutput({ color: false }), print: (line: string) => lines.push(line) };
  const shown = { rank: 1, corpus: "docs", id: "a.md", title: "A", uri: "a.md", line: 1, passage: "text", why: "Why." };
  printDocuments([{ ...shown, metadata: {}, duplicates: [{ corpus: "docs", id: "a.html" }] }], "text", output);
  expect(lines.slice(1)).toEqual(["   text", "   Same text: a.html", "   Why."]);
});
