import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CompletionModelOptions } from "../../../models/completions/open-completion-model.ts";
import { type HarmonyCodec, loadHarmonyCodec } from "../../../models/harmony/codec.ts";
import { ContextConversation, PUBLISHED_LAYOUT } from "../../../models/harmony/context-conversation.ts";
import { HarmonyRenderer } from "../../../models/harmony/render.ts";
import { CALL, END, RETURN } from "../../../models/harmony/special-tokens.ts";
import { loadTokenCounter } from "../../../models/o200k-token-counter.ts";
import type { DecisionEvent, RecordEvent } from "../../../record/events.ts";
import { parseRecord } from "../../../record/reader.ts";
import { TokenChain } from "../../../record/token-chain.ts";
import { startTestRun, type TestRunOptions } from "../../../testing/agent-fixture.ts";
import { KEY, refusal } from "../../../testing/chat-fixture.ts";
import {
  answerOf,
  callOf,
  listOf,
  openTestCompletions,
  promptOf,
  searchFor,
  searchForAll,
  thought,
} from "../../../testing/harmony-fixture.ts";
import {
  startWireServer,
  type WireAnswer,
  type WireReply,
  type WireServer,
  type WireServerOptions,
} from "../../../testing/wire-server.ts";
import { context1 as published } from "../../profiles/context-1.ts";
import type { Profile } from "../../profiles/profile.ts";
import { replayRecord } from "../../replay-record.ts";
import { toolSchemas } from "../../tools/tool-schemas.ts";
import { replayPolicy } from "../replay.ts";
import { type HarmonyPolicyOptions, harmonyPolicy } from "./harmony-policy.ts";

const counter = await loadTokenCounter();
let codec: HarmonyCodec;
beforeAll(async () => {
  codec = await loadHarmonyCodec();
});

const servers: WireServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

// Short ids, so that scripts can name what they were shown.
const context1: Profile = { ...published, idStyle: "short" };
const sampled: Profile = { ...context1, history: "sampled" };

async function runWith(
  replies: WireServerOptions["replies"],
  run: TestRunOptions = {},
  more: Partial<CompletionModelOptions> = {},
  policyOptions: HarmonyPolicyOptions = {},
) {
  const server = await startWireServer({ replies });
  servers.push(server);
  const policy = harmonyPolicy(openTestCompletions(server.baseUrl, more), policyOptions);
  const started = startTestRun(policy, { profile: context1, counter, ...run });
  const result = await started.run.result;
  const record = started.record();
  const text = `${[record.header, ...record.events].map((line) => JSON.stringify(line)).join("\n")}\n`;
  expect(text).not.toContain(KEY);
  // What was written is what the reader takes.
  expect(parseRecord(text, "record").events).toHaveLength(record.events.length);
  return { result, record, events: record.events, requests: server.requests };
}

const outputs = (...texts: string[]): Promise<WireAnswer[]> => Promise.all(texts.map((text) => answerOf(text)));

const decisions = (events: readonly RecordEvent[]): DecisionEvent[] =>
  events.filter((event) => event.type === "decision");

/** Prompts as the record gives them back. */
function recordedPrompts(events: readonly RecordEvent[]): (readonly number[])[] {
  const chain = new TokenChain();
  return decisions(events).flatMap(({ tokens }) => (tokens === undefined ? [] : [chain.unpack(tokens)]));
}

function expectExtends(longer: readonly number[], shorter: readonly number[]): void {
  expect(longer.length).toBeGreaterThan(shorter.length);
  expect(longer.slice(0, shorter.length)).toEqual(shorter);
}

describe("the ids of a run", () => {
  test.each([
    ["rerendered", context1],
    ["sampled", sampled],
  ] as const)(
    "%s history: what is sent is what the renderer makes of each context, and what the record gives back",
    async (_name, profile) => {
      const { result, record, requests } = await runWith(
        await outputs(
          searchForAll("amber basin", "cedar delta"),
          callOf("prune_chunks", { chunk_ids: ["d1.1", "d1.2", "d1.3"] }),
          searchFor("fjord ✓ Grüße <|start|>"),
          listOf("d2", "d1.1"),
        ),
        { profile },
      );
      expect(result).toMatchObject({ stopReason: "finished", concluded: "policy", outcome: "found" });
      expect(requests).toHaveLength(4);
      const settings = { tools: toolSchemas(profile), date: "2026-01-01", effort: "high" } as const;
      const contexts = [...replayRecord(record, counter)];
      expect(contexts.every(({ same }) => same)).toBe(true);
      for (const [i, { context }] of contexts.entries()) {
        // A fresh writer each time: what was kept from earlier turns must not matter.
        const conversation = new ContextConversation({ ...settings, layout: PUBLISHED_LAYOUT }).of(context.messages);
        const { ids } = new HarmonyRenderer(codec).render(conversation);
        expect(promptOf(requests[i])).toEqual(ids);
        expect(recordedPrompts(record.events)[i]).toEqual(ids);
      }
    },
  );

  test("the request asks for ids and says where to stop", async () => {
    const { requests, record } = await runWith(
      await outputs(listOf("d1")),
      {},
      {},
      { sampling: { temperature: 0.5, topP: 1 } },
    );
    expect(requests[0]?.path).toBe("/v1/completions");
    expect(requests[0]?.headers["authorization"]).toBe(`Bearer ${KEY}`);
    expect(requests[0]?.body).toMatchObject({
      model: "m",
      return_token_ids: true,
      logprobs: 1,
      stop_token_ids: [RETURN, CALL],
      temperature: 0.5,
      top_p: 1,
      stream: true,
    });
    expect(requests[0]?.body).not.toHaveProperty("seed");
    expect(decisions(record.events)[0]).toMatchObject({ sampling: { temperature: 0.5, topP: 1 } });
  });

  test("a run's temperature stands in for the policy's, and top_p stays", async () => {
    const { requests, record } = await runWith(await outputs(listOf("d1")), { temperature: 0.25 });
    expect(requests[0]?.body).toMatchObject({ temperature: 0.25, top_p: 0.9, stop_token_ids: [RETURN, CALL] });
    expect(decisions(record.events)[0]?.sampling).toEqual({ temperature: 0.25, topP: 0.9 });
  });

  test("a server that knows none of vLLM's fields: text is encoded again, and the caller is told", async () => {
    const unknown = refusal(400, "Unrecognized request argument supplied: return_token_ids");
    // Such a server leaves out what it stopped at.
    const texts = [searchFor("amber basin").replace("<|call|>", ""), listOf("d1").replace("<|return|>", "")];
    const { result, record } = await runWith(({ body }, index) =>
      JSON.stringify(body).includes("return_token_ids") ? unknown : { text: texts[index - 1] ?? "", idsAs: "none" },
    );
    expect(result).toMatchObject({ stopReason: "finished", outcome: "found" });
    const codes = result.notices.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(["extra_fields_refused", "no_token_ids"]));
    expect(decisions(record.events)[0]?.tokens).toMatchObject({ sampled: false });
  });

  test("sampled history: each prompt begins with the prompt and completion before it, malformed ones included", async () => {
    const broken = `${thought("Odd: 'json' is loose")}<|channel|>analysis to=functions.search_corpus <|message|>{'query': 'amber',}`;
    const { result, requests, record } = await runWith(
      await outputs(broken, searchForAll("cedar", "delta"), "<|channel|>commentary<|message|>Hm.<|end|>", listOf("d1")),
      { profile: sampled },
    );
    expect(result.stopReason).toBe("finished");
    const made = decisions(record.events);
    for (const [i, decision] of made.entries()) {
      const next = made[i + 1];
      if (next === undefined) break;
      const before = [...promptOf(requests[i]), ...(decision.tokens?.completion ?? [])];
      expectExtends(promptOf(requests[i + 1]), before);
      expect(next.tokens?.prompt.keep).toBe(before.length);
    }
    expect(made[0]?.repairs?.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["call_redirected", "json_loose"]),
    );
    expect(made[0]?.calls).toMatchObject([{ tool: "search_corpus", arguments: { query: "amber" } }]);
    // What was cut has an end added before the next message, which is no sampled id.
    const first = promptOf(requests[0]).length + (made[0]?.tokens?.completion.length ?? 0);
    expect(promptOf(requests[1])[first]).toBe(END);
  });

  test("rerendered history: a malformed turn is written anew, and the record says how much of the prompt is kept", async () => {
    const { requests, record } = await runWith(
      await outputs("<|channel|>analysis to=functions.search_corpus <|message|>{'query': 'amber',}", listOf("d1")),
    );
    const [first, second] = decisions(record.events);
    const kept = second?.tokens?.prompt.keep ?? 0;
    expect(kept).toBeGreaterThanOrEqual(promptOf(requests[0]).length);
    expect(kept).toBeLessThan(promptOf(requests[0]).length + (first?.tokens?.completion.length ?? 0));
    expect(recordedPrompts(record.events)[1]).toEqual(promptOf(requests[1]));
  });

  test("a prune shortens what is kept", async () => {
    const { record, requests } = await runWith(
      await outputs(
        searchFor("amber basin"),
        callOf("prune_chunks", { chunk_ids: ["d1.1", "d1.2", "d1.3"] }),
        listOf("d1"),
      ),
      { profile: sampled },
    );
    const last = decisions(record.events)[2]?.tokens;
    expect(last?.prompt.keep).toBeLessThan(promptOf(requests[1]).length);
    expect(recordedPrompts(record.events)[2]).toEqual(promptOf(requests[2]));
  });

  test("answers that are refused are on record with their ids", async () => {
    const cut = await answerOf(`<|channel|>analysis<|message|>Thinking without`, { finish: "length" });
    const { record, requests } = await runWith([cut, ...(await outputs(listOf("d1")))], { profile: sampled });
    const [first, second] = decisions(record.events);
    expect(first).toMatchObject({ finishReason: "length", tokens: { completion: cut.ids } });
    expect(second?.tokens?.prompt.keep).toBeLessThanOrEqual(promptOf(requests[0]).length);
    expect(recordedPrompts(record.events)).toEqual(requests.map(promptOf));
  });

  test("a replay decides the same and records the same tokens", async () => {
    const { record } = await runWith(await outputs(searchForAll("amber", "cedar"), listOf("d1")), { profile: sampled });
    const again = startTestRun(replayPolicy(record), { profile: sampled, counter });
    await again.run.result;
    const of = (events: readonly RecordEvent[]) =>
      decisions(events).map(({ tokens, promptHash }) => [tokens, promptHash]);
    expect(of(again.record().events)).toEqual(of(record.events));
  });

  test("reasoning and text are shown while they arrive, calls are not", async () => {
    const server = await startWireServer({
      replies: await outputs(`${thought("Grüße 🦜!")}${callOf("search_corpus", { query: "amber" })}`, listOf("d1")),
    });
    servers.push(server);
    const { run } = startTestRun(harmonyPolicy(openTestCompletions(server.baseUrl)), { profile: context1, counter });
    const seen = { reasoning_delta: "", text_delta: "" };
    for await (const event of run) {
      if (event.type === "reasoning_delta" || event.type === "text_delta") seen[event.type] += event.delta;
    }
    expect(seen.reasoning_delta).toBe("Grüße 🦜!Enough.");
    expect(seen.text_delta).toMatch(/^<Document id="d1">[\s\S]*<\/Document>$/);
  });
});

describe("what servers give", () => {
  const first = (events: readonly RecordEvent[]) => decisions(events)[0];
  const codes = (notices: readonly { readonly code: string }[]) => notices.map(({ code }) => code);

  test("ids and log-probabilities", async () => {
    const answer = await answerOf(searchFor("amber"));
    const logprobs = answer.ids?.map((_, i) => -(i + 1) / 10) ?? [];
    const { events, result } = await runWith([{ ...answer, logprobs }, await answerOf(listOf("d1"))]);
    expect(first(events)?.tokens).toMatchObject({
      completion: answer.ids,
      logprobs,
      sampled: true,
      renderer: "harmony/1",
    });
    expect(codes(result.notices)).toEqual(["no_price"]);
    expect(result.usage.promptTokens).toBeGreaterThan(100);
  });

  test("ids among the log-probabilities", async () => {
    const { events } = await runWith([
      await answerOf(searchFor("amber"), { idsAs: "logprobs" }),
      await answerOf(listOf("d1")),
    ]);
    expect(first(events)?.tokens).toMatchObject({ sampled: true, logprobs: expect.any(Array) });
  });

  test("no ids: the text is encoded again, and the record says so", async () => {
    const output = searchFor("amber Grüße");
    const replies = [await answerOf(output, { idsAs: "none" }), await answerOf(listOf("d1"))];
    const { events, result } = await runWith(replies);
    expect(result.stopReason).toBe("finished");
    expect(codes(result.notices)).toContain("no_token_ids");
    expect(first(events)?.tokens).toEqual({
      prompt: expect.anything(),
      completion: (await answerOf(output)).ids,
      renderer: "harmony/1",
      sampled: false,
    });
  });

  test("ids without the one that ended the answer", async () => {
    const whole = (await answerOf(searchFor("amber"))).ids ?? [];
    const stripped = { ids: whole.slice(0, -1), stopReason: CALL };
    const { events } = await runWith([stripped, await answerOf(listOf("d1"))]);
    expect(first(events)?.tokens?.completion).toEqual(whole);
    expect(first(events)?.tokens).not.toHaveProperty("logprobs");
    expect(first(events)).not.toHaveProperty("repairs");
  });

  test.each([
    ["too few log-probabilities", [-1]],
    ["a log-probability above zero", [3]],
  ])("%s are left out", async (_name, scores) => {
    const answer = await answerOf(searchFor("amber"));
    const logprobs = scores.length === 1 && scores[0] === 3 ? answer.ids?.map(() => 3) : scores;
    const { events } = await runWith([{ ...answer, logprobs: logprobs ?? [] }, await answerOf(listOf("d1"))]);
    expect(first(events)?.tokens).not.toHaveProperty("logprobs");
    expect(first(events)?.tokens?.sampled).toBe(true);
  });

  test("a server that reads another prompt is told of, and its log-probabilities are not kept", async () => {
    const { events, result } = await runWith([
      await answerOf(searchFor("amber"), { promptIds: [1, 2] }),
      await answerOf(listOf("d1")),
    ]);
    expect(codes(result.notices)).toContain("prompt_changed");
    expect(first(events)?.tokens).not.toHaveProperty("logprobs");
  });

  test("a whole answer where a stream was asked for", async () => {
    const answer = await answerOf(searchFor("amber"));
    const whole: WireReply = {
      status: 200,
      body: { choices: [{ text: "", token_ids: answer.ids, finish_reason: "stop" }] },
    };
    const { events, result } = await runWith([whole, await answerOf(listOf("d1"))]);
    expect(result.stopReason).toBe("finished");
    expect(first(events)?.tokens).toMatchObject({ completion: answer.ids, sampled: true });
  });

  test("an answer that repeats the key is not kept", async () => {
    const { result } = await runWith([await answerOf(`${thought(KEY)}${callOf("search_corpus", { query: KEY })}`)]);
    expect(result).toMatchObject({
      stopReason: "policy_error",
      error: { message: expect.stringMatching(/repeats the key/) },
    });
  });
});

describe("windows", () => {
  test("a prompt that leaves no room is edited before it is sent, and never sent too long", async () => {
    // Non-ASCII text takes several times the tokens in the published form of results, which the counter does not see.
    const profile: Profile = {
      ...context1,
      budget: { ...context1.budget, limit: 6_000, soft: 4_000, hard: 5_000, perCallTokens: 2_500, reserveFinal: 2_100 },
    };
    const steps = ["amber", "cedar", "delta", "fjord", "grove", "haven"].map((word) =>
      searchFor(`${word} ${"é".repeat(40)}`),
    );
    const { requests, events } = await runWith(await outputs(...steps, listOf("d1")), { profile });
    expect(requests.length).toBeGreaterThan(2);
    const refused = decisions(events).filter(({ error }) => error !== undefined);
    expect(refused.map(({ error }) => error?.message)).toContainEqual(expect.stringMatching(/tokens in harmony/));
    expect(events.find((event) => event.type === "edit")).toMatchObject({ by: "emergency" });
    for (const request of requests) {
      const { max_tokens: most } = request.body as { readonly max_tokens: number };
      expect(promptOf(request).length + most).toBeLessThanOrEqual(6_000);
      expect(most).toBeGreaterThanOrEqual(profile.budget.reserveDecision);
    }
    expect(events.at(-1)?.type).toBe("end");
  });
});
