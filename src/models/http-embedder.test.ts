import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WinnowError } from "../core/errors.ts";
import { ATTEMPTS_MAX, RETRY_AFTER_MAX_MS, retryAfterMs } from "./attempts.ts";
import {
  BATCH_TEXTS_MAX,
  BATCH_UNITS_MAX,
  type HttpEmbedderOptions,
  REQUESTS_MAX,
  TEXT_UNITS_MAX,
} from "./http-embedder.ts";
import { openOllamaEmbedder } from "./ollama-embedder.ts";
import { openOpenAiEmbedder } from "./openai-embedder.ts";

const KEY = "sk-very-secret";
const DIMENSION = 3;

interface Request {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly model: string;
  readonly input: readonly string[];
}
type Answer = (response: ServerResponse, request: Request) => unknown;

let server: Server;
let base: string;
let requests: Request[];
/** What the next requests get, in order; afterwards every request is answered well. */
let script: Answer[];
let sleeps: number[];

/** Depends on the text alone, so that order can be checked. */
const vectorOf = (text: string): number[] => [text.length, text.charCodeAt(0), 1];
const unit = (vector: readonly number[]): number[] => vector.map((value) => value / Math.hypot(...vector));
const send = (response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
};
const well: Answer = (response, { url, input }) =>
  url.endsWith("/api/embed")
    ? send(response, 200, JSON.stringify({ embeddings: input.map(vectorOf) }))
    : // Out of order on purpose: each row says where it belongs.
      send(
        response,
        200,
        JSON.stringify({ data: input.map((text, index) => ({ index, embedding: vectorOf(text) })).reverse() }),
      );
const refuse =
  (status: number, body = "{}", headers: Record<string, string> = {}): Answer =>
  (response) =>
    send(response, status, body, headers);

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const { model, input } = JSON.parse(Buffer.concat(parts).toString());
  const seen = { url: request.url ?? "", authorization: request.headers.authorization, model, input };
  requests.push(seen);
  await (script.shift() ?? well)(response, seen);
}

beforeEach(async () => {
  requests = [];
  script = [];
  sleeps = [];
  server = createServer((request, response) => void handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/v1`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const options = (more: Partial<HttpEmbedderOptions> = {}): HttpEmbedderOptions => ({
  model: "test-model",
  baseUrl: base,
  dimension: DIMENSION,
  random: () => 0,
  sleep: async (ms) => void sleeps.push(ms),
  ...more,
});
const failure = async (work: Promise<unknown>): Promise<WinnowError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!WinnowError.isInstance(error)) throw new Error(`expected a WinnowError, got ${String(error)}`);
  return error;
};
const embedOne = async (more: Partial<HttpEmbedderOptions> = {}, signal?: AbortSignal): Promise<Float32Array[]> =>
  (await openOpenAiEmbedder(options(more))).embed(["a text"], signal === undefined ? {} : { signal });

describe("a service that answers well", () => {
  it.each([
    ["openai-compatible:test-model", "/v1/embeddings", openOpenAiEmbedder],
    ["ollama:test-model", "/v1/api/embed", openOllamaEmbedder],
  ] as const)("%s gives unit vectors in the order of the texts", async (name, url, open) => {
    const embedder = await open(options());
    expect(embedder).toMatchObject({ name, dimension: DIMENSION });
    const texts = ["beta", "alphabet", "", "  \n", "z"];
    const vectors = await embedder.embed(texts);
    for (const [index, text] of texts.entries()) {
      const expected = text.trim() === "" ? [0, 0, 0] : unit(vectorOf(text));
      expect([...(vectors[index] ?? [])]).toEqual(expected.map((value) => expect.closeTo(value, 6)));
    }
    expect(requests).toEqual([
      { url, authorization: undefined, model: "test-model", input: ["beta", "alphabet", "z"] },
    ]);
  });

  it("is asked once for a dimension that nobody named", async () => {
    const { dimension: _, ...unknown } = options();
    expect((await openOllamaEmbedder(unknown)).dimension).toBe(DIMENSION);
    expect(requests.length).toBe(1);
  });

  it("gets no request for nothing", async () => {
    const embedder = await openOpenAiEmbedder(options());
    expect(await embedder.embed([])).toEqual([]);
    expect(await embedder.embed(["", " "])).toEqual([new Float32Array(DIMENSION), new Float32Array(DIMENSION)]);
    expect(requests).toEqual([]);
  });

  it("gets prefixes, which are part of the name", async () => {
    const embedder = await openOpenAiEmbedder(options({ queryPrefix: "query: ", documentPrefix: "passage: " }));
    await embedder.embed(["x"], { kind: "query" });
    await embedder.embed(["x"]);
    expect(requests.map(({ input }) => input)).toEqual([["query: x"], ["passage: x"]]);
    expect(embedder.name).toMatch(/^openai-compatible:test-model#[0-9a-f]{8}$/);
  });

  it("gets batches under both limits, few at once, and cut texts", async () => {
    let now = 0;
    let most = 0;
    const counting: Answer = async (response, request) => {
      most = Math.max(most, ++now);
      await new Promise((done) => setTimeout(done, 5));
      now--;
      well(response, request);
    };
    script = Array.from({ length: 100 }, () => counting);
    const embedder = await openOpenAiEmbedder(options());
    const short = Array.from({ length: 6 * BATCH_TEXTS_MAX + 1 }, (_, index) => `text ${index}`);
    const long = Array.from({ length: 40 }, (_, index) => String.fromCharCode(0x61 + (index % 26)).repeat(50_000));
    const vectors = await embedder.embed([...short, ...long]);
    for (const [index, text] of short.entries()) {
      expect(vectors[index]?.[0]).toBeCloseTo(unit(vectorOf(text))[0] ?? Number.NaN, 5);
    }
    for (const { input } of requests) {
      expect(input.length).toBeLessThanOrEqual(BATCH_TEXTS_MAX);
      expect(input.join("").length).toBeLessThanOrEqual(BATCH_UNITS_MAX);
      for (const text of input) expect(text.length).toBeLessThanOrEqual(TEXT_UNITS_MAX);
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(REQUESTS_MAX);
  });
});

describe("the key", () => {
  const environment = { SOME_KEY: KEY };

  it("comes from the named variable and is sent as a bearer token", async () => {
    await embedOne({ apiKeyEnv: "SOME_KEY", environment });
    expect(requests[0]?.authorization).toBe(`Bearer ${KEY}`);
  });

  it("that is missing is told by the name of its variable, before any request", async () => {
    for (const absent of [{}, { SOME_KEY: " " }]) {
      const error = await failure(embedOne({ apiKeyEnv: "SOME_KEY", environment: absent }));
      expect(error).toMatchObject({ code: "invalid_argument", hint: expect.stringContaining("SOME_KEY") });
    }
    expect(requests).toEqual([]);
  });

  it("appears in no error, even when the service repeats it", async () => {
    script = [refuse(401, JSON.stringify({ error: { message: `Wrong key ${KEY}\u001b[31m, sorry` } }))];
    const error = await failure(embedOne({ apiKeyEnv: "SOME_KEY", environment }));
    expect(error).toMatchObject({
      code: "embedder_failed",
      retryable: false,
      hint: expect.stringContaining("SOME_KEY"),
    });
    expect(error.message).toBe("The embedding service refused the request with status 401: Wrong key … [31m, sorry");
    expect(requests.length).toBe(1);
  });

  it("does not follow a redirect", async () => {
    script = [refuse(307, "", { location: `${base}/elsewhere` })];
    const error = await failure(embedOne({ apiKeyEnv: "SOME_KEY", environment }));
    expect(error).toMatchObject({ code: "embedder_failed", message: expect.stringContaining("redirects") });
    expect(requests.length).toBe(1);
  });
});

describe("a service in trouble", () => {
  it("is asked again after the pause that it asks for", async () => {
    script = [refuse(429, "{}", { "retry-after": "7" }), refuse(503, "busy", { "retry-after": "2" })];
    expect(await embedOne()).toHaveLength(1);
    expect(sleeps).toEqual([7_000, 2_000]);
  });

  it("is given up when it asks for too long a pause", async () => {
    script = [refuse(429, "{}", { "retry-after": String(RETRY_AFTER_MAX_MS / 1_000 + 1) })];
    expect(await failure(embedOne())).toMatchObject({ code: "embedder_failed", retryable: true });
    expect(requests.length).toBe(1);
  });

  it("is asked a bounded number of times with growing pauses", async () => {
    script = Array.from({ length: 20 }, () => refuse(500, '{"error":"out of memory"}'));
    const error = await failure(embedOne());
    expect(error).toMatchObject({ code: "embedder_failed", retryable: true });
    expect(error.message).toContain("status 500: out of memory");
    expect(requests.length).toBe(ATTEMPTS_MAX);
    expect(sleeps).toEqual([250, 500, 1_000, 2_000]);
  });

  it("that cuts its answer off is asked again", async () => {
    script = [
      (response) => send(response, 200, '{"data":[{"index":0,"embed'),
      (response) => {
        response.writeHead(200, { "content-length": "500" }).write('{"data":');
        setTimeout(() => response.destroy(), 10);
      },
      (response) => response.destroy(),
    ];
    expect(await embedOne()).toHaveLength(1);
    expect(requests.length).toBe(4);
  });

  it("that is slow ends as a timeout", async () => {
    script = Array.from({ length: ATTEMPTS_MAX }, () => () => undefined);
    const error = await failure(embedOne({ attemptTimeoutMs: 30 }));
    expect(error).toMatchObject({ code: "timeout", message: expect.stringContaining("30 ms") });
    expect(requests.length).toBe(ATTEMPTS_MAX);
  });

  it("that stalls in the middle of its answer ends as a timeout", async () => {
    script = Array.from({ length: ATTEMPTS_MAX }, () => (response) => void response.writeHead(200).write('{"data":'));
    expect((await failure(embedOne({ attemptTimeoutMs: 30 }))).code).toBe("timeout");
  });

  it("that is not there is told with its address", async () => {
    const error = await failure(embedOne({ baseUrl: "http://127.0.0.1:9/v1" }));
    expect(error).toMatchObject({
      code: "embedder_failed",
      retryable: true,
      hint: expect.stringContaining("base URL"),
    });
    expect(error.message).toContain("http://127.0.0.1:9");
  });
});

describe("an answer that cannot be used", () => {
  const data = (rows: unknown): Answer => refuse(200, JSON.stringify({ data: rows }));
  it.each<[string, Answer]>([
    ["another dimension", data([{ index: 0, embedding: [1, 2] }])],
    ["too few vectors", data([])],
    ["a row for no text", data([{ index: 5, embedding: [1, 2, 3] }])],
    ["a row without a place", data([{ embedding: [1, 2, 3] }])],
    ["null for a number", data([{ index: 0, embedding: [1, null, 3] }])],
    ["a number beyond float", data([{ index: 0, embedding: [1, 1e300, 3] }])],
    ["text for a vector", data([{ index: 0, embedding: "AACAPwAA" }])],
    ["another shape", refuse(200, '{"ok":true}')],
    ["null", refuse(200, "null")],
  ])("%s is refused at once", async (_, answer) => {
    script = [answer];
    expect(await failure(embedOne())).toMatchObject({ code: "embedder_failed", retryable: false });
    expect(requests.length).toBe(1);
  });

  it("a page instead of JSON is named as such", async () => {
    script = Array.from({ length: ATTEMPTS_MAX }, () => refuse(200, "<html>Sign in</html>"));
    expect((await failure(embedOne())).message).toContain("a page instead of JSON");
  });

  it("two rows for one text are refused", async () => {
    script = [data([0, 0].map((index) => ({ index, embedding: [1, 2, 3] })))];
    const embedder = await openOpenAiEmbedder(options());
    expect((await failure(embedder.embed(["a", "b"]))).code).toBe("embedder_failed");
  });
});

describe("abort", () => {
  it("before the work sends nothing", async () => {
    expect((await failure(embedOne({}, AbortSignal.abort()))).code).toBe("cancelled");
    expect(requests).toEqual([]);
  });

  it("during a request ends it at once, without another attempt", async () => {
    const abort = new AbortController();
    script = [() => abort.abort()];
    expect((await failure(embedOne({}, abort.signal))).code).toBe("cancelled");
    expect(requests.length).toBe(1);
  });

  it("during a pause ends it at once", async () => {
    const abort = new AbortController();
    script = [
      (response) => {
        send(response, 503, "{}", { "retry-after": "30" });
        setTimeout(() => abort.abort(), 20);
      },
    ];
    const { sleep: _, ...real } = options();
    const started = performance.now();
    const embedder = await openOpenAiEmbedder(real);
    expect((await failure(embedder.embed(["a"], { signal: abort.signal }))).code).toBe("cancelled");
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("of one failed batch ends the others", async () => {
    let closed = 0;
    const hanging: Answer = (response) => void response.on("close", () => closed++);
    script = [hanging, refuse(400, "no"), hanging];
    const embedder = await openOpenAiEmbedder(options());
    const texts = Array.from({ length: 3 * BATCH_TEXTS_MAX }, () => "text");
    expect((await failure(embedder.embed(texts))).message).toContain("status 400");
    await expect.poll(() => closed).toBe(2);
  });
});

describe("arguments", () => {
  it.each([
    ["no address", { baseUrl: "localhost" }],
    ["a file", { baseUrl: "file:///tmp" }],
    ["a password in the address", { baseUrl: `http://user:${KEY}@127.0.0.1/v1` }],
    ["no model", { model: " " }],
  ])("%s is refused without a request", async (_, more) => {
    const error = await failure(embedOne(more));
    expect(error.code).toBe("invalid_argument");
    expect(error.message).not.toContain(KEY);
  });

  it("Retry-After is read as seconds or a date", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(retryAfterMs("5", now)).toBe(5_000);
    expect(retryAfterMs("Thu, 01 Jan 2026 00:00:09 GMT", now)).toBe(9_000);
    expect(retryAfterMs("Wed, 31 Dec 2025 00:00:00 GMT", now)).toBe(0);
    for (const value of [null, "", "soon"]) expect(retryAfterMs(value, now)).toBeUndefined();
  });
});
