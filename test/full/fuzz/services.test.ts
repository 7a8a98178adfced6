import { describe, expect } from "vitest";
import type { ServiceEffects } from "../../../src/core/attempts.ts";
import { recordDocument } from "../../../src/features/attaching/record-document.ts";
import { PromptTooLongError } from "../../../src/models/chat/chat-model.ts";
import { openChatModel } from "../../../src/models/chat/open-chat-model.ts";
import { openCompletionModel } from "../../../src/models/completions/open-completion-model.ts";
import { openOpenAiEmbedder } from "../../../src/models/openai-embedder.ts";
import { cohereReranker } from "../../../src/models/rerank-cohere.ts";
import { connectChroma } from "../../../src/retrieval/chroma/connection.ts";
import { detectShape } from "../../../src/retrieval/chroma/shape/detect-shape.ts";
import { testRequest } from "../../../src/testing/chat-fixture.ts";
import type { Chance } from "../../../src/testing/fuzz/chance.ts";
import { checkOutcome } from "../../../src/testing/fuzz/check-documents.ts";
import type { FuzzTarget } from "../../../src/testing/fuzz/fuzz.ts";
import { mutate } from "../../../src/testing/fuzz/mutate.ts";
import { anthropicEvents, openAiEvents } from "../../../src/testing/wire-events.ts";
import { wordCounter } from "../../../src/testing/word-counter.ts";
import { fuzzTests } from "../../support/fuzz-tests.ts";

/** A service that answers every request with these bytes. */
function answering(body: Buffer, chance: Chance, type = "application/json"): ServiceEffects {
  const status = chance.happens(0.9) ? 200 : chance.of([204, 301, 400, 401, 404, 413, 429, 500, 503]);
  const send: typeof fetch = async () =>
    new Response(status === 204 ? null : new Uint8Array(body), {
      status,
      headers: { "content-type": type, "retry-after": "0" },
    });
  return { fetch: send, sleep: async () => {}, random: () => 0 };
}

const COLLECTION = {
  id: "0f8fad5b-d9cb-469f-a165-70867728950e",
  name: "notes",
  dimension: 3,
  metadata: { "hnsw:space": "cosine" },
  configuration_json: { embedding_function: { type: "known", name: "default" }, hnsw: { space: "cosine" } },
};
const GET = {
  ids: ["a", "b"],
  documents: ["First", null],
  metadatas: [{ doc: "x", part: 1, date: "2026-05-14", tags: ["a"] }, null],
  embeddings: [
    [0, 1, 0],
    [1, 0, 0],
  ],
  include: ["documents"],
};
const QUERY = {
  ids: [["a", "b"]],
  distances: [[0.1, 0.2]],
  documents: [["First", null]],
  metadatas: [[{ doc: "x" }, null]],
};
/** What a server answers, by the end of the path; one of them is changed. */
const CHROMA: readonly (readonly [path: RegExp, answer: unknown])[] = [
  [/\/version$/, "1.0.0"],
  [/\/pre-flight-checks$/, { max_batch_size: 100 }],
  [/\/get$/, GET],
  [/\/query$/, QUERY],
  [/\/count$/, 2],
  [/\/collections\/[^/]+$/, COLLECTION],
  [/\/collections$/, [COLLECTION]],
  [/./, {}],
];

const SHAPE = { role: "documents", documentKey: "doc", orderKey: "part", titleKey: "title", uriKey: "uri" } as const;

async function askChroma(chance: Chance): Promise<void> {
  const changed = chance.below(CHROMA.length - 1);
  const send: typeof fetch = async (input) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const at = CHROMA.findIndex(([path]) => path.test(pathname));
    const text = Buffer.from(JSON.stringify(CHROMA[at]?.[1]));
    const body = at === changed ? mutate([text], ["json"], chance, 0.1) : text;
    return new Response(new Uint8Array(body), { headers: { "content-type": "application/json" } });
  };
  const effects = { fetch: send, sleep: async () => {}, random: () => 0 };
  const connection = await connectChroma({ address: "http://127.0.0.1:1", attemptsMax: 1, effects });
  await connection.collections();
  const collection = await connection.collection("notes");
  expect(await collection.count()).toBeGreaterThanOrEqual(0);
  const records = await collection.get({ limit: 2, include: ["documents", "metadatas", "embeddings"] });
  detectShape(records, { name: "notes", dimension: null, embeddingFunction: null });
  const made = recordDocument(records, SHAPE, "notes");
  if (made !== undefined) checkOutcome({ documents: [made.document], hash: "", notes: [] }, wordCounter());
  await collection.query({ vector: [0, 1, 0], limit: 2, include: ["documents", "metadatas"] });
}

const ANSWER = {
  reasoning: "I look.",
  text: "Both.",
  calls: [
    { tool: "search_corpus", arguments: { query: "a" } },
    { tool: "prune_chunks", arguments: { chunk_ids: ["d1.1"] } },
  ],
  usage: { prompt: 10, completion: 5, cached: 2 },
};
const OPENAI = [...openAiEvents(ANSWER, "m")].join("");
const ANTHROPIC = [...anthropicEvents({ ...ANSWER, signature: "c2ln" }, "m")].join("");
const COMPLETION = [
  {
    id: "c",
    choices: [
      { index: 0, text: "<|channel|>", token_ids: [200_005], logprobs: { token_logprobs: [-0.1], tokens: ["x"] } },
    ],
  },
  {
    id: "c",
    choices: [{ index: 0, text: "final", token_ids: [17_196], finish_reason: "stop", stop_reason: 200_002 }],
    usage: { prompt_tokens: 3, completion_tokens: 2 },
  },
]
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .join("");

/** Changes the JSON of one event of a stream, or the stream as bytes. */
function changedStream(stream: string, chance: Chance): Buffer {
  if (chance.happens(0.3)) return mutate([Buffer.from(stream)], ["text"], chance);
  const events = stream.split("\n");
  const places = events.flatMap((line, i) => (line.startsWith("data: {") ? [i] : []));
  const at = places[chance.below(places.length)] ?? 0;
  const json = Buffer.from((events[at] ?? "").slice("data: ".length));
  events[at] = `data: ${mutate([json], ["json"], chance, 0.1).toString("utf8")}`;
  return Buffer.from(events.join("\n"));
}

/** A refusal of the prompt as too long is what a status of 413 means, and no error of ours. */
async function unlessTooLong<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  return asked.catch((error: unknown) => {
    if (error instanceof PromptTooLongError) return undefined;
    throw error;
  });
}

const CHATS = [
  ["openai-compatible", OPENAI],
  ["ollama", OPENAI],
  ["anthropic", ANTHROPIC],
] as const;

const TARGETS: readonly FuzzTarget[] = [
  {
    name: "answers of a chroma server",
    fixtures: [""],
    structures: [],
    share: 0.3,
    run: (_input, chance) => askChroma(chance),
  },
  ...CHATS.map(
    ([kind, stream]): FuzzTarget => ({
      name: `streams of ${kind}`,
      fixtures: [""],
      structures: [],
      // The SDK behind it takes ten milliseconds for each.
      share: 0.1,
      async run(_input, chance) {
        const environment = { ANTHROPIC_API_KEY: "sk-secret-0123456789" };
        const effects = answering(changedStream(stream, chance), chance, "text/event-stream");
        const baseUrl = "http://127.0.0.1:1/v1";
        const model = openChatModel({ kind, model: "m", baseUrl, environment, ...effects });
        const answer = await unlessTooLong(model.complete(testRequest, { attemptsMax: 2 }));
        if (answer === undefined) return;
        for (const { tool, arguments: written } of answer.calls)
          expect([typeof tool, typeof written]).toEqual(["string", "string"]);
        JSON.stringify(answer);
      },
    }),
  ),
  {
    name: "streams of token ids",
    fixtures: [""],
    structures: [],
    async run(_input, chance) {
      const effects = answering(changedStream(COMPLETION, chance), chance, "text/event-stream");
      const model = openCompletionModel({ model: "m", baseUrl: "http://127.0.0.1:1/v1", environment: {}, ...effects });
      const request = { prompt: [1, 2, 3], maxTokens: 100, stopIds: [200_002], temperature: 1, topP: 1 };
      const answer = await unlessTooLong(model.complete(request, { attemptsMax: 2 }));
      const ids = answer?.ids ?? [];
      for (const id of ids) expect(Number.isInteger(id) && id >= 0).toBe(true);
    },
  },
  {
    name: "answers of an embedding service",
    fixtures: [
      '{"object":"list","data":[{"index":0,"embedding":[0.1,0.2,0.3]}],"model":"m","usage":{"prompt_tokens":1}}',
    ],
    structures: ["json"],
    blindShare: 0.1,
    share: 0.3,
    async run(input, chance) {
      const embedder = await openOpenAiEmbedder({
        model: "m",
        baseUrl: "http://127.0.0.1:1/v1",
        environment: {},
        ...answering(input, chance),
      });
      const [vector] = await embedder.embed(["text"], { kind: "query" });
      expect(vector?.every((value) => Number.isFinite(value))).toBe(true);
    },
  },
  {
    name: "answers of a reranker",
    fixtures: ['{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}]}'],
    structures: ["json"],
    blindShare: 0.1,
    share: 0.3,
    async run(input, chance) {
      const reranker = cohereReranker({
        model: "m",
        baseUrl: "http://127.0.0.1:1/v2",
        environment: {},
        ...answering(input, chance),
      });
      JSON.stringify(await reranker.score("question", ["a", "b"]));
    },
  },
];

describe("answers of services", () => {
  fuzzTests(TARGETS);
});
