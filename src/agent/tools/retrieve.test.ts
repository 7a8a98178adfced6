import { describe, expect, test } from "vitest";
import { startTestRun } from "../../testing/agent-fixture.ts";
import { memoryCorpus } from "../../testing/memory-corpus.ts";
import { storeRow } from "../../testing/store-row.ts";
import { scriptedPolicy } from "../policies/scripted.ts";

const corpora = [
  memoryCorpus("one", [storeRow("a", "amber", { metadata: { date: "2026-05-01", team: "sea" } }).chunk]),
  memoryCorpus("two", [storeRow("b", "amber", { metadata: { owner: "kim" } }).chunk]),
];

/** The results of these calls, made in one turn. */
async function resultsOf(...calls: readonly { readonly tool: string; readonly arguments: unknown }[]) {
  const finish = { calls: [{ tool: "finish", arguments: { documents: [] } }] };
  const { run, record } = startTestRun(scriptedPolicy([{ calls }, finish]), { corpora });
  const { stopReason } = await run.result;
  expect(stopReason).toBe("finished");
  const results = record().events.flatMap((event) => (event.type === "tool_result" ? [event] : []));
  return results.slice(0, calls.length);
}

describe("filters that a policy writes", () => {
  test.each(["search_corpus", "grep_corpus"])("%s answers an unknown key with the one that was meant", async (tool) => {
    const what = tool === "search_corpus" ? { query: "amber" } : { pattern: "amber" };
    const [unknown, bad, known] = await resultsOf(
      { tool, arguments: { ...what, where: ["dat>=2026"] } },
      { tool, arguments: { ...what, where: ["date>=soon"] } },
      { tool, arguments: { ...what, where: ["owner=kim"] } },
    );
    expect(unknown?.error).toEqual({
      code: "invalid_filter",
      message: 'No document has the key "dat". Did you mean "date"? Known keys: date, owner, team.',
    });
    expect(bad?.error?.message).toContain("is not a date");
    expect(known?.error).toBeUndefined();
    expect(known?.chunks.map(({ documentId }) => documentId)).toEqual(["b.md"]);
  });
});
