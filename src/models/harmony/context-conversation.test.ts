import { beforeAll, describe, expect, it } from "vitest";
import { type HarmonyCodec, loadHarmonyCodec } from "./codec.ts";
import {
  ContextConversation,
  type ContextMessage,
  type ContextSettings,
  PLAIN_LAYOUT,
  PUBLISHED_LAYOUT,
} from "./context-conversation.ts";
import { readDecision } from "./decision.ts";
import { parseHarmony } from "./parse.ts";
import { HarmonyRenderer } from "./render.ts";

let codec: HarmonyCodec;
let renderer: HarmonyRenderer;
beforeAll(async () => {
  codec = await loadHarmonyCodec();
  renderer = new HarmonyRenderer(codec);
});

const settings: ContextSettings = {
  tools: [
    { name: "search_corpus", description: "Search." },
    { name: "prune_chunks", description: "Prune." },
  ],
  date: "2026-05-04",
  effort: "high",
  layout: PLAIN_LAYOUT,
};
const block = (text: string): { readonly text: string } => ({ text });
const one: ContextMessage = {
  role: "assistant",
  blocks: [],
  reasoning: block("Think.\n\n"),
  calls: [{ id: "c1", tool: "search_corpus", arguments: { query: "é" } }],
};
const two: ContextMessage = {
  role: "assistant",
  blocks: [block("Both.\n\n")],
  calls: [
    { id: "c2", tool: "search_corpus", arguments: { query: "a" } },
    { id: "c3", tool: "prune_chunks", arguments: { chunk_ids: ["1_2"] } },
  ],
};
const result = (callId: string, tool: string, text: string): ContextMessage => ({
  role: "tool",
  blocks: [block(`${text}\n\n`)],
  callId,
  tool,
});
const messages: readonly ContextMessage[] = [
  { role: "user", blocks: [block("Find.\n\n")] },
  one,
  result("c1", "search_corpus", 'He said "<|end|>"'),
  two,
  result("c2", "search_corpus", "a"),
  result("c3", "prune_chunks", "Pruned"),
  { role: "assistant", blocks: [block("The list.\n\n")] },
];

const shown = (layout: ContextSettings["layout"], given = messages): string =>
  codec.decode(renderer.render(new ContextConversation({ ...settings, layout }).of(given), { next: "none" }).ids).text;

describe("a context in harmony", () => {
  it("is written as the format describes it", () => {
    const text = shown(PLAIN_LAYOUT);
    expect(text).toContain("<|start|>system<|message|>You are ChatGPT");
    expect(text).toContain("Current date: 2026-05-04\n\nReasoning: high\n");
    expect(text.indexOf("type multi_tool_use")).toBeLessThan(text.indexOf("type prune_chunks"));
    expect(text.slice(text.indexOf("<|start|>user"))).toBe(
      [
        "<|start|>user<|message|>Find.\n\n<|end|>",
        "<|start|>assistant<|channel|>analysis<|message|>Think.<|end|>",
        '<|start|>assistant to=functions.search_corpus<|channel|>commentary <|constrain|>json<|message|>{"query": "\\u00e9"}<|call|>',
        '<|start|>functions.search_corpus to=assistant<|channel|>commentary<|message|>He said "<|end|>"\n\n<|end|>',
        "<|start|>assistant<|channel|>commentary<|message|>Both.<|end|>",
        '<|start|>assistant to=functions.multi_tool_use<|channel|>commentary <|constrain|>json<|message|>[{"tool_name": "search_corpus", "parameters": {"query": "a"}}, {"tool_name": "prune_chunks", "parameters": {"chunk_ids": ["1_2"]}}]<|call|>',
        "<|start|>functions.search_corpus to=assistant<|channel|>commentary<|message|>a\n\n<|end|>",
        "<|start|>functions.prune_chunks to=assistant<|channel|>commentary<|message|>Pruned\n\n<|end|>",
        "<|start|>assistant<|channel|>final<|message|>The list.<|end|>",
      ].join(""),
    );
  });

  it("is written as the published harness writes it", () => {
    const text = shown(PUBLISHED_LAYOUT);
    expect(text).toContain(
      '<|start|>functions.functions.search_corpus to=assistant<|channel|>commentary<|message|>"He said \\"<|end|>\\"\\n\\n"<|end|>',
    );
    expect(text).toContain(
      '<|start|>functions.multi_tool_use to=assistant<|channel|>commentary<|message|>[{"type": "tool_result", "name": "search_corpus", "content": ["a\\n\\n"]}, {"type": "tool_result", "name": "prune_chunks", "content": ["Pruned\\n\\n"]}]<|end|>',
    );
    expect(text).not.toContain("<|start|>functions.prune_chunks");
  });

  it("keeps the objects of messages that did not change", () => {
    const writer = new ContextConversation(settings);
    const first = writer.of(messages);
    const second = writer.of([...messages, { role: "user", blocks: [block("More.\n\n")] }]);
    expect(second).toHaveLength(first.length + 1);
    for (const [i, message] of first.entries()) expect(second[i]).toBe(message);
  });

  it("splices what was sampled", () => {
    const ids = [200_005, 17_196, 200_008, 17, 200_002];
    const given: ContextMessage[] = [...messages.slice(0, 1), { role: "assistant", blocks: [], sampledIds: ids }];
    const conversation = new ContextConversation(settings).of(given);
    expect(renderer.render(conversation, { next: "none" }).ids.slice(-ids.length)).toEqual(ids);
  });

  it("comes back as the decision it was", () => {
    for (const message of [one, two]) {
      const conversation = new ContextConversation(settings).of([message]);
      const { ids, spans } = renderer.render(conversation, { next: "none" });
      // Everything after `<|start|>assistant` of the turn's first message, as a model would have sampled it.
      const { calls, repairs } = readDecision(parseHarmony(ids.slice((spans[2]?.start ?? 0) + 2), codec));
      expect(calls).toEqual(message.calls?.map(({ tool, arguments: value }) => ({ tool, arguments: value })));
      expect(repairs).toEqual([]);
    }
  });

  it("has no tools and no developer message where none are offered", () => {
    const conversation = new ContextConversation({ ...settings, tools: [] }).of([]);
    expect(conversation.map(({ role }) => role)).toEqual(["system"]);
  });
});
