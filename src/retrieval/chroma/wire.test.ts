import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { ServerCollection } from "./collection.ts";
import { connectChroma } from "./connection.ts";
import { ChromaWire, type WireOptions } from "./wire.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(handler: Handler): Promise<URL> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const answer = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
};

/** Signals that nothing holds but a request are collected with it, and then never fire. */
function collecting(): { stop(): void } {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("gc is there");
  const timer = setInterval(() => collect(), 25);
  return { stop: () => clearInterval(timer) };
}

/** A wire whose pauses are counted instead of waited for. */
function wireTo(url: URL, options: Partial<WireOptions> = {}) {
  const pauses: number[] = [];
  const effects = { sleep: async (ms: number) => void pauses.push(ms), random: () => 0 };
  return { wire: new ChromaWire({ url, effects, ...options }), pauses };
}

const count = { method: "GET", path: "/count" } as const;

describe("ChromaWire", () => {
  test("comes back after the pause that the server asks for", async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      if (calls === 1) answer(response, 429, { message: "Rate limit exceeded" }, { "retry-after": "7" });
      else answer(response, 200, 3);
    });
    const { wire, pauses } = wireTo(url);
    expect(await wire.call(count)).toBe(3);
    expect(pauses).toEqual([7_000]);
  });

  test("gives up after a bounded number of attempts, with growing pauses", async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      answer(response, 503, "<html>");
    });
    const { wire, pauses } = wireTo(url, { attemptsMax: 4 });
    await expect(wire.call(count)).rejects.toMatchObject({ code: "store_failed", retryable: true });
    expect(calls).toBe(4);
    expect(pauses).toEqual([250, 500, 1_000]);
  });

  test.each([
    [422, { error: "QuotaError", message: "Quota exceeded: 300 results per query" }, "limit_exceeded", /300 results/],
    [429, { message: "Billing limit exceeded" }, "limit_exceeded", /Billing/],
    [413, "", "limit_exceeded", /413/],
    [404, { error: "NotFoundError", message: "Collection [x] does not exist" }, "corpus_not_found", /\[x\] does not/],
    [400, { message: "Invalid where clause" }, "store_failed", /Invalid where/],
    [401, { message: "no\u001b[2Jentry" }, "store_failed", /no \[2Jentry/],
  ])("status %i with %j is %s, at once", async (status, body, code, message) => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      answer(response, status, body);
    });
    const error = expect.objectContaining({ code, message: expect.stringMatching(message), retryable: false });
    await expect(wireTo(url).wire.call(count)).rejects.toEqual(error);
    expect(calls).toBe(1);
  });

  test("the key is sent, follows no redirect, and is in no message", async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await serve((request, response) => {
      seen.push(`elsewhere ${String(request.headers["x-chroma-token"])}`);
      answer(response, 200, 1);
    });
    const url = await serve((request, response) => {
      seen.push(String(request.headers["x-chroma-token"]));
      if (request.url?.endsWith("/moved") === true) answer(response, 302, "", { location: elsewhere.href });
      else answer(response, 403, { message: "token s3cr3t-key is not valid" });
    });
    const { wire } = wireTo(url, { apiKey: "s3cr3t-key" });
    await expect(wire.call({ ...count, path: "/moved" })).rejects.toMatchObject({
      message: expect.stringMatching(/redirects elsewhere/),
    });
    const refused = await wire.call(count).catch((error: unknown) => error);
    expect(String(refused)).not.toContain("s3cr3t");
    expect(seen).toEqual(["s3cr3t-key", "s3cr3t-key"]);
  });

  test("a server that does not answer is a timeout, one that is not there is named", async () => {
    const url = await serve(() => undefined);
    const { wire } = wireTo(url, { callTimeoutMs: 30, attemptsMax: 2 });
    await expect(wire.call(count)).rejects.toMatchObject({ code: "timeout" });
    const closed = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const gone = wireTo(closed, { attemptsMax: 1 }).wire;
    await expect(gone.call(count)).rejects.toMatchObject({
      code: "store_failed",
      message: expect.stringMatching(`${closed.host} cannot be reached: ECONNREFUSED`),
    });
  });

  test("a server that never ends its answer is a timeout: one byte after the other wins it nothing", async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      response.writeHead(200);
      const timer = setInterval(() => response.write("1"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const { wire } = wireTo(url, { callTimeoutMs: 150 });
    const { signal } = new AbortController();
    const collector = collecting();
    onTestFinished(collector.stop);
    for (const [kind, attempts] of [
      ["small", 1],
      ["query", 1],
      ["page", 2],
    ] as const) {
      calls = 0;
      const startMs = performance.now();
      const tried = attempts === 1 ? "" : ", tried 2 times";
      await expect(wire.call({ ...count, kind, signal })).rejects.toMatchObject({
        code: "timeout",
        retryable: true,
        message: expect.stringMatching(`did not answer in full within 150 ms${tried}\\.`),
      });
      expect(calls, kind).toBe(attempts);
      expect(performance.now() - startMs, kind).toBeLessThan(3_000);
    }
  });

  test("the limit holds over all attempts: a server that fails slowly is given up, a long pause not begun", async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      setTimeout(() => answer(response, 503, "busy"), 120);
    });
    const slow = new ChromaWire({
      url,
      callTimeoutMs: 300,
      effects: { sleep: async () => undefined, random: () => 0 },
    });
    await expect(slow.call({ ...count, kind: "query" })).rejects.toMatchObject({ retryable: true });
    expect(calls).toBeLessThanOrEqual(3);
    const waiting = await serve((_request, response) => answer(response, 429, "later", { "retry-after": "40" }));
    const { wire, pauses } = wireTo(waiting);
    await expect(wire.call({ ...count, kind: "query" })).rejects.toMatchObject({
      message: expect.stringMatching(/429/),
    });
    expect(pauses).toEqual([]);
    await expect(wire.call({ ...count, kind: "page" })).rejects.toMatchObject({
      message: expect.stringMatching(/429/),
    });
    expect(pauses.length).toBeGreaterThan(0);
  });

  test("waiting for its turn counts, and whoever gives up leaves the turn to the next", async () => {
    const held: ServerResponse[] = [];
    const url = await serve((_request, response) => void held.push(response));
    const { wire } = wireTo(url);
    const first = Array.from({ length: 8 }, () => wire.call(count));
    const abort = new AbortController();
    const ninth = wire.call({ ...count, signal: abort.signal });
    const tenth = wire.call(count);
    abort.abort();
    await expect(ninth).rejects.toMatchObject({ code: "cancelled" });
    await expect.poll(() => held.length).toBe(8);
    for (const response of held.splice(0)) answer(response, 200, 1);
    await Promise.all(first);
    await expect.poll(() => held.length).toBe(1);
    for (const response of held) answer(response, 200, 2);
    expect(await tenth).toBe(2);
  });

  test("a call that is cancelled ends, also in the middle of an answer", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200);
      response.write("[1,");
    });
    const abort = new AbortController();
    const call = wireTo(url).wire.call({ ...count, signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
  });

  test("an answer that breaks off is tried again; what is no JSON is not a Chroma server", async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      if (calls > 1) return answer(response, 200, "<html>hello");
      response.writeHead(200, { "content-length": "100" });
      response.write("[1,");
      response.destroy();
    });
    await expect(wireTo(url).wire.call(count)).rejects.toMatchObject({
      message: expect.stringMatching(/not a Chroma server/),
    });
    expect(calls).toBe(2);
  });

  test("few calls are under way at once, and all are answered", async () => {
    let [now, most] = [0, 0];
    const url = await serve((_request, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        answer(response, 200, 1);
      }, 5);
    });
    const { wire } = wireTo(url);
    const answers = await Promise.all(Array.from({ length: 40 }, () => wire.call(count)));
    expect(answers).toHaveLength(40);
    expect(most).toBeLessThanOrEqual(8);
  });
});

describe("an inconsistent answer", () => {
  const info = {
    id: "771616d6-a4d3-41af-b840-a33a97c0b5c6",
    name: "docs",
    dimension: 2,
    metadata: {},
    embeddingFunction: null,
    space: "l2",
    wordIndex: null,
  };
  const collectionOf = async (body: unknown, searches = false) => {
    const url = await serve((_request, response) => answer(response, 200, body));
    return new ServerCollection({ wire: wireTo(url).wire, path: "/x", info, recordsPerWriteMax: 10, searches });
  };
  const refused = { code: "store_failed", message: expect.stringMatching(/answer is inconsistent/), retryable: false };
  const three = ["a", "b", "c"];

  test.each<[string, object]>([
    ["fewer metadatas", { ids: three, metadatas: [{}, {}], documents: ["x", "y", "z"] }],
    ["fewer documents", { ids: three, metadatas: [{}, {}, {}], documents: ["x"] }],
    ["more documents", { ids: three, metadatas: [{}, {}, {}], documents: ["x", "y", "z", "w"] }],
    ["no metadatas", { ids: three, documents: ["x", "y", "z"] }],
    ["one id for all", { ids: ["a", "a", "a"], metadatas: [{}, {}, {}], documents: ["x", "y", "z"] }],
    ["more than asked for", { ids: [...three, "d"], metadatas: [{}, {}, {}, {}], documents: ["x", "y", "z", "w"] }],
  ])("with %s is no page of records", async (_, body) => {
    const collection = await collectionOf(body);
    await expect(collection.get({ limit: 3, include: ["documents", "metadatas"] })).rejects.toMatchObject(refused);
  });

  test("whole pages are read, also those without what was not asked for", async () => {
    const whole = { ids: three, metadatas: [{ n: 1 }, null, {}], documents: null, embeddings: null };
    const page = await (await collectionOf(whole)).get({ limit: 3, include: ["metadatas"] });
    expect(page.map(({ id, metadata, document }) => [id, metadata, document])).toEqual([
      ["a", { n: 1 }, null],
      ["b", null, null],
      ["c", {}, null],
    ]);
  });

  test.each<[string, object]>([
    ["fewer distances", { ids: [three], distances: [[0, 1]] }],
    ["no distances", { ids: [three] }],
    ["one id for all", { ids: [["a", "a", "a"]], distances: [[0, 1, 2]] }],
    ["more than asked for", { ids: [[...three, "d"]], distances: [[0, 1, 2, 3]] }],
    [
      "two answers to one question",
      {
        ids: [three, three],
        distances: [
          [0, 1, 2],
          [0, 1, 2],
        ],
      },
    ],
  ])("with %s says nothing of nearness", async (_, body) => {
    const vector = [1, 0];
    await expect((await collectionOf(body)).query({ vector, limit: 3 })).rejects.toMatchObject(refused);
    const scored = { ...body, scores: "distances" in body ? body.distances : undefined };
    await expect((await collectionOf(scored, true)).search({ vector, limit: 3 })).rejects.toMatchObject(refused);
  });
});

describe("connectChroma", () => {
  const chroma =
    (overrides: Readonly<Record<string, readonly [number, unknown]>> = {}): Handler =>
    (request, response) => {
      const path = (request.url ?? "").replace("/api/v2", "");
      const plain: Record<string, readonly [number, unknown]> = {
        "/version": [200, "1.0.0"],
        "/pre-flight-checks": [200, { max_batch_size: 100 }],
        "/tenants/default_tenant/databases/default_database": [200, { id: "x", name: "default_database" }],
        ...overrides,
      };
      const [status, body] = plain[path] ?? [404, { message: `no ${path}` }];
      answer(response, status, JSON.stringify(body));
    };
  const effects = { sleep: async () => undefined };

  test("says what it does not know about a version, and knows the one it was written for", async () => {
    const known = await connectChroma({ address: (await serve(chroma())).href, effects });
    expect(known).toMatchObject({ version: "1.0.0", tenant: "default_tenant", cloud: false, notices: [] });
    const newer = await connectChroma({ address: (await serve(chroma({ "/version": [200, "3.1.4"] }))).href, effects });
    expect(newer.notices).toMatchObject([
      { code: "unknown_chroma_version", message: expect.stringMatching(/3\.1\.4/) },
    ]);
  });

  test("another tenant, an old server, something else: each is told apart", async () => {
    const address = (await serve(chroma())).href;
    await expect(connectChroma({ address, tenant: "a b", effects })).rejects.toMatchObject({
      code: "corpus_not_found",
      message: expect.stringMatching(/default_database of tenant a b/),
    });
    const old = (await serve(chroma({ "/version": [404, {}] }))).href;
    await expect(connectChroma({ address: old, effects })).rejects.toMatchObject({
      hint: expect.stringMatching(/up to date/),
    });
    const odd = (await serve(chroma({ "/version": [200, { hello: 1 }] }))).href;
    await expect(connectChroma({ address: odd, effects })).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be read/),
    });
  });

  test.each(["ftp://x", "http://user:pw@x", "http://x?key=1", "x"])("%s is no address", async (address) => {
    await expect(connectChroma({ address })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("a collection that is missing names those that are there", async () => {
    const path = "/tenants/default_tenant/databases/default_database/collections?limit=100&offset=0";
    const one = { id: "771616d6-a4d3-41af-b840-a33a97c0b5c6", name: "docs", configuration_json: {} };
    const connection = await connectChroma({ address: (await serve(chroma({ [path]: [200, [one]] }))).href, effects });
    await expect(connection.collection("dosc")).rejects.toMatchObject({
      code: "corpus_not_found",
      hint: expect.stringMatching(/docs/),
    });
    expect(await connection.collections()).toMatchObject([{ name: "docs", space: "l2", embeddingFunction: null }]);
  });
});
