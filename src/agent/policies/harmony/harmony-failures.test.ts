import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CompletionModelOptions } from "../../../models/completions/open-completion-model.ts";
import { type HarmonyCodec, loadHarmonyCodec } from "../../../models/harmony/codec.ts";
import { CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START } from "../../../models/harmony/special-tokens.ts";
import type { RecordEvent } from "../../../record/events.ts";
import { parseRecord } from "../../../record/reader.ts";
import { TokenChain } from "../../../record/token-chain.ts";
import { startTestRun, type TestRunOptions } from "../../../testing/agent-fixture.ts";
import { KEY, lines, refusal } from "../../../testing/chat-fixture.ts";
import {
  answerOf,
  callOf,
  listOf,
  openTestCompletions,
  promptOf,
  searchFor,
  searchForAll,
} from "../../../testing/harmony-fixture.ts";
import { memoryCorpus } from "../../../testing/memory-corpus.ts";
import {
  startWireServer,
  type WireAnswer,
  type WireReply,
  type WireServer,
  type WireServerOptions,
} from "../../../testing/wire-server.ts";
import { wordCounter } from "../../../testing/word-counter.ts";
import { randomChunks } from "../../../testing/world.ts";
import { context1 } from "../../profiles/context-1.ts";
import { offeredTools, type Profile } from "../../profiles/profile.ts";
import { replayRecord } from "../../replay-record.ts";
import { encodeOutput } from "./encode-output.ts";
import { harmonyPolicy } from "./harmony-policy.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const profile: Profile = { ...context1, idStyle: "short" };
let codec: HarmonyCodec;
let search: WireAnswer;
let finish: WireAnswer;
beforeAll(async () => {
  codec = await loadHarmonyCodec();
  search = await answerOf(searchFor("amber basin"));
  finish = await answerOf(listOf("d1"));
});

const servers: WireServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function runWith(
  replies: WireServerOptions["replies"],
  more: Partial<CompletionModelOptions> = {},
  options: TestRunOptions = {},
  models?: readonly string[],
) {
  const server = await startWireServer({ replies, ...(models === undefined ? {} : { models }) });
  servers.push(server);
  const { run, record } = startTestRun(harmonyPolicy(openTestCompletions(server.baseUrl, more)), {
    profile,
    ...options,
  });
  const result = await run.result;
  expect(JSON.stringify([result, record()])).not.toContain(KEY);
  return { result, record: record(), events: record().events, requests: server.requests };
}

const failures = (events: readonly RecordEvent[]): string[] =>
  events.flatMap((event) => (event.type === "decision" && event.error !== undefined ? [event.error.message] : []));

const piece = (value: object, finishReason: string | null = null) => ({
  choices: [{ index: 0, finish_reason: finishReason, ...value }],
});
const half = lines(piece({ text: "half", token_ids: [72, 73] }));
/** A body that ends before the length that its header promised. */
const torn: WireReply = (response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "4000" });
  response.write('{"choices":[{"te');
  setTimeout(() => response.destroy(), 5);
};
const tornStream: WireReply = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(`data: ${JSON.stringify(piece({ text: "a", token_ids: [64] }))}\n\ndata: {"choi`);
  setTimeout(() => response.destroy(), 5);
};

describe("bad input ends in a result with a stop reason, and the record says what happened", () => {
  const passing: [string, WireReply][] = [
    ["429 with Retry-After", refusal(429, "slow down", { "retry-after": "1" })],
    ["429 without Retry-After", refusal(429, "slow down")],
    ["500", refusal(500, "boom")],
    ["a truncated stream", half],
    ["a stream torn within an event", tornStream],
    ["a truncated body", torn],
    ["empty choices", lines({ choices: [] }, "[DONE]")],
    ["empty choices, whole", { status: 200, body: { choices: [] } }],
    ["an error within the stream", lines(piece({ text: "a" }), { error: { message: "worker died", code: 500 } })],
    ["something that is no JSON", lines("{nonsense")],
  ];
  test.each(passing)("%s, once: the run finishes with a notice", async (_name, reply) => {
    const { result } = await runWith([search, reply, finish]);
    expect(result).toMatchObject({ stopReason: "finished", outcome: "found" });
    expect(result.notices.map(({ code }) => code)).toContain("retry");
  });

  const failing: [string, WireReply, string, RegExp][] = [
    ["429 for ever", refusal(429, "slow down"), "policy_unavailable", /429: slow down/],
    ["500 for ever", refusal(500, "boom"), "policy_unavailable", /500: boom/],
    ["truncated streams", half, "policy_failed", /broke off/],
    ["torn streams", tornStream, "policy_failed", /broke off/],
    ["truncated bodies", torn, "policy_failed", /broke off/],
    ["empty choices", lines({ choices: [] }, "[DONE]"), "policy_failed", /broke off/],
    [
      "a page",
      (response) => void response.writeHead(200, { "content-type": "text/html" }).end("<p>Hi"),
      "policy_unavailable",
      /a page/,
    ],
    ["another path", refusal(404, "Not Found"), "policy_unavailable", /404/],
    ["a wrong key", refusal(401, `Incorrect API key: ${KEY}`), "policy_unavailable", /401/],
    ["a refused request", refusal(400, "prompt must be text"), "policy_failed", /400: prompt must be text/],
  ];
  test.each(failing)("%s: what was found before is returned", async (_name, reply, code, message) => {
    const { result, events, requests } = await runWith([search, reply]);
    expect(result).toMatchObject({ stopReason: "policy_error", concluded: "from_record", outcome: "partial" });
    expect(result.documents.length).toBeGreaterThan(0);
    expect(result.error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(failures(events)).toEqual([expect.stringMatching(message)]);
    // The driver has tried again; the run does not do so a second time.
    expect(requests.length).toBeLessThanOrEqual(6);
  });

  test("a wrong model name is answered with the names that there are", async () => {
    const { result } = await runWith([refusal(404, "The model `m` does not exist.")], {}, {}, [
      "chromadb/context-1",
      "mm",
    ]);
    expect(result.error?.message).toMatch(/has no model "m"\. Did you mean "mm"\? It has: chromadb\/context-1, mm\./);
    expect(result.stopReason).toBe("policy_error");
  });

  test("null token ids with null text: asked three times, then an error", async () => {
    const empty = lines(piece({ text: null, token_ids: null, logprobs: null }, "stop"), "[DONE]");
    const { result, requests, events } = await runWith([empty]);
    expect(result).toMatchObject({
      stopReason: "policy_error",
      error: { message: "The policy's answer was empty: no text, no reasoning and no call." },
    });
    // The policy itself is told in other words.
    expect(events.find((event) => event.type === "notice" && event.code === "malformed")).toMatchObject({
      message: "Your last message was empty.",
    });
    expect(requests).toHaveLength(3);
    const reasons = events.flatMap((event) => (event.type === "decision" ? [event.finishReason] : []));
    expect(reasons).toEqual(["rejected", "rejected", "rejected"]);
  });

  test("token ids of some pieces only count as none", async () => {
    const output = callOf("search_corpus", { query: "amber" });
    const mixed = lines(
      piece({ text: output.slice(0, 20), token_ids: [200_005] }),
      piece({ text: output.slice(20), token_ids: null }, "stop"),
    );
    const { result, events } = await runWith([mixed, finish]);
    expect(result.notices.map(({ code }) => code)).toContain("no_token_ids");
    expect(events.find((event) => event.type === "decision")?.tokens).toMatchObject({
      sampled: false,
      completion: encodeOutput(output, codec),
    });
  });

  test("server down", async () => {
    const { run } = startTestRun(harmonyPolicy(openTestCompletions("http://127.0.0.1:9/v1")), { profile });
    expect(await run.result).toMatchObject({
      stopReason: "policy_error",
      error: { code: "policy_unavailable", message: expect.stringMatching(/cannot be reached/) },
    });
  });

  test("a server that is too slow for one answer, or for its rest", async () => {
    const silent = await runWith([() => {}], { answerTimeoutMs: 40 });
    expect(silent.result).toMatchObject({ stopReason: "policy_error", error: { code: "timeout" } });
    const stuck: WireReply = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(piece({ text: "a", token_ids: [64] }))}\n\n`);
    };
    const late = await runWith([stuck], { answerTimeoutMs: 60 });
    expect(late.result).toMatchObject({ stopReason: "policy_error", error: { code: "timeout" } });
  });

  test("a server that is too slow for the run, and a caller who cancels, whose connection is closed", async () => {
    const late = await runWith([() => {}], {}, { limits: { timeoutMs: 60 } });
    expect(late.result.stopReason).toBe("timeout");
    const controller = new AbortController();
    let close = (): void => {};
    const closed = new Promise<void>((done) => {
      close = done;
    });
    const waiting: WireReply = (response) => {
      response.on("close", close);
      controller.abort();
    };
    const cancelled = await runWith([waiting], {}, { signal: controller.signal });
    expect(cancelled.result.stopReason).toBe("cancelled");
    await closed;
  });

  test("a context-length error: one emergency edit, then it goes on", async () => {
    const long = "This model's maximum context length is 2048 tokens. Please reduce the length of the prompt.";
    const both = await answerOf(searchForAll("amber basin", "cedar delta"));
    const { result, events, requests } = await runWith((_request, index) => {
      if (index === 0) return both;
      return index <= 2 ? refusal(400, long) : finish;
    });
    expect(result.stopReason).toBe("finished");
    expect(events.find((event) => event.type === "edit")).toMatchObject({ by: "emergency" });
    expect(failures(events)).toEqual([expect.stringMatching(/too long/)]);
    expect(promptOf(requests[3]).length).toBeLessThan(promptOf(requests[2]).length);
  });

  test("a context-length error for ever ends the run", async () => {
    const { result } = await runWith([refusal(400, "prompt is too long: 9 tokens > 8 maximum")]);
    const hint = expect.stringMatching(/--context/);
    expect(result).toMatchObject({
      stopReason: "policy_error",
      error: { message: expect.stringMatching(/too long/), hint },
    });
  });

  test("an answer that is cut at its limit is not believed", async () => {
    const { result, events } = await runWith([search, { ...finish, finish: "length" }, finish]);
    expect(result.stopReason).toBe("finished");
    expect(events.map((event) => (event.type === "decision" ? event.finishReason : ""))).toContain("length");
  });

  test("calls that are no JSON and tools that do not exist are answered, and the model can go on", async () => {
    const broken = await answerOf(callOf("search_corpus", "amber basin, please"));
    const unknown = await answerOf(callOf("serch_corpus", { query: "amber" }));
    const { result, events } = await runWith([broken, unknown, search, finish]);
    expect(result.stopReason).toBe("finished");
    const errors = events.flatMap((event) => (event.type === "tool_result" ? [event.error?.message] : []));
    expect(errors.slice(0, 2)).toEqual([
      expect.stringMatching(/must be one JSON object/),
      expect.stringMatching(/no tool "serch_corpus"/),
    ]);
    expect(events.find((event) => event.type === "decision")).toMatchObject({
      calls: [{ raw: "amber basin, please" }],
      repairs: [{ code: "json_unusable" }],
    });
  });

  test("a flood", async () => {
    const flood: WireReply = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const event = `data: ${JSON.stringify(piece({ text: "", token_ids: Array.from({ length: 4_096 }, () => 64) }))}\n\n`;
      const more = (): void => {
        while (!response.destroyed && response.write(event));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    };
    const { result, record } = await runWith([search, flood]);
    expect(result).toMatchObject({
      stopReason: "policy_error",
      error: { message: expect.stringMatching(/larger than/) },
    });
    expect(JSON.stringify(record).length).toBeLessThan(1_000_000);
  });
});

describe("damaged outputs, fed through whole runs", () => {
  const SPECIALS = [START, END, MESSAGE, CHANNEL, CONSTRAIN, RETURN, CALL, 199_999, 200_013];
  const OUTPUTS = [
    searchFor("amber basin ✓ 思考"),
    searchForAll("cedar", "delta"),
    callOf("prune_chunks", { chunk_ids: ["d1.1", "d2.1"] }),
    callOf("read_document", { doc_id: "d1" }),
    callOf("grep_corpus", { pattern: "Item \\d+" }),
    listOf("d1", "d2"),
  ];
  const TURNS_MAX = 6;
  const corpus = memoryCorpus("test", randomChunks(20, 3, wordCounter()));
  let server: WireServer;
  let script: readonly (readonly number[])[] = [];
  let asked = 0;
  beforeAll(async () => {
    server = await startWireServer({
      replies: () => ({ ids: script[asked++ % script.length] ?? [], finish: "stop" }),
    });
  });
  afterAll(() => server.close());

  const anyId = fc.oneof(fc.nat(201_087), fc.constantFrom(...SPECIALS), fc.constant(300_000));
  const edit = fc.record({ at: fc.nat(120), kind: fc.nat(4), id: anyId });
  const output = fc.record({
    base: fc.nat(OUTPUTS.length - 1),
    edits: fc.array(edit, { maxLength: 6 }),
    cut: fc.oneof({ weight: 3, arbitrary: fc.constant(400) }, fc.nat(120)),
  });

  function damaged({ base, edits, cut }: typeof output extends fc.Arbitrary<infer T> ? T : never): readonly number[] {
    let ids = encodeOutput(OUTPUTS[base] ?? "", codec);
    for (const { at, kind, id } of edits) {
      const place = at % Math.max(1, ids.length);
      const [before, after] = [ids.slice(0, place), ids.slice(place)];
      if (kind === 0) ids = [...before, id, ...after.slice(1)];
      else if (kind === 1) ids = [...before, ...after.slice(1)];
      else if (kind === 2) ids = [...before, id, ...after];
      else if (kind === 3) ids = [...before, ...after.slice(0, 5), ...after];
      else ids = [...after, ...before];
    }
    return ids.slice(0, cut);
  }

  test("no crash, no invalid action, and the record holds every id", { timeout: 600_000 * scale }, async () => {
    const policy = harmonyPolicy(openTestCompletions(server.baseUrl));
    await fc.assert(
      fc.asyncProperty(
        fc.array(output, { minLength: 1, maxLength: TURNS_MAX }),
        fc.constantFrom<Profile["history"]>("sampled", "rerendered"),
        async (outputs, history) => {
          [script, asked] = [outputs.map(damaged), 0];
          const from = server.requests.length;
          const options = { profile: { ...profile, history }, corpora: [corpus], limits: { turnsMax: TURNS_MAX } };
          const run = startTestRun(policy, options);
          const result = await run.run.result;
          const record = run.record();
          const { header, events } = record;
          const prompts = server.requests.slice(from).map(promptOf);
          expect(["finished", "max_turns", "policy_error", "budget_exhausted"]).toContain(result.stopReason);
          const tools: readonly string[] = offeredTools(profile);
          for (const event of events) {
            // A call of what does not exist, or with arguments that say nothing, only ever has an error for its result.
            if (event.type === "tool_result" && !tools.includes(event.tool)) expect(event.error).toBeDefined();
            if (event.type === "edit" && event.by === "policy")
              expect(event.pruned.every((key) => key !== "")).toBe(true);
          }
          const chain = new TokenChain();
          const made = events.filter((event) => event.type === "decision");
          const held = made.map(({ tokens }) => (tokens === undefined ? [] : chain.unpack(tokens)));
          // As text: comparing a hundred thousand numbers one by one takes longer than the run.
          expect(JSON.stringify(held) === JSON.stringify(prompts)).toBe(true);
          const completions = made.map(({ tokens }) => tokens?.completion);
          expect(JSON.stringify(completions)).toBe(JSON.stringify(made.map((_, i) => script[i % script.length])));
          for (const { same } of replayRecord(record, wordCounter())) expect(same).toBe(true);
          parseRecord(`${[header, ...events].map((line) => JSON.stringify(line)).join("\n")}\n`, "record");
        },
      ),
      { seed: 20_260_501, numRuns: 25 * scale },
    );
  });
});
