import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cohereReranker } from "../models/rerank-cohere.ts";
import { yesNoReranker } from "../models/rerank-yes-no.ts";
import { type Reranker, rerankHits } from "../retrieval/rerank/reranker.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { storeRow } from "../testing/store-row.ts";
import { chooseReranker } from "./choose-reranker.ts";
import { findDocuments } from "./find-documents.ts";

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

let server: Server;
let baseUrl: string;
let asked: { readonly path: string; readonly key: string | undefined; readonly body: Record<string, unknown> }[];
/** Replies in turn; the last one stays. */
let replies: ((body: Record<string, unknown>) => Reply)[];

beforeEach(async () => {
  [asked, replies] = [[], []];
  server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const body = JSON.parse(text);
    asked.push({ path: request.url ?? "", key: request.headers.authorization, body });
    const next = replies.length > 1 ? replies.shift() : replies[0];
    const { status = 200, headers = {}, body: answer } = next?.(body) ?? { status: 500, body: {} };
    response.writeHead(status, headers).end(JSON.stringify(answer));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`;
});
afterEach(() => new Promise((done) => server.close(done)));

const hits = ["a", "b", "c"].map((id, i) => ({
  corpus: "c",
  chunk: storeRow(id, id).chunk,
  score: 3 - i,
  lexicalRank: i + 1,
}));
const pauses: number[] = [];
const sleep = async (ms: number) => void pauses.push(ms);
const ids = (found: { readonly hits: readonly { readonly chunk: { readonly id: string } }[] }) =>
  found.hits.map(({ chunk }) => chunk.id);
const results = (scores: readonly number[]): Reply => ({
  body: { results: scores.map((relevance_score, index) => ({ index, relevance_score })).reverse() },
});
const cohere = (more = {}): Reranker => cohereReranker({ model: "m", baseUrl, sleep, random: () => 0, ...more });

describe("cohere", () => {
  test("orders by the scores, keeps the other ranks, and sends the key of the named variable", async () => {
    replies = [() => results([0.1, 0.9, 0.5])];
    const reranker = cohere({ apiKeyEnv: "KEY", environment: { KEY: "secret-1" } });
    const answer = await rerankHits(reranker, "q", hits);
    expect(ids(answer)).toEqual(["b", "c", "a"]);
    expect(answer.hits[0]).toMatchObject({ lexicalRank: 2, rerankRank: 1, score: 1 });
    expect(answer.notices).toEqual([]);
    expect(asked).toMatchObject([
      {
        path: "/v2/rerank",
        key: "Bearer secret-1",
        body: { model: "m", query: "q", top_n: 3, documents: { length: 3 } },
      },
    ]);
    expect(() => cohere({ apiKeyEnv: "KEY", environment: {} })).toThrow(/KEY holds no key/);
  });

  test("waits as long as it is told, and tries again", async () => {
    pauses.length = 0;
    replies = [() => ({ status: 429, headers: { "retry-after": "7" }, body: {} }), () => results([1, 2, 3])];
    expect(ids(await rerankHits(cohere(), "q", hits))).toEqual(["c", "b", "a"]);
    expect(pauses).toEqual([7_000]);
  });

  test.each([
    ["a server that fails", (): Reply => ({ status: 503, body: {} })],
    ["a refusal that repeats the key", (): Reply => ({ status: 401, body: { message: "bad key secret-1" } })],
    ["a list that is cut", () => results([0.5])],
    [
      "a repeated index",
      (): Reply => ({ body: { results: [0, 0, 1].map((index) => ({ index, relevance_score: 1 })) } }),
    ],
    ["something else", (): Reply => ({ body: { results: "no" } })],
  ])("%s leaves the hits as they were, with a notice", async (_name, reply) => {
    replies = [reply];
    const answer = await rerankHits(cohere({ apiKeyEnv: "K", environment: { K: "secret-1" } }), "q", hits);
    expect(answer.hits).toEqual(hits);
    expect(answer.notices).toMatchObject([{ code: "rerank_failed" }]);
    expect(answer.notices[0]?.message).not.toContain("secret-1");
    expect(asked.length).toBeLessThanOrEqual(5);
  });

  test.each([
    ["a refusal", { status: 401, body: {} }],
    ["something else", { body: "no" }],
    ["a list that is cut", results([1])],
  ])("%s has a code of its own, not the embedder's", async (_name, reply) => {
    replies = [() => reply];
    await expect(cohere().score("q", ["a", "b"])).rejects.toMatchObject({ code: "rerank_failed" });
  });

  test("nobody at the address is a failure, silence a timeout", async () => {
    const nobody = cohere({ fetch: () => Promise.reject(new TypeError("fetch failed")) });
    await expect(nobody.score("q", ["a"])).rejects.toMatchObject({ code: "rerank_failed" });
    const silent = (_url: unknown, { signal }: RequestInit) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    const waiting = cohere({ fetch: silent, attemptTimeoutMs: 5 });
    await expect(waiting.score("q", ["a"])).rejects.toMatchObject({ code: "timeout" });
  });

  test.each([
    ["too few", [1, 2]],
    ["too many", [1, 2, 3, 4]],
    ["no number", [1, Number.NaN, 3]],
  ])("scores of another reranker are not believed: %s", async (_name, scores) => {
    const answer = await rerankHits({ name: "mine:x", score: async () => scores }, "q", hits);
    expect(answer.hits).toEqual(hits);
    expect(answer.notices).toMatchObject([{ code: "rerank_failed", message: expect.stringContaining("mine:x") }]);
  });

  test("find answers without it and says so", async () => {
    replies = [() => ({ status: 503, body: {} })];
    const chunks = ["ship", "ship sails", "no match"].map((text, i) => storeRow(`d${i}`, text).chunk);
    const corpora = [memoryCorpus("c", chunks)];
    const options = { text: "ship", mode: "lexical", documentsMax: 5 } as const;
    const plain = await findDocuments(corpora, options);
    expect(plain.documents).toHaveLength(2);
    const degraded = await findDocuments(corpora, { ...options, reranker: cohere() });
    expect(degraded.documents).toEqual(plain.documents);
    expect(degraded.notices).toMatchObject([
      { code: "rerank_failed", message: expect.stringMatching(/not reranked: .*status 503/) },
    ]);
    replies = [() => results([0, 1])];
    const reranked = await findDocuments(corpora, { ...options, reranker: cohere() });
    expect(reranked.documents.map(({ id }) => id)).toEqual(plain.documents.map(({ id }) => id).reverse());
    expect(reranked.notices).toEqual([]);
  });

  test("a cancelled query rejects instead", async () => {
    replies = [() => results([1, 1, 1])];
    await expect(rerankHits(cohere(), "q", hits, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("yes-no", () => {
  const top = (tokens: Record<string, number>) => ({
    logprobs: {
      content: [{ top_logprobs: Object.entries(tokens).map(([token, p]) => ({ token, logprob: Math.log(p) })) }],
    },
  });
  const passageOf = (body: Record<string, unknown>): string => JSON.stringify(body["messages"]);
  const yesNo = () => yesNoReranker({ model: "m", baseUrl, sleep });

  test("scores by the probability of yes, or by the reply where there are no probabilities", async () => {
    replies = [
      (body) => {
        const text = passageOf(body);
        if (text.includes("Title a")) return { body: { choices: [top({ Yes: 0.2, " yes": 0.1, no: 0.6 })] } };
        if (text.includes("Title b")) return { body: { choices: [{ message: { content: "Yes." } }] } };
        return { body: { choices: [{ message: { content: " no" } }] } };
      },
    ];
    const texts = ["Title a", "Title b", "Title c"];
    const [a, b, c] = await yesNo().score("q", texts);
    expect(a).toBeCloseTo(1 / 3, 9);
    expect([b, c]).toEqual([1, 0]);
    expect(asked[0]).toMatchObject({ path: "/v2/chat/completions", body: { max_tokens: 1, logprobs: true } });
    expect(ids(await rerankHits(yesNo(), "q", hits))).toEqual(["b", "a", "c"]);
  });

  test("a reply that is neither leaves the hits as they were", async () => {
    replies = [() => ({ body: { choices: [{ message: { content: "Perhaps" } }] } })];
    const answer = await rerankHits(yesNo(), "q", hits);
    expect(answer).toMatchObject({ hits, notices: [{ code: "rerank_failed" }] });
  });
});

test("a reranker is chosen by kind, model and address", async () => {
  expect((await chooseReranker({ spec: "cohere:a:b", baseUrl })).name).toBe("cohere:a:b");
  expect((await chooseReranker({ spec: "yes-no:x", baseUrl })).name).toBe("yes-no:x");
  for (const choice of [{ spec: "coher:x", baseUrl }, { spec: "cohere:", baseUrl }, { spec: "cohere:x" }]) {
    await expect(chooseReranker(choice)).rejects.toMatchObject({ code: "invalid_argument" });
  }
  await expect(chooseReranker({ spec: "cohere:x", baseUrl: "http://user:pass@host" })).rejects.toMatchObject({
    code: "invalid_argument",
  });
});
