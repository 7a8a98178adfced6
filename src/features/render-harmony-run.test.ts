import { expect, test } from "vitest";
import { harmonyPolicy } from "../agent/policies/harmony/harmony-policy.ts";
import { chat } from "../agent/profiles/chat.ts";
import { context1 } from "../agent/profiles/context-1.ts";
import { loadTokenCounter } from "../models/o200k-token-counter.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { answerOf, callOf, openTestCompletions, promptOf, searchForAll } from "../testing/harmony-fixture.ts";
import { startWireServer } from "../testing/wire-server.ts";
import { renderRecordedTurn } from "./render-conversation.ts";

test.each([
  ["context-1", context1],
  ["context-1, sampled", { ...context1, history: "sampled" }],
  ["chat", chat],
] as const)("winnow render shows the very ids that the server was sent: %s", async (_name, profile) => {
  const replies = [
    await answerOf(searchForAll("amber basin", "cedar ✓")),
    await answerOf(callOf("grep_corpus", { pattern: "Item \\d+" })),
    await answerOf("<|channel|>final<|message|>Nothing.<|return|>"),
  ];
  const server = await startWireServer({ replies });
  try {
    const policy = harmonyPolicy(openTestCompletions(server.baseUrl));
    const counter = await loadTokenCounter();
    const { run, record } = startTestRun(policy, { profile, counter, limits: { turnsMax: 3 } });
    await run.result;
    for (const [i, request] of server.requests.slice(0, 3).entries()) {
      const { ids } = await renderRecordedTurn(record(), i + 1);
      expect(ids).toEqual(promptOf(request));
    }
    expect(server.requests.length).toBeGreaterThanOrEqual(3);
  } finally {
    await server.close();
  }
});
