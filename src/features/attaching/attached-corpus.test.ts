import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChromaEntry } from "../../config/corpora.ts";
import { seededRandom } from "../../core/clock.ts";
import { WinnowError } from "../../core/errors.ts";
import { parseFilter } from "../../core/filter-parse.ts";
import { ChromaPlaces } from "../../retrieval/chroma/shared-places.ts";
import { type CorpusReader, chunkKey } from "../../retrieval/corpus-reader.ts";
import { MemoryCollection, type MemoryRecord, memoryChroma } from "../../testing/memory-chroma.ts";
import { indexAttached } from "./index-attached.ts";
import { openAttached } from "./open-attached.ts";

const DIMENSION = 8;
let folder: string;
let entry: ChromaEntry;
let collection: MemoryCollection;
let opened: CorpusReader[];

const random = seededRandom(5);
const unit = (): number[] => {
  const vector = Array.from({ length: DIMENSION }, () => random() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
};

/** 60 documents of three records each; every record has a word and a vector of its own. */
const records = (): MemoryRecord[] =>
  Array.from({ length: 180 }, (_, at) => ({
    id: `d${Math.floor(at / 3)}::${at % 3}`,
    document: `common word${at} text`,
    metadata: {
      path: `/x/d${Math.floor(at / 3)}.md`,
      n: at % 3,
      kind: at < 9 ? "rare" : "usual",
      year: 2000 + (at % 5),
    },
    embedding: unit(),
  }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "winnow-attached-"));
  entry = {
    kind: "chroma",
    place: "http://127.0.0.1:8000",
    collection: "docs",
    role: "documents",
    documentKey: "path",
    orderKey: "n",
    uriKey: "path",
    embedder: "minilm",
    inPlace: false,
    indexFolder: join(folder, "attached", "docs"),
  };
  collection = new MemoryCollection({ name: "docs", dimension: DIMENSION }, records());
  opened = [];
});
afterEach(async () => {
  for (const corpus of opened) await corpus.close();
  rmSync(folder, { recursive: true, force: true });
});

const places = () => new ChromaPlaces({ open: async () => memoryChroma([collection]) });
const index = (options: { rebuild?: boolean } = {}) =>
  indexAttached({ name: "docs", entry, places: places(), environment: {}, ...options });

async function openDocs(vector: readonly number[], changes: Partial<Parameters<typeof openAttached>[0]> = {}) {
  const embedQuery = async () => Float32Array.from(vector);
  const corpus = await openAttached({ name: "docs", entry, places: places(), environment: {}, embedQuery, ...changes });
  opened.push(corpus);
  return corpus;
}

/** Record ids by nearness, exactly. */
function nearest(vector: readonly number[], keep: (record: MemoryRecord) => boolean = () => true): string[] {
  const dot = ({ embedding }: MemoryRecord): number =>
    vector.reduce((sum, value, i) => sum + value * (embedding?.[i] ?? 0), 0);
  return all
    .filter(keep)
    .sort((a, b) => dot(b) - dot(a))
    .map(({ id }) => id);
}
let all: MemoryRecord[];
beforeEach(async () => {
  all = [...(await collection.get({ include: ["documents", "metadatas", "embeddings"] }))];
  collection.calls.length = 0;
});

describe("an attached collection", () => {
  test("is found by words, by patterns and by meaning, and read in order", async () => {
    expect(await index()).toMatchObject({ added: 60, documents: 60, chunks: 180, failed: 0, notices: [] });
    const vector = unit();
    const corpus = await openDocs(vector);
    expect(await corpus.info()).toMatchObject({ documents: 60, embedder: "minilm" });
    const lexical = await corpus.find({ text: "word42", mode: "lexical", chunksMax: 3 });
    expect(lexical.hits.map(({ chunk }) => chunk.id)).toEqual(["d14::0"]);
    const dense = await corpus.find({ text: "anything", mode: "dense", chunksMax: 20 });
    expect(dense.hits.map(({ chunk }) => chunk.id)).toEqual(nearest(vector).slice(0, 20));
    const hybrid = await corpus.find({ text: "word42", mode: "hybrid", chunksMax: 5 });
    expect(hybrid.hits[0]).toMatchObject({ lexicalRank: 1, chunk: { id: "d14::0", uri: "/x/d14.md" } });
    const grep = await corpus.grep({ pattern: "word4[23]\\b", chunksMax: 10 });
    expect(grep.hits.map(({ hit }) => hit.chunk.id)).toEqual(["d14::0", "d14::1"]);
    const chunks = await corpus.read({ documentId: "/x/d14.md" });
    expect(chunks.map(({ text }) => text.trim())).toEqual([
      "common word42 text",
      "common word43 text",
      "common word44 text",
    ]);
    expect([...lexical.notices, ...dense.notices, ...hybrid.notices, ...grep.notices]).toEqual([]);
  });

  test("what was seen, what is excluded and what a filter leaves out does not come back by meaning", async () => {
    await index();
    const vector = unit();
    const corpus = await openDocs(vector);
    const find = async (more: object) =>
      (await corpus.find({ text: "x", mode: "dense", chunksMax: 10, ...more })).hits.map(({ chunk }) => chunk.id);
    const order = nearest(vector);
    const seen = new Set(order.slice(0, 50).map((id) => chunkKey("docs", id)));
    expect(await find({ exclude: seen })).toEqual(order.slice(50, 60));
    const first = order[0]?.split("::")[0];
    expect(await find({ excludeDocuments: new Set([`/x/${first}.md`]) })).toEqual(
      order.filter((id) => !id.startsWith(`${first}::`)).slice(0, 10),
    );
    const rare = nearest(vector, ({ metadata }) => metadata?.["kind"] === "rare");
    expect(await find({ where: parseFilter(["kind=rare"]) })).toEqual(rare);
    expect(await find({ where: parseFilter(["kind=none"]) })).toEqual([]);
  });

  test("a refresh reads texts of changed documents only, and lets go of those that are gone", async () => {
    await index();
    const [changed, gone] = ["d7::1", "d9"];
    collection.put([
      {
        ...(all.find(({ id }) => id === changed) as MemoryRecord),
        document: "common zebra",
        metadata: { path: "/x/d7.md", n: 1, edited: true },
      },
    ]);
    for (const part of [0, 1, 2]) collection.remove(`${gone}::${part}`);
    collection.put([
      { id: "new", document: "common newcomer", metadata: { path: "/x/new.md", n: 0 }, embedding: unit() },
    ]);
    collection.calls.length = 0;
    expect(await index()).toMatchObject({ added: 1, changed: 1, removed: 1, unchanged: 58, documents: 60 });
    const asked = collection.calls.flatMap(({ query }) => query.ids ?? []).sort();
    expect(new Set(asked)).toEqual(new Set(["d7::0", "d7::1", "d7::2", "new"]));
    const corpus = await openDocs(unit());
    const words = async (text: string) => (await corpus.find({ text, mode: "lexical", chunksMax: 5 })).hits.length;
    expect(await Promise.all(["zebra", "newcomer", "word22", "word27"].map(words))).toEqual([1, 1, 0, 0]);
    collection.calls.length = 0;
    expect(await index()).toMatchObject({ added: 0, changed: 0, removed: 0, unchanged: 60 });
    expect(collection.calls.flatMap(({ query }) => query.include ?? [])).not.toContain("documents");
  });

  test("a text that changed under the same metadata is found by a rebuild", async () => {
    await index();
    collection.put([{ ...(all[0] as MemoryRecord), document: "silently changed" }]);
    expect(await index()).toMatchObject({ unchanged: 60 });
    expect(await index({ rebuild: true })).toMatchObject({ added: 60 });
    const corpus = await openDocs(unit());
    expect((await corpus.find({ text: "silently", mode: "lexical", chunksMax: 5 })).hits).toHaveLength(1);
  });

  test("a server that dies in the middle ends the run; what was done stays, and the next run goes on", async () => {
    let gets = 0;
    collection.before = (method) => {
      if (method === "get" && ++gets > 5)
        throw new WinnowError("store_failed", "cannot be reached", { retryable: true });
    };
    await expect(index()).rejects.toMatchObject({ code: "store_failed", message: "cannot be reached" });
    collection.before = () => undefined;
    const { added, unchanged } = await index();
    expect(added + unchanged).toBe(60);
    expect(unchanged).toBeGreaterThan(0);
  });

  test("when the collection cannot be reached, words are still found, and a notice says so", async () => {
    await index();
    const down = new WinnowError("store_failed", "The Chroma server cannot be reached.", { retryable: true });
    let tries = 0;
    const broken = new ChromaPlaces({
      open: async () => {
        tries++;
        throw down;
      },
    });
    const corpus = await openDocs(unit(), { places: broken });
    for (let i = 0; i < 3; i++) {
      const answer = await corpus.find({ text: "word42", mode: "hybrid", chunksMax: 3 });
      expect(answer.hits[0]?.chunk.id).toBe("d14::0");
      expect(answer.notices).toMatchObject([
        { code: "lexical_only", message: expect.stringMatching(/cannot be reached/) },
      ]);
    }
    expect(tries).toBe(1);
    await expect(corpus.find({ text: "x", mode: "dense", chunksMax: 3 })).rejects.toMatchObject({
      code: "store_failed",
    });
  });

  test("a collection that was deleted is named; its words stay searchable", async () => {
    await index();
    const corpus = await openDocs(unit());
    collection.before = (method) => {
      if (method === "query") throw new WinnowError("corpus_not_found", "Collection [docs] does not exist.");
    };
    const answer = await corpus.find({ text: "word42", mode: "hybrid", chunksMax: 3 });
    expect(answer.hits).not.toHaveLength(0);
    expect(answer.notices[0]?.message).toMatch(/does not exist/);
  });

  test("vectors of another length are refused, not searched", async () => {
    await index();
    const corpus = await openDocs([1, 0, 0]);
    const find = corpus.find({ text: "word42", mode: "hybrid", chunksMax: 3 });
    await expect(find).rejects.toMatchObject({ code: "corpus_mismatch", hint: expect.stringMatching(/--embedder/) });
  });

  test("records that came since are left out, and told with how to refresh", async () => {
    await index();
    const vector = unit();
    collection.put([{ id: "late", document: "late", metadata: { path: "/x/late.md" }, embedding: [...vector] }]);
    const corpus = await openDocs(vector);
    const answer = await corpus.find({ text: "word42", mode: "dense", chunksMax: 3 });
    expect(answer.hits.map(({ chunk }) => chunk.id)).toEqual(nearest(vector).slice(0, 3));
    expect(answer.notices).toMatchObject([
      { code: "stale_index", message: expect.stringMatching(/winnow index docs/) },
    ]);
  });

  test("without an embedder it is searched by words, without reaching it", async () => {
    await index();
    const broken = new ChromaPlaces({ open: () => Promise.reject(new Error("not to be opened")) });
    for (const [embedder, notices] of [
      ["unknown", [{ code: "lexical_only", message: expect.stringMatching(/--embedder/) }]],
      // The user said so: there is nothing to remind of.
      ["none", []],
    ] as const) {
      const corpus = await openDocs(unit(), { places: broken, entry: { ...entry, embedder } });
      const answer = await corpus.find({ text: "word42", mode: "hybrid", chunksMax: 3 });
      expect(answer.hits).toHaveLength(1);
      expect(answer.notices).toMatchObject(notices);
      expect(answer.notices).toHaveLength(notices.length);
    }
  });

  test("a collection without texts cannot be attached", async () => {
    collection = new MemoryCollection({ name: "docs" }, [{ id: "a", metadata: { path: "p" } }]);
    await expect(index()).rejects.toMatchObject({ code: "nothing_to_index" });
  });

  test("on several servers is asked in turn, and goes on where one of them fails", async () => {
    await index();
    const copies = [0, 1, 2].map(() => new MemoryCollection({ name: "docs", dimension: DIMENSION }, all));
    const addresses = copies.map((_, i) => `http://127.0.0.1:${8000 + i}`);
    const replicated = new ChromaPlaces({
      open: async ({ place }) => memoryChroma([copies[addresses.indexOf(place)] ?? collection]),
    });
    const [, ...replicas] = addresses;
    const vector = unit();
    const corpus = await openDocs(vector, { entry: { ...entry, replicas }, places: replicated });
    const ask = () => corpus.find({ text: "anything", mode: "dense", chunksMax: 5 });
    const asked = () => copies.map(({ calls }) => calls.filter(({ method }) => method === "query").length);
    for (let i = 0; i < 6; i++) expect((await ask()).hits).toHaveLength(5);
    expect(asked()).toEqual([2, 2, 2]);
    const [, broken] = copies;
    if (broken !== undefined) {
      broken.before = () => {
        throw new WinnowError("store_failed", "gone", { retryable: true });
      };
    }
    const told: string[][] = [];
    for (let i = 0; i < 6; i++) {
      const { hits, notices } = await ask();
      expect(hits.map(({ chunk }) => chunk.id)).toEqual(nearest(vector).slice(0, 5));
      told.push(notices.map(({ code, message }) => `${code} ${message.split(" ")[0]}`));
    }
    expect(asked()[1]).toBeLessThanOrEqual(3);
    // From the query that met it on, once in every answer.
    expect(told[0]).toEqual([]);
    for (const notices of told.slice(1)) expect(notices).toEqual([`replica_failed ${addresses[1]}`]);
    expect((await corpus.find({ text: "word42", mode: "lexical", chunksMax: 5 })).notices).toEqual([]);
  });

  test("a server that lost the collection is passed over; the one that has it answers", async () => {
    await index();
    const [lost, kept] = [[], [collection]].map(memoryChroma);
    const replicated = new ChromaPlaces({
      open: async ({ place }) => (place === entry.place ? lost : kept) ?? memoryChroma([]),
    });
    const replicas = ["http://127.0.0.1:8001"];
    const corpus = await openDocs(unit(), { entry: { ...entry, replicas }, places: replicated });
    const { hits, notices } = await corpus.find({ text: "anything", mode: "dense", chunksMax: 5 });
    expect(hits).toHaveLength(5);
    expect(notices).toMatchObject([{ code: "replica_failed", message: expect.stringContaining(entry.place) }]);
  });

  test("words are indexed from the next server where the first is down", async () => {
    const down = new WinnowError("store_failed", "The Chroma server cannot be reached.", { retryable: true });
    const replicas = ["http://127.0.0.1:8001"];
    const replicated = new ChromaPlaces({
      open: async ({ place }) => {
        if (place === entry.place) throw down;
        return memoryChroma([collection]);
      },
    });
    entry = { ...entry, replicas };
    const options = { name: "docs", entry, places: replicated, environment: {} };
    const summary = await indexAttached(options);
    expect(summary).toMatchObject({ documents: 60, failed: 0 });
    expect(summary.notices).toEqual([`${entry.place} was passed over: The Chroma server cannot be reached.`]);
    // The first server is back, and calls the same collection by an id of its own.
    const other = new MemoryCollection({ id: "another", name: "docs", dimension: DIMENSION }, all);
    const back = new ChromaPlaces({ open: async () => memoryChroma([other]) });
    const corpus = await openDocs(unit(), { entry, places: back });
    const find = () => corpus.find({ text: "anything", mode: "dense", chunksMax: 5 });
    await find();
    expect((await find()).notices).toEqual([]);
    await expect(indexAttached({ ...options, entry: { ...entry, replicas: [] } })).rejects.toBe(down);
  });
});
