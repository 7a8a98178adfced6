import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openFolderSource } from "../retrieval/copy/folder-source.ts";
import { corpusLayout } from "../retrieval/corpus/layout.ts";
import { readItems, readManifest, type StoreKind } from "../retrieval/corpus/manifest.ts";
import type { StoreRow } from "../retrieval/store/store.ts";
import { chromaPlace, copyCorpus } from "./copy-corpus.ts";
import { corpusStatus } from "./corpus-status.ts";
import { findDocuments } from "./find-documents.ts";
import { forgetPath, indexCorpus } from "./index-corpus.ts";
import { openCorpora } from "./open-corpora.ts";
import { readDocument } from "./read-document.ts";

const QUERIES = ["walrus", "How does the lantern keep its oil?", "row seven"];
const { signal } = new AbortController();

let base: string;
beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "winnow-copy-")));
});
afterAll(() => rm(base, { recursive: true, force: true }));

let work: string;
let count = 0;
beforeEach(async () => {
  work = join(base, String(++count));
  await mkdir(join(work, "notes"), { recursive: true });
});
afterEach(() => rm(work, { recursive: true, force: true }));

async function writeNotes(): Promise<void> {
  for (let i = 0; i < 12; i++) {
    const text = `# Note ${i}\n\nThe walrus of note ${i} keeps a lantern.\n\n## Oil\n\nIts oil is number${i} \u{1f9ed}.\n`;
    await writeFile(join(work, "notes", `n${i}.md`), text);
  }
  const rows = Array.from(
    { length: 9 },
    (_, i) => `${JSON.stringify({ id: `r${i}`, text: `row number${i}`, n: i })}\n`,
  );
  await writeFile(join(work, "rows.jsonl"), rows.join(""));
  await writeFile(join(work, "picture.png"), Buffer.from([137, 80, 78, 71, 0, 0, 0]));
}

async function index(embedder = "static", paths = [work]): Promise<void> {
  await indexCorpus({ folder: join(work, ".winnow"), paths, signal, embedder: { spec: embedder } });
}

const scope = () => ({ workingFolder: work, known: {} });
const copy = (from: string, to: string, store?: StoreKind, stop = signal) =>
  copyCorpus({ from, to, scope: scope(), environment: {}, signal: stop, ...(store && { store }) });

/** Every row with its vector, by id. */
async function rowsOf(folder: string): Promise<Map<string, StoreRow>> {
  const source = await openFolderSource(folder);
  const rows = new Map<string, StoreRow>();
  for await (const part of source.rows(signal)) for (const row of part) rows.set(row.chunk.id, row);
  expect(rows.size).toBe(source.corpus.chunks);
  await source.close();
  return rows;
}

async function itemsOf(folder: string) {
  const layout = corpusLayout(folder);
  const manifest = (await readManifest(layout))?.manifest;
  if (manifest === undefined) throw new Error(`There is nothing in ${folder}.`);
  const items = await readItems(layout, manifest);
  return items.map(({ segment, ...item }) => ({ ...item, inGrep: segment > 0 }));
}

/** What queries of every kind give: ids, places, passages and scores. */
async function answersOf(named: string): Promise<unknown[][][]> {
  const corpora = await openCorpora({ ...scope(), named: [named] });
  try {
    const answers = [];
    for (const mode of ["lexical", "dense", "hybrid", "grep"] as const) {
      for (const text of mode === "grep" ? ["number[0-5]\\b"] : QUERIES) {
        const hasVectors = (await corpora[0]?.info())?.embedder !== null;
        if (mode === "dense" && !hasVectors) continue;
        const { documents } = await findDocuments(corpora, { text, mode, documentsMax: 30 });
        expect(documents.length, `${mode} ${text}`).toBeGreaterThan(0);
        answers.push(documents.map(({ id, uri, title, metadata, score }) => [id, uri, title, metadata, score]));
      }
    }
    return answers;
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
}

/** Each store computes its scores in its own precision. */
async function expectSameAnswers(place: string): Promise<void> {
  const wanted = await answersOf(".");
  const close = wanted.map((answer) =>
    answer.map((hit) => hit.map((value) => (typeof value === "number" ? expect.closeTo(value, 3) : value))),
  );
  expect(await answersOf(place)).toEqual(close);
}

describe("a copy of a folder's index", () => {
  test("there and back through SQLite: equal rows, vectors, items and answers", async () => {
    await writeNotes();
    await index();
    const out = await copy(".", "there", "sqlite");
    expect(out).toMatchObject({ schema: "copy/1", chunks: 21, copied: 21, to: join(work, "there", ".winnow") });
    await copy("there", "back", "lance");
    const wanted = { rows: await rowsOf(join(work, ".winnow")), items: await itemsOf(join(work, ".winnow")) };
    expect([...wanted.rows.values()].every(({ vector }) => vector !== null && vector !== undefined)).toBe(true);
    for (const place of ["there", "back"]) {
      const folder = join(work, place, ".winnow");
      expect(await rowsOf(folder)).toEqual(wanted.rows);
      expect(await itemsOf(folder)).toEqual(wanted.items);
      expect(await readdir(folder)).not.toContain("copy.json");
      await expectSameAnswers(place);
    }
    expect(await readdir(join(work, "there", ".winnow"))).toContain("sqlite");
    expect(await readdir(join(work, "back", ".winnow"))).toContain("lance");
  });

  test("without vectors it stays without", async () => {
    await writeNotes();
    await index("none");
    await copy(".", "there", "sqlite");
    const rows = await rowsOf(join(work, "there", ".winnow"));
    expect(rows).toEqual(await rowsOf(join(work, ".winnow")));
    expect([...rows.values()].filter(({ vector }) => vector)).toEqual([]);
    await expectSameAnswers("there");
  });

  test("a place that is taken, a source that is not there, an address that is none: refused, nothing written", async () => {
    await writeNotes();
    await index();
    await copy(".", "there", "sqlite");
    const before = await rowsOf(join(work, "there", ".winnow"));
    for (const to of ["there", "."]) {
      await expect(copy(".", to)).rejects.toMatchObject({ code: "invalid_argument", message: /already/ });
    }
    expect(await rowsOf(join(work, "there", ".winnow"))).toEqual(before);
    await expect(copy("nowhere", "other")).rejects.toMatchObject({ code: "corpus_not_found" });
    for (const place of ["chroma:notes", "chroma:http://127.0.0.1:8000", "chroma:http://127.0.0.1:8000/"]) {
      expect(() => chromaPlace(place)).toThrow("does not name a collection");
    }
    expect(await readdir(work)).not.toContain("other");
  });

  test("cancelled before it begins it leaves nothing that is taken for a corpus", async () => {
    await writeNotes();
    await index();
    await expect(copy(".", "there", "sqlite", AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
    await expect(openCorpora({ ...scope(), named: ["there"] })).rejects.toMatchObject({ code: "corpus_not_found" });
    expect(await copy(".", "there", "sqlite")).toMatchObject({ copied: 21 });
  });
});

describe("a copy in another folder", () => {
  beforeEach(async () => {
    await writeNotes();
    await index("none", [join(work, "notes"), join(work, "rows.jsonl")]);
    await copy(".", "copies/one", "sqlite");
  });
  const folder = () => join(work, "copies", "one", ".winnow");

  test("says what it is of, and takes no files until it is built anew", async () => {
    expect(await corpusStatus({ name: "one", folder: folder(), runsFolder: "" })).toMatchObject({
      documents: 21,
      store: "sqlite",
      copiedFrom: work,
      writing: false,
    });
    const before = await rowsOf(folder());
    await mkdir(join(work, "copies", "one"), { recursive: true });
    await writeFile(join(work, "copies", "one", "new.md"), "new\n");
    for (const paths of [[], [join(work, "copies", "one")]]) {
      await expect(indexCorpus({ folder: folder(), paths, signal })).rejects.toMatchObject({
        code: "invalid_argument",
        message: expect.stringContaining(work),
      });
    }
    expect(await rowsOf(folder())).toEqual(before);
    const anew = { folder: folder(), paths: [join(work, "copies", "one")], rebuild: true, signal };
    expect(await indexCorpus(anew)).toMatchObject({ documents: 1 });
    expect(await corpusStatus({ name: "one", folder: folder(), runsFolder: "" })).not.toHaveProperty("copiedFrom");
  });

  test("documents are named, read and forgotten by the paths that they came from", async () => {
    const corpora = await openCorpora({ ...scope(), named: ["copies/one"] });
    for (const name of ["notes/n3.md", join(work, "notes", "n3.md")]) {
      const read = await readDocument(corpora, name, work);
      expect(read).toMatchObject({ id: "notes/n3.md", uri: join(work, "notes", "n3.md") });
    }
    expect(await corpora[0]?.stale?.(["notes/n3.md"])).toEqual([]);
    await writeFile(join(work, "notes", "n3.md"), "changed\n");
    expect(await corpora[0]?.stale?.(["notes/n3.md"])).toEqual([{ id: "notes/n3.md", state: "changed" }]);
    const { notices } = await findDocuments(corpora, { text: "walrus", mode: "lexical", documentsMax: 30 });
    expect(notices).toEqual([
      { code: "stale_documents", message: expect.stringContaining(`It is a copy: refresh the index of ${work}`) },
    ]);
    await Promise.all(corpora.map((corpus) => corpus.close()));
    const forgotten = await forgetPath({ folder: folder(), path: join(work, "notes") });
    expect(forgotten).toEqual({ items: 12, documents: 12 });
    expect(await corpusStatus({ name: "one", folder: folder(), runsFolder: "" })).toMatchObject({
      documents: 9,
      copiedFrom: work,
    });
    expect(new Set([...(await rowsOf(folder())).values()].map(({ item }) => item))).toEqual(new Set(["rows.jsonl"]));
  });

  test("put back where the original was, it is refreshed as that was", async () => {
    await rm(join(work, ".winnow"), { recursive: true });
    await copy("copies/one", ".", "lance");
    const restored = join(work, ".winnow");
    expect(await corpusStatus({ name: "x", folder: restored, runsFolder: "" })).not.toHaveProperty("copiedFrom");
    await rm(join(work, "notes", "n0.md"));
    await writeFile(join(work, "notes", "n1.md"), "changed\n");
    expect(await indexCorpus({ folder: restored, paths: [], signal })).toMatchObject({
      unchanged: 11,
      changed: 1,
      removed: 1,
    });
  });
});
