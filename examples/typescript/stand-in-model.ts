import { MockLanguageModelV3 } from "ai/test";

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

/** Calls the tool `search` once, then answers with what the tool gave it. */
export function standInModel(question: string): MockLanguageModelV3 {
  return new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => {
      const last = prompt.at(-1);
      const warnings: [] = [];
      if (last?.role !== "tool") {
        const call = {
          type: "tool-call",
          toolCallId: "1",
          toolName: "search",
          input: JSON.stringify({ question }),
        } as const;
        return { content: [call], finishReason: { unified: "tool-calls", raw: undefined }, usage, warnings };
      }
      const [part] = last.content;
      const output = part?.type === "tool-result" ? part.output : undefined;
      const text = output?.type === "text" ? output.value : JSON.stringify(output);
      return { content: [{ type: "text", text }], finishReason: { unified: "stop", raw: undefined }, usage, warnings };
    },
  });
}
