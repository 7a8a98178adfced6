import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../models/chat/chat-model.ts";
import { startTestRun } from "../../../testing/agent-fixture.ts";
import type { RenderedContext } from "../../context/rendered.ts";
import type { Decision } from "../../policy.ts";
import { chat } from "../../profiles/chat.ts";
import { context1 } from "../../profiles/context-1.ts";
import { type Profile, withLimit } from "../../profiles/profile.ts";
import { scriptedPolicy } from "../scripted.ts";
import { chatMessages } from "./chat-messages.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

/** What a chat API takes: the rules of `ChatRequest`. */
function expectValid(messages: readonly ChatMessage[]): void {
  expect(messages[0]?.role).toBe("user");
  expect(messages.at(-1)?.role).not.toBe("assistant");
  const ids = new Set<string>();
  for (const [i, message] of messages.entries()) {
    const before = messages[i - 1];
    if (message.role === "user") {
      expect(message.text.trim()).not.toBe("");
      expect(before?.role).not.toBe("user");
    } else if (message.role === "assistant") {
      expect(before?.role).not.toBe("assistant");
      for (const { id, tool, arguments: given } of message.calls) {
        expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
        expect(ids.has(id)).toBe(false);
        ids.add(id);
        expect(tool).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        expect(given).toBeTypeOf("object");
        expect(Array.isArray(given) || given === null).toBe(false);
      }
      if (message.calls.length > 0) expect(messages[i + 1]?.role).toBe("tool");
    } else {
      expect(before?.role).toBe("assistant");
      const asked = before?.role === "assistant" ? before.calls.map(({ id }) => id) : [];
      expect(message.results.map(({ callId }) => callId)).toEqual(asked);
      for (const { text } of message.results) expect(text.trim()).not.toBe("");
    }
  }
}

const call = fc.oneof(
  fc
    .constantFrom("amber basin", "cedar delta", "fjord")
    .map((query) => ({ tool: "search_corpus", arguments: { query } })),
  fc.integer({ min: 1, max: 9 }).map((n) => ({ tool: "read_document", arguments: { doc_id: `d${n}` } })),
  fc.integer({ min: 1, max: 9 }).map((n) => ({ tool: "prune_chunks", arguments: { chunk_ids: [`d${n}.1`] } })),
  // A list of unknown ids does not end the run, and its call has no result.
  fc.constant({ tool: "finish", arguments: { documents: [{ id: "d999" }] } }),
  fc.string({ unit: "binary" }).map((tool) => ({ tool, arguments: "{not json" })),
  fc.anything().map((value) => ({ tool: "search_corpus", arguments: value })),
);
const step = fc.record(
  {
    reasoning: fc.string({ unit: "binary", maxLength: 100 }),
    text: fc.string({ unit: "binary", maxLength: 100 }),
    // More than a turn may hold at times: the notice about those left out comes before the results.
    calls: fc.oneof(fc.array(call, { maxLength: 4 }), fc.array(call, { minLength: 18, maxLength: 20 })),
  },
  { requiredKeys: ["calls"] },
) as fc.Arbitrary<Decision>;
const profiles: readonly Profile[] = [chat, context1, withLimit(chat, 4_096), { ...chat, softNotice: "kept" }];

describe("messages", () => {
  test("are ones that every API takes, in every turn of random episodes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...profiles), fc.array(step, { maxLength: 12 }), async (profile, steps) => {
        let turns = 0;
        const seen = steps.map((decision) => (view: { context: RenderedContext }) => {
          expectValid(chatMessages(view.context));
          turns++;
          return decision;
        });
        const { run } = startTestRun(scriptedPolicy(seen), { profile, limits: { turnsMax: 16 } });
        const { error } = await run.result;
        // A failed expectation is a failure of the policy, which a run survives.
        expect(error?.message ?? "").not.toMatch(/expected/i);
        expect(turns).toBeGreaterThanOrEqual(Math.min(1, steps.length));
      }),
      { seed: 11, numRuns: 40 * SCALE },
    );
  });

  test("hold every block of the context, and each turn only adds to them but for prunes", async () => {
    const prompts: string[] = [];
    const look = (decision: Decision) => (view: { context: RenderedContext }) => {
      prompts.push(JSON.stringify(chatMessages(view.context)));
      for (const message of view.context.messages) {
        for (const block of message.blocks) {
          expect(prompts.at(-1)).toContain(JSON.stringify(block.text.trim()).slice(1, -1));
        }
      }
      return decision;
    };
    const search = (query: string): Decision => ({ calls: [{ tool: "search_corpus", arguments: { query } }] });
    const { run } = startTestRun(scriptedPolicy([look(search("amber")), look(search("fjord")), look({ calls: [] })]));
    await run.result;
    expect(prompts.length).toBeGreaterThanOrEqual(3);
    for (const [i, prompt] of prompts.slice(0, 2).entries()) {
      expect(prompts[i + 1]?.startsWith(prompt.slice(0, -1))).toBe(true);
    }
  });
});
