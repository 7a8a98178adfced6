import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ChromaEntry } from "../../config/corpora.ts";
import { openChromaPlace } from "../../retrieval/chroma/place.ts";
import { ChromaPlaces } from "../../retrieval/chroma/shared-places.ts";
import { MemoryCollection, type MemoryRecord, memoryChroma } from "../../testing/memory-chroma.ts";
import { indexAttached } from "./index-attached.ts";
import { openAttached } from "./open-attached.ts";

const ID = "771616d6-a4d3-41af-b840-a33a97c0b5c6";
const QUESTION = [1, 0];

/** Records on a circle: the first are the nearest to the question. */
const record = (at: number, document: string | null = `word${at} of many`): MemoryRecord => ({
  id: `r${at}`,
  document,
  metadata: { path: `d${at}.md` },
  embedding: [Math.cos(at / 100), Math.sin(at / 100)],
});
/** More than a query by meaning asks for, so that the last ones are found by their words alone. */
const many = Array.from({ length: 300 }, (_, at) => record(at));

async function attached(records: readonly MemoryRecord[], options: { address?: string; places?: ChromaPlaces } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "winnow-age-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const collection = new MemoryCollection({ id: ID, name: "docs", dimension: 2 }, records);
  const place = options.address ?? "http://127.0.0.1:8000";
  const entry: ChromaEntry = {
    ...{ kind: "chroma", place, collection: "docs", role: "documents", documentKey: "path", embedder: "minilm" },
    ...{ inPlace: false, indexFolder: join(folder, "docs") },
  };
  const places = new ChromaPlaces({ open: async () => memoryChroma([collection]) });
  const index = () => indexAttached({ name: "docs", entry, places, environment: {} });
  await index();
  const open = async () => {
    const embedQuery = async () => Float32Array.from(QUESTION);
    const scope = { name: "docs", entry, places: options.places ?? places, environment: {}, embedQuery };
    const corpus = await openAttached(scope);
    onTestFinished(() => corpus.close());
    const find = async (text: string, mode: "dense" | "hybrid" | "lexical" = "hybrid") => {
      const { hits, notices } = await corpus.find({ text, mode, chunksMax: 3 });
      return { ids: hits.map(({ chunk }) => chunk.id), notices };
    };
    return find;
  };
  return { collection, index, open };
}

test("records without a text are no news, however near they are", async () => {
  const bare = [record(0, null), record(1, "  "), ...many.slice(2)];
  const { collection, open } = await attached([...bare, { ...record(500, null), embedding: [1, 0] }]);
  const find = await open();
  collection.calls.length = 0;
  for (const mode of ["dense", "hybrid"] as const) {
    const { ids, notices } = await find("word7", mode);
    expect(ids).toHaveLength(3);
    expect(notices, mode).toEqual([]);
  }
  const asked = collection.calls.filter(({ query }) => query.ids?.includes("r500") === true);
  expect(asked.length, "what was looked at is known for a while").toBe(1);
  // Among them a new one shows.
  collection.put([{ ...record(501), embedding: [1, 0] }]);
  expect((await find("word7", "dense")).notices).toMatchObject([
    {
      code: "stale_index",
      message: expect.stringMatching(/records that the index of its words lacks.*winnow index docs/),
    },
  ]);
});

test("as many records that came as went are noticed, though the new one is far from every question", async () => {
  const { collection, index, open } = await attached(many);
  expect((await (await open())("word7")).notices).toEqual([]);
  collection.remove("r50");
  collection.put([record(300)]);
  const { notices } = await (await open())("word7");
  expect(notices).toMatchObject([
    { code: "stale_index", message: expect.stringMatching(/holds records that .* lacks/) },
  ]);
  await index();
  expect((await (await open())("word7")).notices).toEqual([]);
});

test("a hit on a record that went is told, by whichever half it was found", async () => {
  const { collection, open } = await attached(many);
  const find = await open();
  expect((await find("word50")).notices).toEqual([]);
  // One goes, and one without a text comes: neither the number nor the last record shows it.
  collection.remove("r250");
  collection.put([record(300, null)]);
  expect((await find("word7", "dense")).notices).toEqual([]);
  const { ids, notices } = await find("word250");
  expect(ids).toContain("r250");
  expect(notices).toMatchObject([
    { code: "stale_index", message: expect.stringMatching(/no longer holds records that .* has/) },
  ]);
});

test("a look that fails, or takes too long, costs the answer nothing", async () => {
  const { collection, open } = await attached(many);
  const find = await open();
  collection.before = (method) => {
    if (method === "get") throw new Error("no");
  };
  const { ids, notices } = await find("word60");
  expect(ids).toContain("r60");
  expect(notices).toEqual([]);
});

test("a server that never ends its answer to a query leaves the words, with the reason", async () => {
  const told: Record<string, unknown> = {
    "/version": "1.0.0",
    "/pre-flight-checks": { max_batch_size: 100 },
    "/tenants/default_tenant/databases/default_database": { name: "default_database" },
  };
  let queries = 0;
  const answer = (path: string, response: ServerResponse): void => {
    const value = path.endsWith("/count")
      ? many.length
      : path.endsWith("/docs")
        ? { id: ID, name: "docs" }
        : told[path];
    response.writeHead(200);
    if (value !== undefined) return void response.end(JSON.stringify(value));
    queries++;
    const timer = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(timer));
  };
  const server = createServer((request, response) => answer((request.url ?? "").replace("/api/v2", ""), response));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const places = new ChromaPlaces({ open: (options) => openChromaPlace({ ...options, callTimeoutMs: 300 }) });
  const { open } = await attached(many, { address, places });
  const find = await open();
  const startMs = performance.now();
  for (let asked = 0; asked < 3; asked++) {
    const { ids, notices } = await find("word42");
    expect(ids).toEqual(["r42"]);
    expect(notices).toMatchObject([
      { code: "lexical_only", message: expect.stringMatching(/Only words were matched: .* in full within 300 ms/) },
    ]);
  }
  expect(performance.now() - startMs).toBeLessThan(5_000);
  expect(queries, "it is not asked again at once").toBeLessThanOrEqual(2);
});
