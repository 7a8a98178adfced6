import { expect, it } from "vitest";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import type { Decision } from "../agent/policy.ts";
import { chat } from "../agent/profiles/chat.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { chatConversationsOf } from "./chat-conversations.ts";

const counter = wordCounter();
const search = (query: string, reasoning: string): Decision => ({
  reasoning,
  calls: [{ tool: "search_corpus", arguments: { query } }],
});
const prune = (...ids: string[]): Decision => ({
  text: "Away with it.",
  calls: [{ tool: "prune_chunks", arguments: { chunk_ids: ids } }],
});
const finish: Decision = {
  calls: [{ tool: "finish", arguments: { documents: [{ id: "d1", justification: "It says so." }] } }],
};

async function conversations(...steps: Decision[]) {
  const { run, record } = startTestRun(scriptedPolicy(steps), { profile: chat, counter });
  await run.result;
  return chatConversationsOf(record(), counter);
}

it("keeps a run that only grew in one conversation, with calls, results and reasoning", async () => {
  const [only, ...rest] = await conversations(search("amber", "Amber first."), search("cedar", "Then cedar."), finish);
  expect(rest).toEqual([]);
  expect(only).toMatchObject({ run_id: "test-run", conversation_index: 0, turns: [1, 2, 3] });
  expect(only?.messages.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "assistant",
    "tool",
    "assistant",
  ]);
  const [user, first, result, , , last] = only?.messages ?? [];
  expect(user?.content).toContain("<question>amber basin of the delta</question>");
  expect(first).toEqual({
    role: "assistant",
    content: "",
    thinking: "Amber first.",
    tool_calls: [
      { id: "call_1", type: "function", function: { name: "search_corpus", arguments: { query: "amber" } } },
    ],
    weight: 1,
  });
  expect(result).toMatchObject({ role: "tool", tool_call_id: "call_1", name: "search_corpus" });
  expect(result?.content).toContain("d1.");
  expect(last?.tool_calls?.[0]?.function.name).toBe("finish");
  expect(only?.tools.map((tool) => tool.function.name)).toContain("prune_chunks");
});

it("begins another conversation behind a prune, in which history weighs nothing", async () => {
  const both = await conversations(
    search("amber", "Amber."),
    prune("d1.1", "d1.2", "d1.3"),
    search("fjord", "On."),
    finish,
  );
  expect(both.map(({ turns }) => turns)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  const weights = both.map(({ messages }) => messages.flatMap(({ weight }) => weight ?? []));
  expect(weights).toEqual([
    [1, 1],
    [0, 0, 1, 1],
  ]);
  expect(both[1]?.messages[2]?.content).not.toBe(both[0]?.messages[2]?.content);
});

it("leaves rejected answers out", async () => {
  const all = await conversations({ calls: [] }, search("amber", "Amber."), finish);
  // The complaint about the empty answer is shown to one decision only, so the next one stands in another conversation.
  const trained = all.flatMap(({ messages }) => messages.filter(({ weight }) => weight === 1));
  expect(trained.map((message) => message.tool_calls?.[0]?.function.name)).toEqual(["search_corpus", "finish"]);
  expect(all[0]?.messages.map(({ role }) => role)).toEqual(["user", "user", "assistant"]);
});
