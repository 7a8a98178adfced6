import { ChromaClient, K, Knn, Rrf, Search } from "chromadb";
import { afterEach, describe, expect, test } from "vitest";
import { CloudDouble, type CloudRecord } from "../../testing/cloud-chroma.ts";
import { bm25Vector } from "./bm25-vector.ts";
import { wordIndexOf } from "./cloud-search.ts";
import type { ChromaCollection } from "./collection.ts";
import { connectChroma } from "./connection.ts";

const KEY = "ck-test";
const ID = "11111111-2222-3333-4444-555555555555";
const TEXTS = ["a red fox", "a red hen and a hen", "blue whales", "the index of foxes", "nothing"];
const VECTORS = [
  [1, 0],
  [0, 1],
  [0.6, 0.8],
  [-1, 0],
  [0.8, 0.6],
];

/** As a server gives it: what the official Python client writes for `chroma_bm25` over the documents. */
const sparse = (changes: object = {}, config: object = {}) => ({
  sparse_vector: {
    sparse_vector_index: {
      enabled: true,
      ...changes,
      config: {
        embedding_function: {
          name: "chroma_bm25",
          type: "known",
          config: { k: 1.2, b: 0.75, avg_doc_length: 256, token_max_length: 40, include_tokens: false },
        },
        source_key: "#document",
        bm25: true,
        ...config,
      },
    },
  },
});
const schema = {
  defaults: { sparse_vector: { sparse_vector_index: { enabled: false, config: { bm25: false } } } },
  keys: {
    "#document": { string: { fts_index: { enabled: true, config: {} } } },
    words: sparse(),
  },
};

const open: CloudDouble[] = [];
afterEach(() => {
  for (const double of open.splice(0)) double.close();
});

async function cloud(made: { schema?: unknown; callTimeoutMs?: number; apiKey?: string } = {}) {
  const records = TEXTS.map((document, at): CloudRecord => {
    const words = bm25Vector(document);
    return { id: `r${at}`, document, metadata: {}, embedding: VECTORS[at] ?? [], words };
  });
  const double = new CloudDouble({ id: ID, name: "docs", dimension: 2, schema: made.schema, records }, KEY);
  open.push(double);
  await double.start();
  const pauses: number[] = [];
  const connection = await connectChroma({
    address: "https://api.trychroma.com",
    apiKey: made.apiKey ?? KEY,
    effects: { fetch: double.fetch, sleep: async (ms) => void pauses.push(ms) },
    ...(made.callTimeoutMs === undefined ? {} : { callTimeoutMs: made.callTimeoutMs }),
  });
  return { double, connection, collection: await connection.collection("docs"), pauses };
}

async function official(double: CloudDouble) {
  const place = { host: "127.0.0.1", port: double.port, ssl: false, tenant: "team", database: "notes" };
  const client = new ChromaClient({ ...place, headers: { "x-chroma-token": KEY } });
  return client.getCollection({ name: "docs" });
}

const idsOf = async (found: ReturnType<ChromaCollection["search"]>) => (await found).map(({ id }) => id);

describe("a search on Cloud", () => {
  test("sends what the official client sends for the same search, and finds the nearest", async () => {
    const { double, connection, collection } = await cloud();
    expect(connection).toMatchObject({ cloud: true, tenant: "team", database: "notes" });
    const hits = await collection.search({ vector: Float32Array.of(1, 0), text: "fox", limit: 3 });
    expect(hits).toEqual([
      { id: "r0", score: 1 },
      { id: "r4", score: expect.closeTo(0.8) },
      { id: "r2", score: expect.closeTo(0.6) },
    ]);
    const theirs = await official(double);
    const search = new Search()
      .rank(Knn({ query: [1, 0], limit: 3 }))
      .limit(3)
      .select(K.SCORE);
    expect((await theirs.search(search)).ids).toEqual([["r0", "r4", "r2"]]);
    const [ours, client] = double.bodies("search");
    expect(ours).toEqual(client);
    expect(double.bodies("query")).toEqual([]);
  });

  test("is fused by the server with the words of the question, where these are indexed", async () => {
    const { double, collection } = await cloud({ schema });
    const ids = ["r0", "r1", "r2", "r3"];
    const hits = await collection.search({ vector: [0, 1], text: "What about foxes?", limit: 4, ids });
    // By nearness r1, r2, r0 (a tie with r3 is none: distances 2 and 2, by id), r3; by words r0 and r3, one each.
    const score = (near: number, words: number) => expect.closeTo(1 / (60 + near) + 1 / (60 + words), 10);
    expect(hits).toEqual([
      { id: "r0", score: score(2, 0) },
      { id: "r3", score: score(3, 1) },
      { id: "r1", score: score(0, 300) },
      { id: "r2", score: score(1, 300) },
    ]);
    const theirs = await official(double);
    const depth = { limit: 300, default: 300, returnRank: true };
    const { indices, values } = bm25Vector("foxes");
    const words = { indices: [...indices], values: [...values] };
    const search = new Search()
      .where(K.ID.isIn(ids))
      .rank(
        Rrf({
          ranks: [Knn({ query: [0, 1], ...depth }), Knn({ query: words, key: "words", ...depth })],
          weights: [1, 1],
          k: 60,
        }),
      )
      .limit(4)
      .select(K.SCORE);
    expect((await theirs.search(search)).ids).toEqual([["r0", "r3", "r1", "r2"]]);
    const [ours, client] = double.bodies("search");
    expect(ours).toEqual(client);
  });

  test.each([
    ["", "no text"],
    ["What was it?", "stop words only"],
  ])("of %j (%s) asks for nearness alone", async (text) => {
    const { double, collection } = await cloud({ schema });
    expect(await idsOf(collection.search({ vector: [0, 1], text, limit: 2 }))).toEqual(["r1", "r2"]);
    expect(double.bodies("search")).toMatchObject([
      { searches: [{ rank: { $knn: { key: "#embedding", limit: 2 } } }] },
    ]);
  });

  test.each([
    [404, "<html>"],
    [501, { error: "ChromaError", message: "Not implemented" }],
  ])("that is answered with %i becomes a query, and is not tried again", async (status, body) => {
    const { double, collection } = await cloud({ schema });
    double.before = ({ verb }) => (verb === "search" ? { status, body } : undefined);
    for (let i = 0; i < 3; i++) {
      expect(await collection.search({ vector: [1, 0], text: "foxes", limit: 2, ids: ["r1", "r2", "r3"] })).toEqual([
        { id: "r2", score: expect.closeTo(0.6) },
        { id: "r1", score: expect.closeTo(0) },
      ]);
    }
    expect(double.bodies("search")).toHaveLength(1);
    expect(double.bodies("query")).toHaveLength(3);
  });

  test("in a collection that is gone says so, and searches again when it is back", async () => {
    const { double, collection } = await cloud();
    const message = `Collection [${ID}] does not exist.`;
    double.before = ({ verb }) =>
      verb === "search" || verb === "query" ? { status: 404, body: { error: "NotFoundError", message } } : undefined;
    const gone = collection.search({ vector: [1, 0], limit: 1 });
    await expect(gone).rejects.toMatchObject({ code: "corpus_not_found", message: expect.stringContaining(message) });
    double.before = () => undefined;
    expect(await idsOf(collection.search({ vector: [1, 0], limit: 1 }))).toEqual(["r0"]);
    expect(double.bodies("query")).toHaveLength(1);
  });

  test.each([
    [422, { error: "QuotaError", message: "Quota exceeded: search limit" }, "limit_exceeded", /422: Quota exceeded/],
    [400, { error: "InvalidArgumentError", message: "Invalid rank" }, "store_failed", /Invalid rank/],
    [200, { ids: "none" }, "store_failed", /cannot be read/],
  ])("refused with %i and %j is %s, at once, and no query", async (status, body, code, message) => {
    const { double, collection } = await cloud();
    double.before = ({ verb }) => (verb === "search" ? { status, body } : undefined);
    const refused = collection.search({ vector: [1, 0], limit: 1 });
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(double.bodies("search")).toHaveLength(1);
    expect(double.bodies("query")).toEqual([]);
  });

  test("is tried again after a fault of the server", async () => {
    const { double, collection, pauses } = await cloud();
    let faults = 0;
    double.before = ({ verb }) =>
      verb === "search" && faults++ < 2 ? { status: 503, body: { message: "busy" } } : undefined;
    expect(await idsOf(collection.search({ vector: [1, 0], limit: 1 }))).toEqual(["r0"]);
    expect(pauses).toHaveLength(2);
  });

  test("ends when it is cancelled, while the server is silent", async () => {
    const { double, collection } = await cloud();
    const controller = new AbortController();
    double.before = ({ verb }) => {
      if (verb !== "search") return undefined;
      controller.abort();
      return "silence";
    };
    const cancelled = collection.search({ vector: [1, 0], limit: 1, signal: controller.signal });
    await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
    expect(double.bodies("query")).toEqual([]);
  });

  test("without the right key is refused, and the key is in no message", async () => {
    const failed = cloud({ apiKey: "ck-wrong" });
    await expect(failed).rejects.toMatchObject({ code: "store_failed", hint: expect.stringMatching(/--api-key-env/) });
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringContaining("ck-wrong") });
  });
});

test("writes and deletions on Cloud hold 300 records at most", async () => {
  const { double, collection } = await cloud();
  const ids = Array.from({ length: 650 }, (_, at) => `w${at}`);
  await collection.upsert(ids.map((id) => ({ id, document: id, embedding: [0, 1], metadata: {} })));
  await collection.delete(ids);
  for (const verb of ["upsert", "delete"]) {
    const parts = double.bodies(verb).map((body) => (body as { ids: string[] }).ids);
    expect(parts.map(({ length }) => length)).toEqual([300, 300, 50]);
    expect(parts.flat()).toEqual(ids);
  }
});

describe("wordIndexOf", () => {
  const found = (keys: object) => wordIndexOf({ defaults: {}, keys })?.key;

  test("reads the options that the vectors of the records were made with", () => {
    const config = { k: 0.9, b: 0.5, avg_doc_length: 10, token_max_length: 8, stopwords: ["x"] };
    const embedding = { embedding_function: { name: "chroma_bm25", type: "known", config } };
    expect(wordIndexOf({ keys: { w: sparse({}, embedding) } })).toEqual({
      key: "w",
      options: { k: 0.9, b: 0.5, averageTokens: 10, tokenCharactersMax: 8, stopWords: ["x"] },
    });
  });

  test("takes the index of documents before any other", () => {
    expect(found({ titles: sparse({}, { source_key: "title" }), words: sparse() })).toBe("words");
    expect(found({ titles: sparse({}, { source_key: "title" }) })).toBe("titles");
  });

  test("leaves other functions, indexes that are off, and what it does not understand", () => {
    expect(found({ w: sparse({ enabled: false }) })).toBeUndefined();
    expect(
      found({ w: sparse({}, { embedding_function: { name: "chroma-cloud-splade", config: {} } }) }),
    ).toBeUndefined();
    expect(found({ w: sparse({}, { embedding_function: { type: "unknown" } }) })).toBeUndefined();
    expect(
      found({ w: sparse({}, { embedding_function: { name: "chroma_bm25", config: { k: "1" } } }) }),
    ).toBeUndefined();
    for (const other of [undefined, null, 3, {}, { keys: null }, { keys: { w: null } }]) {
      expect(wordIndexOf(other)).toBeNull();
    }
  });
});
