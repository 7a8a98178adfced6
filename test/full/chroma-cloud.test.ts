import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { seededRandom } from "../../src/core/clock.ts";
import { type ChromaConnection, connectChroma } from "../../src/retrieval/chroma/connection.ts";
import { chromaCommand, KillableServer, realChroma } from "../support/chroma.ts";

/**
 * Chroma's own server parses what Cloud is asked, and then says that it is not Cloud. What Cloud itself answers is
 * asked of nobody here.
 */
const PORT = 18_251;
const work = mkdtempSync(join(tmpdir(), "winnow-chroma-cloud-"));
const server = new KillableServer(join(work, "data"), PORT);
const CLOUD = "https://api.trychroma.com";
const random = seededRandom(7);
const unit = (): number[] => {
  const vector = Array.from({ length: 8 }, () => random() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
};
const RECORDS = Array.from({ length: 40 }, (_, at) => ({
  ...{ id: `r${at}`, document: `word${at} of the index`, metadata: { n: at } },
  embedding: unit(),
}));
const WORDS = {
  sparse_vector: {
    sparse_vector_index: {
      enabled: true,
      config: { embedding_function: { type: "known", name: "chroma_bm25", config: {} }, source_key: "#document" },
    },
  },
};

let asked: { readonly verb: string; readonly status: number }[] = [];

/** Sends what is meant for Cloud to the server; with `words` its collections claim an index of words. */
async function asCloud(words: boolean): Promise<ChromaConnection> {
  const send: typeof fetch = async (input, init) => {
    const response = await fetch(String(input).replace(CLOUD, server.address), init);
    const verb = String(input).split("/").at(-1) ?? "";
    asked.push({ verb, status: response.status });
    if (!words || verb !== "docs") return response;
    const answer = JSON.parse(await response.text());
    answer.schema.keys.words = WORDS;
    return Response.json(answer);
  };
  const place = { tenant: "default_tenant", database: "default_database" };
  return connectChroma({ address: CLOUD, ...place, effects: { fetch: send } });
}

beforeAll(async () => {
  if (chromaCommand === "") return;
  mkdirSync(join(work, "data"), { recursive: true });
  await server.start();
  const connection = await connectChroma({ address: server.address });
  await (await connection.createCollection({ name: "docs", space: "l2", searchWidth: 200 })).upsert(RECORDS);
}, 120_000);
afterAll(async () => {
  await server.kill();
  rmSync(work, { recursive: true, force: true });
});

realChroma.describe("a real server in Cloud's place", () => {
  realChroma.test("reads the search, has none, and is asked by query from then on", async () => {
    const connection = await asCloud(false);
    expect(connection.cloud).toBe(true);
    const collection = await connection.collection("docs");
    expect(collection.info.wordIndex).toBeNull();
    asked = [];
    const ids = RECORDS.slice(0, 20).map(({ id }) => id);
    for (let i = 0; i < 3; i++) {
      const vector = unit();
      const dot = (embedding: readonly number[]) => embedding.reduce((sum, x, at) => sum + x * (vector[at] ?? 0), 0);
      const expected = RECORDS.slice(0, 20)
        .map(({ id, embedding }) => ({ id, score: expect.closeTo(dot(embedding), 5), dot: dot(embedding) }))
        .sort((a, b) => b.dot - a.dot)
        .slice(0, 5)
        .map(({ id, score }) => ({ id, score }));
      expect(await collection.search({ vector, text: "word3", limit: 5, ids })).toEqual(expected);
    }
    expect(asked).toEqual([
      { verb: "search", status: 501 },
      ...Array.from({ length: 3 }, () => ({ verb: "query", status: 200 })),
    ]);
  });

  realChroma.test("reads a search by words as one, and refuses it for want of the index", async () => {
    const collection = await (await asCloud(true)).collection("docs");
    expect(collection.info.wordIndex).toMatchObject({ key: "words" });
    asked = [];
    const refused = collection.search({ vector: unit(), text: "word3 of the index", limit: 5 });
    await expect(refused).rejects.toMatchObject({
      code: "store_failed",
      message: expect.stringMatching(/SparseVector/),
    });
    expect(asked).toEqual([{ verb: "search", status: 400 }]);
  });
});
