import { describe, expect, it } from "vitest";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import { WinnowError } from "../core/errors.ts";
import { loadTokenCounter } from "../models/o200k-token-counter.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { type RenderedConversation, renderConversationText, renderRecordedTurn } from "./render-conversation.ts";

const NOW = Date.UTC(2026, 4, 4);
const render = (file: unknown, profile = "context-1"): Promise<RenderedConversation> =>
  renderConversationText(typeof file === "string" ? file : JSON.stringify(file), "c.json", { profile, now: NOW });
const textOf = ({ pieces }: RenderedConversation): string => pieces.map(({ text }) => text).join("");

const HISTORY = [
  { role: "assistant", reasoning: "Look.", calls: [{ tool: "grep_corpus", arguments: { pattern: "a" } }] },
  { role: "tool", tool: "grep_corpus", content: ["<|end|>\n\n", "b\n\n"] },
];

describe("a conversation file", () => {
  it("with a question gives the profile's prompt, tools and date", async () => {
    const rendered = await render({ query: "Who owns billing?" });
    expect(rendered.messages.map(({ role }) => role)).toEqual(["system", "developer", "user"]);
    expect(rendered.ids.slice(-2)).toEqual([200_006, 173_781]);
    const text = textOf(rendered);
    expect(text).toContain("<query>Who owns billing?</query>");
    expect(text).toContain("Current date: 2026-05-04");
    expect(text).toContain("type prune_chunks");
    expect(text).not.toContain("type finish");
    expect(textOf(await render({ query: "x" }, "chat"))).toContain("type finish");
  });

  it("with history says where each message lies, and marks what only spells a token", async () => {
    const rendered = await render({ query: "x", date: "2025-01-31", effort: "low", messages: HISTORY });
    expect(rendered.messages.slice(3)).toMatchObject([
      { role: "assistant", channel: "analysis" },
      { role: "assistant", channel: "commentary", recipient: "functions.grep_corpus" },
      { role: "tool", name: "functions.functions.grep_corpus" },
    ]);
    for (const { start } of rendered.messages) expect(rendered.ids[start]).toBe(200_006);
    expect(rendered.spelled).toBe(1);
    expect(textOf(rendered)).toContain("<\\|end|>");
    expect(textOf(rendered)).toContain("Current date: 2025-01-31\n\nReasoning: low");
  });

  it.each(["2026-02-30", "2026-13-01", "0000-00-00"])("of the day %s, which there is not, is refused", async (date) => {
    await expect(render({ query: "x", date })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("takes what `winnow show --turn --json` prints", async () => {
    const messages = [
      { role: "user", blocks: [{ kind: "text", text: "Find.\n\n", tokens: 3 }], tokens: 9 },
      { role: "assistant", blocks: [], reasoning: { kind: "text", text: "Hm.\n\n", tokens: 3 }, tokens: 9 },
    ];
    const rendered = await render({ schema: "context/1", turn: 2, tokens: 18, messages });
    expect(textOf(rendered)).toContain("<|channel|>analysis<|message|>Hm.<|end|>");
  });

  it.each<[unknown, RegExp]>([
    ["{", /not JSON/],
    ["[]", /not a conversation/],
    [{}, /neither a query nor messages/],
    [{ query: 1 }, /at query/],
    [{ date: "today", query: "x" }, /at date/],
    [{ messages: [{ role: "system", content: "x" }] }, /at messages\.0\.role/],
    [{ messages: [{ role: "tool", content: "x" }] }, /messages\.0: a tool message needs/],
    [{ messages: [{ role: "user", content: "x", blocks: [] }] }, /both content and blocks/],
    [{ messages: [{ role: "user", content: "x", calls: [] }] }, /only the assistant/],
    [{ messages: [{ role: "assistant", sampledIds: [201_088] }] }, /sampledIds\.0/],
  ])("%j is refused", async (file, message) => {
    const error = await render(file).catch((thrown: unknown) => thrown);
    expect(WinnowError.isInstance(error) && error.code).toBe("invalid_argument");
    expect(String(error)).toMatch(message);
    expect(WinnowError.isInstance(error) && error.hint).toMatch(/For example/);
  });
});

describe("a recorded turn", () => {
  it("is what the policy decided on, the last one by default", async () => {
    const policy = scriptedPolicy([
      { reasoning: "Look.", calls: [{ tool: "search_corpus", arguments: { query: "amber" } }] },
      { calls: [{ tool: "finish", arguments: { documents: [] } }] },
    ]);
    const { run, record } = startTestRun(policy, { counter: await loadTokenCounter() });
    await run.result;
    const first = await renderRecordedTurn(record(), 1);
    const last = await renderRecordedTurn(record(), undefined);
    expect(first.messages.map(({ role }) => role)).toEqual(["system", "developer", "user"]);
    expect(last.messages.map(({ role }) => role).slice(3)).toEqual(["assistant", "assistant", "tool"]);
    // Up to the assistant's next message, the later prompt begins with the earlier one.
    expect(last.ids.slice(0, first.ids.length)).toEqual(first.ids);
    await expect(renderRecordedTurn(record(), 9)).rejects.toThrow(/no turn 9/);
  });

  it("needs a decision", async () => {
    const header = { type: "header", at: NOW } as Parameters<typeof renderRecordedTurn>[0]["header"];
    await expect(renderRecordedTurn({ header, events: [], torn: false }, undefined)).rejects.toThrow(/no turn/);
  });
});
