import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChromaEntry } from "../../config/corpora.ts";
import { seededRandom } from "../../core/clock.ts";
import { parseFilter } from "../../core/filter-parse.ts";
import { bm25Vector } from "../../retrieval/chroma/bm25-vector.ts";
import { openChromaPlace } from "../../retrieval/chroma/place.ts";
import { ChromaPlaces } from "../../retrieval/chroma/shared-places.ts";
import { type CorpusReader, chunkKey } from "../../retrieval/corpus-reader.ts";
import { CloudDouble, type CloudRecord } from "../../testing/cloud-chroma.ts";
import { indexAttached } from "./index-attached.ts";
import { openAttached } from "./open-attached.ts";

const DIMENSION = 6;
const DEPTH = 300;
const KEY = "ck-test";
const ID = "11111111-2222-3333-4444-555555555555";
const environment = { TEAM_KEY: KEY };
const WORDS = ["index", "migration", "viewer", "cursor", "rollback", "lease"];

const random = seededRandom(11);
const unit = (): number[] => {
  const vector = Array.from({ length: DIMENSION }, () => random() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
};
const picked = (): string => WORDS[Math.floor(random() * WORDS.length)] ?? "";

/** More records than one page, one query or one order of Cloud holds. */
const RECORDS: readonly CloudRecord[] = Array.from({ length: 700 }, (_, at) => {
  const count = Math.floor(random() * 9);
  const document = `record${at} ${Array.from({ length: count }, picked).join(" ")} of the team`;
  return {
    id: `d${at}`,
    document,
    metadata: { path: `/x/d${at}.md`, kind: at % 70 === 0 ? "rare" : "usual" },
    embedding: unit(),
    words: bm25Vector(document),
  };
});
const SCHEMA = {
  keys: {
    sparse: {
      sparse_vector: {
        sparse_vector_index: {
          enabled: true,
          config: { embedding_function: { name: "chroma_bm25", type: "known", config: {} }, source_key: "#document" },
        },
      },
    },
  },
};

const byScore = (a: readonly [string, number], b: readonly [string, number]): number =>
  b[1] - a[1] || (a[0] < b[0] ? -1 : 1);

function nearest(vector: readonly number[], records = RECORDS): readonly string[] {
  return records
    .map(({ id, embedding }) => [id, embedding.reduce((sum, x, i) => sum + x * (vector[i] ?? 0), 0)] as const)
    .sort(byScore)
    .map(([id]) => id);
}

function wordiest(text: string, records = RECORDS): readonly string[] {
  const { indices, values } = bm25Vector(text);
  return records
    .flatMap(({ id, words }) => {
      const product = indices.reduce((sum, place, i) => {
        const at = words?.indices.indexOf(place) ?? -1;
        return sum + (values[i] ?? 0) * (words?.values[at] ?? 0);
      }, 0);
      return product === 0 ? [] : [[id, product] as const];
    })
    .sort(byScore)
    .map(([id]) => id);
}

/** Reciprocal ranks of two orders, each looked at to its 300th record. */
function fused(vector: readonly number[], text: string, records = RECORDS): readonly string[] {
  const orders = [nearest(vector, records), wordiest(text, records)].map((order) => order.slice(0, DEPTH));
  const placed = orders.map((order) => new Map(order.map((id, place) => [id, place])));
  return [...new Set(orders.flat())]
    .map((id) => [id, placed.reduce((sum, places) => sum + 1 / (60 + (places.get(id) ?? DEPTH)), 0)] as const)
    .sort(byScore)
    .map(([id]) => id);
}

let folder: string;
let entry: ChromaEntry;
let double: CloudDouble;
let opened: CorpusReader[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "winnow-cloud-"));
  entry = {
    kind: "chroma",
    place: "https://api.trychroma.com",
    apiKeyEnv: "TEAM_KEY",
    collection: "docs",
    role: "documents",
    documentKey: "path",
    embedder: "minilm",
    inPlace: false,
    indexFolder: join(folder, "attached", "docs"),
  };
  opened = [];
});
afterEach(async () => {
  for (const corpus of opened) await corpus.close();
  double.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The whole way of an attached collection, but for the address that the double answers at. */
async function attached(vector: readonly number[], schema?: unknown): Promise<CorpusReader> {
  double = new CloudDouble(
    { id: ID, name: "docs", dimension: DIMENSION, schema, wordsKey: "sparse", records: RECORDS },
    KEY,
  );
  await double.start();
  const effects = { fetch: double.fetch, sleep: async () => undefined };
  const places = new ChromaPlaces({ open: (options) => openChromaPlace({ ...options, effects }) });
  const indexed = await indexAttached({ name: "docs", entry, places, environment });
  expect(indexed).toMatchObject({ added: 700, failed: 0, notices: [] });
  const embedQuery = async () => Float32Array.from(vector);
  const corpus = await openAttached({ name: "docs", entry, places, environment, embedQuery });
  opened.push(corpus);
  return corpus;
}

describe.each([
  ["without an index of words", undefined],
  ["with an index of words", SCHEMA],
] as const)("a collection on Cloud %s", (_, schema) => {
  const text = "did the migration need a rollback";
  const expected = (vector: readonly number[], records = RECORDS): readonly string[] =>
    schema === undefined ? nearest(vector, records) : fused(vector, text, records);

  test("gives what brute force gives, with and without what was seen and what a filter leaves", async () => {
    const vector = unit();
    const corpus = await attached(vector, schema);
    const find = async (more: object = {}) => {
      const { hits, notices } = await corpus.find({ text, mode: "dense", chunksMax: 20, ...more });
      expect(notices).toEqual([]);
      return hits.map(({ chunk }) => chunk.id);
    };
    const order = expected(vector);
    expect(await find()).toEqual(order.slice(0, 20));
    const [chunk] = await corpus.read({ documentId: "/x/d70.md" });
    expect(chunk?.metadata).toEqual({ path: "/x/d70.md", kind: "rare" });
    const seen = order.slice(0, 45);
    expect(await find({ exclude: new Set(seen.map((id) => chunkKey("docs", id))) })).toEqual(order.slice(45, 65));
    const excludeDocuments = new Set(seen.map((id) => `/x/${id}.md`));
    expect(await find({ excludeDocuments })).toEqual(order.slice(45, 65));
    const rare = RECORDS.filter(({ metadata }) => metadata["kind"] === "rare");
    expect(await find({ where: parseFilter(["kind=rare"]) })).toEqual(expected(vector, rare));
    expect(double.bodies("query")).toEqual([]);
    expect(double.bodies("search").length).toBeGreaterThan(3);
  });

  test("stays below the limits of Cloud, and says when that cut a search", async () => {
    const vector = unit();
    const corpus = await attached(vector, schema);
    const order = expected(vector);
    const exclude = new Set(order.slice(0, 295).map((id) => chunkKey("docs", id)));
    const { hits, notices } = await corpus.find({ text, mode: "dense", chunksMax: 20, exclude });
    expect(hits.map(({ chunk }) => chunk.id)).toEqual(order.slice(295, 300));
    expect(notices).toMatchObject([{ code: "filter_incomplete" }]);
    const limits = double.bodies("search").map((body) => JSON.stringify(body).match(/"offset":0,"limit":(\d+)/)?.[1]);
    expect(Math.max(...limits.map(Number))).toBe(300);
  });

  test("that refuses for its quota says so, and is still searched by words", async () => {
    const corpus = await attached(unit(), schema);
    const message = "Quota exceeded: search requests";
    double.before = ({ verb }) =>
      verb === "search" ? { status: 422, body: { error: "QuotaError", message } } : undefined;
    const dense = corpus.find({ text, mode: "dense", chunksMax: 5 });
    await expect(dense).rejects.toMatchObject({ code: "limit_exceeded", hint: expect.stringMatching(/higher quota/) });
    const { hits, notices } = await corpus.find({ text: "record42", mode: "hybrid", chunksMax: 5 });
    expect(hits.map(({ chunk }) => chunk.id)).toEqual(["d42"]);
    expect(notices).toMatchObject([{ code: "lexical_only", message: expect.stringContaining(message) }]);
    expect(double.bodies("query")).toEqual([]);
  });
});
