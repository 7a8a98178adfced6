import { afterEach, describe, expect, test } from "vitest";
import type { ChatModelOptions } from "../../../models/chat/endpoint.ts";
import type { RecordEvent } from "../../../record/events.ts";
import { startTestRun, type TestRunOptions } from "../../../testing/agent-fixture.ts";
import { delta, KEY, lines, openTestModel, refusal } from "../../../testing/chat-fixture.ts";
import {
  startWireServer,
  type WireAnswer,
  type WireReply,
  type WireRequest,
  type WireServer,
  type WireServerOptions,
} from "../../../testing/wire-server.ts";
import { wordCounter } from "../../../testing/word-counter.ts";
import { replayRecord } from "../../replay-record.ts";
import { chatPolicy } from "./chat-policy.ts";

const servers: WireServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const search = (...queries: string[]): WireAnswer => ({
  reasoning: `I look for ${queries.join(" and ")}.`,
  calls: queries.map((query) => ({ tool: "search_corpus", arguments: { query } })),
  usage: { prompt: 900, completion: 30, cached: 600 },
});
const finish = (...ids: string[]): WireAnswer => ({
  calls: [{ tool: "finish", arguments: { documents: ids.map((id) => ({ id, justification: "It says so." })) } }],
  usage: { prompt: 1_500, completion: 20 },
});

async function runWith(
  replies: WireServerOptions["replies"],
  more: Partial<ChatModelOptions> = {},
  options: TestRunOptions = {},
) {
  const server = await startWireServer({ replies });
  servers.push(server);
  const policy = chatPolicy(openTestModel(server.baseUrl, { apiKeyEnv: "KEY", ...more }));
  const { run, record } = startTestRun(policy, options);
  const result = await run.result;
  expect(JSON.stringify([result, record()])).not.toContain(KEY);
  return { result, events: record().events, record: record(), server, requests: server.requests };
}

function messagesOf(request: WireRequest | undefined) {
  const body = (request?.body ?? {}) as { readonly messages?: readonly Readonly<Record<string, unknown>>[] };
  return body.messages ?? [];
}

const failures = (events: readonly RecordEvent[]): string[] =>
  events.flatMap((event) => (event.type === "decision" && event.error !== undefined ? [event.error.message] : []));

describe("a run driven by a chat model over HTTP", () => {
  test("searches in parallel, finishes, counts tokens and cost, and replays to the same bytes", async () => {
    const prices = { m: { input: 1, output: 2, cachedInput: 0.1 } };
    const { result, record, requests } = await runWith([search("amber basin", "cedar delta"), finish("d2", "d1.1")], {
      prices,
    });
    expect(result).toMatchObject({ stopReason: "finished", concluded: "policy", outcome: "found" });
    expect(result.documents.map(({ justification }) => justification)).toEqual(["It says so.", "It says so."]);
    expect(result.usage).toMatchObject({ turns: 2, toolCalls: 2, promptTokens: 2_400, cachedTokens: 600 });
    expect(result.usage.costUsd).toBeCloseTo((300 + 60 + 1_500 + 2 * 50) / 1_000_000, 12);
    expect(record.header.policy).toEqual({ name: "openai-compatible:m", model: "m" });
    const messages = messagesOf(requests[1]);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "tool"]);
    expect(messages[1]).toMatchObject({ reasoning_content: "I look for amber basin and cedar delta." });
    expect(String(messages[3]?.["content"])).toMatch(/## Chunk d\d[\s\S]*\[Token usage: /);
    expect([...replayRecord(record, wordCounter())].every(({ same }) => same)).toBe(true);
  });

  test("samples as the run says, and the record holds what was sent", async () => {
    const script = [search("amber basin"), finish("d1")];
    const warm = await runWith(script, {}, { temperature: 0.4 });
    expect(warm.requests.map(({ body }) => (body as { temperature?: number }).temperature)).toEqual([0.4, 0.4]);
    const samplings = (events: readonly RecordEvent[]) =>
      events.flatMap((event) => (event.type === "decision" ? [event.sampling] : []));
    expect(samplings(warm.events)).toEqual([{ temperature: 0.4 }, { temperature: 0.4 }]);
    const plain = await runWith(script);
    expect(plain.requests[0]?.body).not.toHaveProperty("temperature");
    expect(samplings(plain.events)).toEqual([undefined, undefined]);
    const refused = await runWith(
      ({ body }) => {
        if (JSON.stringify(body).includes('"temperature"')) return refusal(400, "temperature is not supported");
        return messagesOf({ body } as WireRequest).length === 1 ? search("amber basin") : finish("d1");
      },
      {},
      { temperature: 0.4 },
    );
    expect(refused.result.stopReason).toBe("finished");
    expect(refused.result.notices.filter(({ code }) => code === "temperature_refused")).toHaveLength(1);
    expect(samplings(refused.events)).toEqual([undefined, undefined]);
    expect(refused.requests).toHaveLength(3);
  });

  test("keeps the signatures of Anthropic's thinking in the record, across a prune", async () => {
    const first: WireAnswer = { ...search("amber basin"), reasoning: " Think.\n", signature: "c2ln" };
    const prune: WireAnswer = { calls: [{ tool: "prune_chunks", arguments: { chunk_ids: ["d1.1", "d1.2"] } }] };
    const { result, requests, record } = await runWith([first, prune, finish("d2")], {
      kind: "anthropic",
      model: "claude-x",
    });
    expect(result.stopReason).toBe("finished");
    const thinking = { type: "thinking", thinking: " Think.\n", signature: "c2ln" };
    expect(messagesOf(requests[2])[1]).toMatchObject({ content: [thinking, { type: "tool_use" }] });
    expect([...replayRecord(record, wordCounter())].every(({ same }) => same)).toBe(true);
  });

  test("says that it knows no price, and that a cost limit cannot bind", async () => {
    const { result } = await runWith([search("amber"), finish("d1")], {}, { limits: { costUsdMax: 1 } });
    expect(result.usage.costUsd).toBeNull();
    expect(result.notices.filter(({ code }) => code === "no_price")).toHaveLength(2);
  });

  test("stops at its cost limit", async () => {
    const prices = { m: { input: 1_000, output: 0 } };
    const { result } = await runWith([search("amber")], { prices }, { limits: { costUsdMax: 1 } });
    expect(result).toMatchObject({ stopReason: "cost_limit", concluded: "from_record", usage: { turns: 2 } });
  });

  test("tells that a server cuts prompts without saying so", async () => {
    const corpusWords = "amber basin cedar delta ember fjord grove haven islet jetty knoll lagoon";
    const reads = corpusWords.split(" ").map((word) => ({ ...search(word), usage: { prompt: 100, completion: 1 } }));
    const { result } = await runWith([...reads, finish("d1")]);
    expect(result.notices.map(({ code }) => code)).toContain("prompt_cut");
  });
});

describe("bad input ends in a result with a stop reason, and the record says what happened", () => {
  const good = [search("amber basin"), finish("d1")];

  const passing: [string, WireReply[], string][] = [
    ["429 with Retry-After", [refusal(429, "slow down", { "retry-after": "1" }), ...good], "retry"],
    ["429 without Retry-After", [refusal(429, "slow down"), ...good], "retry"],
    ["500", [refusal(500, "boom"), ...good], "retry"],
    ["a truncated stream", [lines(delta({ content: "half" })), ...good], "retry"],
    ["empty choices", [lines({ choices: [] }, "[DONE]"), ...good], "retry"],
  ];
  test.each(passing)("%s, once: the run finishes with a notice", async (_name, replies, code) => {
    const { result } = await runWith(replies);
    expect(result).toMatchObject({ stopReason: "finished", outcome: "found" });
    expect(result.notices.map((notice) => notice.code)).toContain(code);
  });

  const failing: [string, WireReply, string, RegExp][] = [
    ["429 for ever", refusal(429, "slow down"), "policy_unavailable", /429: slow down/],
    ["500 for ever", refusal(500, "boom"), "policy_unavailable", /500: boom/],
    ["truncated streams", lines(delta({ content: "half" })), "policy_failed", /broke off/],
    ["empty choices", lines({ choices: [] }, "[DONE]"), "policy_failed", /broke off/],
    ["a wrong model name", refusal(404, "The model `m` does not exist."), "policy_unavailable", /has no model "m"/],
    ["a wrong key", refusal(401, `Incorrect API key: ${KEY}`), "policy_unavailable", /401/],
    ["no tools", refusal(400, "m does not support tools"), "policy_unavailable", /cannot call tools/],
  ];
  test.each(failing)("%s: what was found before is returned", async (_name, reply, code, message) => {
    const { result, events, requests } = await runWith([search("amber basin"), reply]);
    expect(result).toMatchObject({ stopReason: "policy_error", concluded: "from_record", outcome: "partial" });
    expect(result.documents.length).toBeGreaterThan(0);
    expect(result.error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(failures(events)).toEqual([expect.stringMatching(message)]);
    // The driver has tried again; the run does not do so a second time.
    expect(requests.length).toBeLessThanOrEqual(6);
  });

  test("server down", async () => {
    const policy = chatPolicy(openTestModel("http://127.0.0.1:9/v1"));
    const { run } = startTestRun(policy);
    expect(await run.result).toMatchObject({
      stopReason: "policy_error",
      error: { code: "policy_unavailable", message: expect.stringMatching(/cannot be reached/) },
    });
  });

  test("a server that is too slow for one answer", async () => {
    const { result } = await runWith([() => {}], { answerTimeoutMs: 40 });
    expect(result).toMatchObject({ stopReason: "policy_error", error: { code: "timeout" } });
  });

  test("a server that is too slow for the run, and a caller who cancels", async () => {
    const late = await runWith([() => {}], {}, { limits: { timeoutMs: 60 } });
    expect(late.result.stopReason).toBe("timeout");
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 60);
    const cancelled = await runWith([() => {}], {}, { signal: controller.signal });
    expect(cancelled.result.stopReason).toBe("cancelled");
  });

  test("invalid JSON in arguments and an unknown tool are answered, and the model can go on", async () => {
    const broken: WireAnswer = {
      calls: [
        { tool: "search_corpus", arguments: '{"query": "amber' },
        { tool: "serch_corpus", arguments: { query: "amber" } },
        { tool: "search_corpus", arguments: "" },
      ],
    };
    const { result, events, requests } = await runWith([broken, ...good]);
    expect(result.stopReason).toBe("finished");
    const errors = events.flatMap((event) => (event.type === "tool_result" ? [event.error?.message] : []));
    expect(errors.slice(0, 3)).toEqual([
      expect.stringMatching(/must be one JSON object/),
      expect.stringMatching(/no tool "serch_corpus". Did you mean "search_corpus"/),
      expect.stringMatching(/needs a "query"/),
    ]);
    const decision = events.find((event) => event.type === "decision");
    expect(decision).toMatchObject({ calls: [{ raw: '{"query": "amber' }, {}, {}] });
    const messages = messagesOf(requests[1]);
    expect(messages[1]).toMatchObject({ tool_calls: [{ function: { arguments: "{}" } }, {}, {}] });
    expect(messages.slice(2, 5).map(({ role }) => role)).toEqual(["tool", "tool", "tool"]);
  });

  test("null content for ever: asked three times, then an error", async () => {
    const { result, requests, events } = await runWith([lines(delta({ content: null }, "stop"))]);
    expect(result).toMatchObject({ stopReason: "policy_error", error: { message: expect.stringMatching(/empty/) } });
    expect(requests).toHaveLength(3);
    expect(events.filter((event) => event.type === "decision").map(({ finishReason }) => finishReason)).toEqual([
      "rejected",
      "rejected",
      "rejected",
    ]);
  });

  test("an answer that is cut at its limit is not believed", async () => {
    const cut: WireAnswer = { ...finish("d1"), finish: "length" };
    const { result, events } = await runWith([search("amber"), cut, finish("d1")]);
    expect(result.stopReason).toBe("finished");
    expect(events.map((event) => (event.type === "decision" ? event.finishReason : ""))).toContain("length");
  });

  test("a context-length error: one emergency edit, then it goes on", async () => {
    const long = "This model's maximum context length is 2048 tokens. Please reduce the length of the messages.";
    const { result, events } = await runWith((_request, index) => {
      if (index === 0) return search("amber basin", "cedar delta");
      return index <= 2 ? refusal(400, long) : finish("d1");
    });
    expect(result.stopReason).toBe("finished");
    expect(events.find((event) => event.type === "edit")).toMatchObject({ by: "emergency" });
    expect(failures(events)).toEqual([expect.stringMatching(/too long/)]);
  });

  test("a context-length error for ever ends the run", async () => {
    const { result } = await runWith([refusal(400, "prompt is too long: 9 tokens > 8 maximum")]);
    expect(result).toMatchObject({ stopReason: "policy_error", error: { message: expect.stringMatching(/too long/) } });
  });

  test("a flood", async () => {
    const flood: WireReply = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const piece = `data: ${JSON.stringify(delta({ content: "a".repeat(65_536) }))}\n\n`;
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    };
    const { result, record } = await runWith([search("amber"), flood]);
    expect(result).toMatchObject({
      stopReason: "policy_error",
      error: { message: expect.stringMatching(/larger than/) },
    });
    expect(JSON.stringify(record).length).toBeLessThan(1_000_000);
  });
});
