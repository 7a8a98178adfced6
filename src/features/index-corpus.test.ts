import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import type { Store } from "../retrieval/store/store.ts";
import { lineChunks, type MemoryFile, type MemorySource, memorySource } from "../testing/memory-source.ts";
import { memoryStore } from "../testing/memory-store.ts";
import { forgetPath, type IndexOptions, type IndexProgress, indexCorpus } from "./index-corpus.ts";
import type { IndexParts } from "./indexing/parts.ts";

const numRuns = 25 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const NOW_MS = Date.UTC(2026, 5, 1);

let base: string;
let folder: string;
let store: Store;
let source: MemorySource;
let chunked: string[];
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-index-"));
  folder = join(base, ".winnow");
  reset();
});
afterEach(() => rm(base, { recursive: true, force: true }));

function reset(): void {
  store = memoryStore();
  source = memorySource();
  chunked = [];
}

const parts = (): IndexParts => ({
  identity: { chunker: "lines", tokenCounter: "words", analyzer: "words", embedder: null },
  createSource: async () => source,
  loadChunker: async () => (document) => {
    if (document.text.includes("uncuttable")) throw new Error("It cannot be cut.");
    chunked.push(document.id);
    return lineChunks(document);
  },
  analyze: (text) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [],
  loadEmbedder: async () => Promise.reject(new Error("There is none.")),
});

const run = (more: Partial<IndexOptions> = {}, onProgress: (progress: IndexProgress) => void = () => undefined) =>
  indexCorpus(
    { folder, paths: [base], parts: parts(), openStore: () => store, now: () => NOW_MS, ...more },
    { onProgress },
  );

const file = (text: string, mtimeMs = 1_000, more: Partial<MemoryFile> = {}): MemoryFile => ({
  text,
  mtimeMs,
  ...more,
});

/** Every document of the corpus by id with its text, read through find's own path, and checked against grep. */
async function content(): Promise<Record<string, string>> {
  const corpus = await openCorpus(folder, { openStore: () => store });
  const items = await corpus.items();
  const ids = items.flatMap((item) => item.ids ?? (item.documents > 0 ? [item.key] : []));
  const texts: Record<string, string> = {};
  for (const documentId of ids.sort()) {
    texts[documentId] = (await corpus.read({ documentId })).map(({ text }) => text).join("");
  }
  const { documents, chunks } = await corpus.info();
  expect(documents).toBe(ids.length);
  const rows = await store.openReader((await manifestStore()) ?? { table: "", version: 0 });
  expect(await rows.counts()).toMatchObject({ chunks });
  if (ids.length > 0) {
    const grep = await corpus.grep({ pattern: "(?s).+", chunksMax: 1_000 });
    expect(grep.documentsTotal).toBe(ids.length);
  }
  await corpus.close();
  return texts;
}

async function manifestStore() {
  const { readManifest } = await import("../retrieval/corpus/manifest.ts");
  const { corpusLayout } = await import("../retrieval/corpus/layout.ts");
  return (await readManifest(corpusLayout(folder)))?.manifest.store;
}

describe("indexCorpus", () => {
  test("indexes, and a refresh without changes reads nothing and commits nothing", async () => {
    source.files.set("a.txt", file("alpha\n"));
    source.files.set("rows.csv", file("x", 1, { rows: { "rows.csv#1": "one", "rows.csv#2": "two" } }));
    source.files.set("bin", file("0", 1, { skip: "binary" }));
    source.files.set("out/", file("", 1, { skipListed: "ignored" }));
    const progress: IndexProgress[] = [];
    const first = await run({}, (each) => progress.push(each));
    expect(first).toMatchObject({
      generation: 1,
      added: 2,
      changed: 0,
      removed: 0,
      unchanged: 0,
      skipped: { binary: 1, ignored: 1 },
      failed: 0,
      documents: 3,
      chunks: 3,
      bytes: 12,
    });
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual(["listing", "reading", "optimizing", "done"]);
    expect(progress.at(-1)).toMatchObject({ itemsDone: 4, itemsTotal: 4, documents: 3, skipped: 2 });
    expect(await content()).toEqual({ "a.txt": "alpha\n", "rows.csv#1": "one", "rows.csv#2": "two" });
    const calls = { ...source.calls };
    const second = await run({ paths: [] });
    expect(second).toMatchObject({
      generation: 1,
      added: 0,
      unchanged: 2,
      skipped: { binary: 1, ignored: 1 },
      bytes: 0,
    });
    expect(source.calls).toEqual(calls);
  });

  test("changed, touched, removed, renamed and skipped items", async () => {
    for (const key of ["same", "changed", "touched", "gone", "old-name", "turned"])
      source.files.set(key, file(`${key}\n`));
    await run();
    source.files.set("changed", file("changed twice\n", 2_000));
    source.files.set("touched", file("touched\n", 2_000));
    source.files.delete("gone");
    source.files.delete("old-name");
    source.files.set("new-name", file("old-name\n", 2_000));
    source.files.set("turned", file("turned", 2_000, { skip: "binary" }));
    chunked = [];
    expect(await run({ paths: [] })).toMatchObject({
      generation: 2,
      added: 0,
      changed: 1,
      renamed: 1,
      removed: 2,
      unchanged: 2,
      skipped: { binary: 1 },
      documents: 4,
    });
    expect(chunked.sort()).toEqual(["changed", "new-name"]);
    expect(await content()).toEqual({
      changed: "changed twice\n",
      "new-name": "old-name\n",
      same: "same\n",
      touched: "touched\n",
    });
    expect(await run({ paths: [] })).toMatchObject({ generation: 2, unchanged: 4 });
  });

  test("a change of the same size within the clock's grain is found", async () => {
    source.files.set("a", file("first\n", NOW_MS - 500));
    await run();
    source.files.set("a", file("other\n", NOW_MS - 500));
    expect(await run()).toMatchObject({ changed: 1 });
    expect(await run({ now: () => NOW_MS + 60_000 })).toMatchObject({ unchanged: 1 });
    const hashed = source.calls.hash;
    expect(await run({ now: () => NOW_MS + 90_000 })).toMatchObject({ unchanged: 1 });
    expect(source.calls.hash).toBe(hashed);
  });

  test("what cannot be read or cut is counted, keeps its indexed content and is tried again", async () => {
    for (const key of ["ok", "fails", "locked"]) source.files.set(key, file(`${key}\n`));
    await run();
    source.files.set("fails", file("later\n", 2_000, { fail: "disk error" }));
    source.files.set("locked", file("later\n", 2_000, { skip: "unreadable" }));
    source.files.set("new", file("uncuttable\n", 2_000));
    const summary = await run({ paths: [] });
    expect(summary).toMatchObject({ failed: 2, changed: 0, removed: 0, unchanged: 1, skipped: { unreadable: 1 } });
    expect(summary.failures).toEqual([
      { key: "fails", message: "disk error" },
      { key: "new", message: "It cannot be cut." },
    ]);
    expect(await content()).toEqual({ fails: "fails\n", locked: "locked\n", ok: "ok\n" });
    for (const key of ["fails", "locked", "new"]) source.files.set(key, file(`${key} again\n`, 2_000));
    expect(await run({ paths: [] })).toMatchObject({ added: 1, changed: 2, unchanged: 1, failed: 0 });
    expect(await content()).toMatchObject({ fails: "fails again\n", new: "new again\n" });
  });

  test("a folder that cannot be listed keeps its documents", async () => {
    for (const key of ["sub/a", "sub/b", "sub2"]) source.files.set(key, file(`${key}\n`));
    await run();
    source.files.clear();
    source.files.set("sub/", file("", 1, { skipListed: "unreadable" }));
    expect(await run({ paths: [] })).toMatchObject({ removed: 1, documents: 2 });
    expect(Object.keys(await content())).toEqual(["sub/a", "sub/b"]);
    source.files.set("sub/", file("", 1, { skipListed: "ignored" }));
    expect(await run({ paths: [] })).toMatchObject({ removed: 2, documents: 0 });
  });

  test("a named path leaves what lies elsewhere alone; roots are remembered", async () => {
    source.files.set("one/a", file("a\n"));
    await run({ paths: [join(base, "one")] });
    source.files.clear();
    source.files.set("two/b", file("b\n"));
    expect(await run({ paths: [join(base, "two")] })).toMatchObject({ added: 1, removed: 0, documents: 2 });
    await expect(run({ paths: [] })).rejects.toMatchObject({ code: "source_not_found" });
    expect(Object.keys(await content())).toEqual(["one/a", "two/b"]);
  });

  test("nothing to index leaves nothing behind", async () => {
    await expect(run()).rejects.toMatchObject({ code: "nothing_to_index" });
    source.files.set("bin", file("0", 1, { skip: "binary" }));
    await expect(run()).rejects.toMatchObject({
      code: "nothing_to_index",
      message: expect.stringContaining("1 binary"),
    });
    await expect(stat(folder)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(run({ paths: [] })).rejects.toMatchObject({ code: "nothing_to_index" });
  });

  test("an abort keeps what is done, and the next run completes it", async () => {
    for (let i = 0; i < 30; i++) source.files.set(`f${String(i).padStart(2, "0")}`, file(`file ${i}\n`));
    const controller = new AbortController();
    const plain = parts();
    const stopping: IndexParts = {
      ...plain,
      loadChunker: async () => (document) => {
        if (document.id === "f20") controller.abort();
        return lineChunks(document);
      },
    };
    await expect(run({ parts: stopping, signal: controller.signal })).rejects.toMatchObject({ code: "cancelled" });
    const kept = Object.keys(await content());
    expect(kept.length).toBeGreaterThanOrEqual(20);
    expect(kept.length).toBeLessThan(30);
    expect(await run()).toMatchObject({ added: 30 - kept.length, unchanged: kept.length, documents: 30 });
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
  });

  test("forget removes a path until it is named again; a rebuild starts anew from known roots", async () => {
    for (const key of ["keep", "drop/a", "drop/b"]) source.files.set(key, file(`${key}\n`));
    await run();
    const forget = (path: string) =>
      forgetPath({ folder, path: join(base, path), parts: parts(), openStore: () => store });
    expect(await forget("drop")).toEqual({ items: 2, documents: 2 });
    expect(Object.keys(await content())).toEqual(["keep"]);
    await expect(forget("nowhere")).rejects.toMatchObject({ code: "source_not_found" });
    expect(await run({ paths: [] })).toMatchObject({ added: 0, documents: 1 });
    const rebuilt = await run({ paths: [], rebuild: true });
    expect(rebuilt).toMatchObject({ added: 1, documents: 1 });
    expect(rebuilt.generation).toBeGreaterThan(2);
    expect(await run({ paths: [join(base, "drop")] })).toMatchObject({ added: 2, documents: 3 });
    expect(await forget("")).toEqual({ items: 3, documents: 3 });
    expect(await content()).toEqual({});
  });

  test("after any sequence of changes the corpus equals its source", async () => {
    const step = fc.uniqueArray(
      fc.record({
        key: fc.constantFrom("a", "b", "c/d", "c/e", "f"),
        change: fc.constantFrom("write", "touch", "remove", "rows", "skip", "fail"),
        text: fc.stringMatching(/^[a-z ]{1,6}\n[a-z]{0,3}$/),
      }),
      { maxLength: 5, selector: ({ key }) => key },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
        await rm(folder, { recursive: true, force: true });
        reset();
        source.files.set("always", file("here\n"));
        const expected = new Map<string, Record<string, string>>();
        let time = 10;
        for (const changes of steps) {
          for (const { key, change, text } of changes) apply(source, expected, key, change, text, time++);
          await run();
          const all = Object.assign({ always: "here\n" }, ...expected.values());
          expect(await content()).toEqual(all);
        }
      }),
      { numRuns, seed: 6 },
    );
  }, 120_000);
});

/** Changes the source, and what a corpus of it should hold. */
function apply(
  into: MemorySource,
  expected: Map<string, Record<string, string>>,
  key: string,
  change: string,
  text: string,
  mtimeMs: number,
): void {
  const before = into.files.get(key);
  if (change === "remove") into.files.delete(key);
  else if (change === "touch") {
    if (before !== undefined) into.files.set(key, { ...before, mtimeMs });
    return;
  } else if (change === "skip") into.files.set(key, file(text, mtimeMs, { skip: "binary" }));
  else if (change === "fail") into.files.set(key, file(text, mtimeMs, { fail: "no" }));
  else if (change === "rows")
    into.files.set(key, file(text, mtimeMs, { rows: { [`${key}#1`]: text, [`${key}#2`]: "x" } }));
  else into.files.set(key, file(text, mtimeMs));
  if (change === "write") expected.set(key, { [key]: text });
  else if (change === "rows") expected.set(key, { [`${key}#1`]: text, [`${key}#2`]: "x" });
  else if (change !== "fail") expected.delete(key);
}
