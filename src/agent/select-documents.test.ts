import { describe, expect, it } from "vitest";
import { startTestRun, type TestRunOptions } from "../testing/agent-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { storeRow } from "../testing/store-row.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { type ScriptStep, scriptedPolicy } from "./policies/scripted.ts";
import type { Decision, View } from "./policy.ts";
import { chatForModels, chatWithJoins } from "./profiles/chat.ts";
import { replayRecord } from "./replay-record.ts";

const TOWNS = ["Alder", "Birch", "Cedar", "Delta"];
const corpora = [
  memoryCorpus(
    "towns",
    TOWNS.map(
      (town, i) => storeRow(`${town}#0`, `amber: ${town} has\n${i + 4}12 inhabitants`, { documentId: town }).chunk,
    ),
  ),
];

const search: Decision = { calls: [{ tool: "search_corpus", arguments: { query: "amber" } }] };
const idOf = (view: View, text: string): string =>
  view.context.messages.flatMap(({ blocks }) => blocks).find((block) => block.text.includes(text))?.chunk?.shownId ??
  "";
const listing =
  (...towns: readonly string[]): ScriptStep =>
  (view) => ({
    calls: [
      {
        tool: "finish",
        arguments: {
          documents: towns.map((town) => ({
            id: idOf(view, `amber: ${town}`),
            justification: `About ${town}.`,
            quote: `${town} has ${TOWNS.indexOf(town) + 4}12`,
          })),
        },
      },
    ],
  });

async function outcome(steps: readonly ScriptStep[], more: TestRunOptions = {}) {
  const { run, record } = startTestRun(scriptedPolicy(steps), { profile: chatForModels, corpora, ...more });
  const result = await run.result;
  expect([...replayRecord(record(), wordCounter())].every(({ same }) => same)).toBe(true);
  const requests = record().events.flatMap((event) =>
    event.type === "tool_result" && event.tool === "finish" ? [event.error?.message ?? ""] : [],
  );
  const notices = result.notices.filter(({ code }) => code === "selected").map(({ message }) => message);
  return { result, ids: result.documents.map(({ id }) => id), requests, notices };
}

describe("selection", () => {
  it("shows a list once, side by side with its quotes, takes what is left and names what was left out", async () => {
    const { ids, requests, notices } = await outcome([
      search,
      listing("Alder", "Birch", "Cedar"),
      listing("Cedar", "Delta"),
    ]);
    expect(ids).toEqual(["Cedar", "Delta"]);
    expect(requests).toHaveLength(1);
    const lines = requests[0]?.split("\n").filter((line) => line.startsWith("- "));
    expect(lines).toEqual([
      expect.stringMatching(/^- d\d\.1 .*: "Alder has 412"$/),
      expect.stringMatching(/^- d\d\.1 .*: "Birch has 512"$/),
      expect.stringMatching(/^- d\d\.1 .*: "Cedar has 612"$/),
    ]);
    expect(requests[0]).toMatch(/Then call finish again\.$/);
    expect(notices).toEqual(["The selection left out 2 documents of a first list of 3: Alder, Birch."]);
  });

  it("gives no notice when the list stands", async () => {
    const { ids, requests, notices } = await outcome([
      search,
      listing("Alder", "Birch", "Cedar"),
      listing("Cedar", "Alder", "Birch"),
    ]);
    expect(ids).toEqual(["Cedar", "Alder", "Birch"]);
    expect([requests.length, notices]).toEqual([1, []]);
  });

  it.each([
    ["of two documents", ["Alder", "Birch"], {}],
    ["that comes with the last turn", TOWNS, { limits: { turnsMax: 2 } }],
    ["under a profile that does not ask", TOWNS, { profile: chatWithJoins }],
  ])("does not send back a list %s", async (_, towns, more) => {
    const { ids, requests, notices } = await outcome([search, listing(...towns)], more);
    expect(ids).toEqual(towns);
    expect([requests, notices]).toEqual([[], []]);
  });

  it("keeps the first list when the policy fails over the request", async () => {
    const fails: ScriptStep = () => {
      throw new Error("the server is gone");
    };
    const { ids, result } = await outcome([search, listing("Alder", "Birch", "Cedar"), fails, fails, fails]);
    expect(result).toMatchObject({ stopReason: "policy_error", concluded: "forced" });
    expect(ids).toEqual(["Alder", "Birch", "Cedar"]);
  });
});

describe("quotes in the result", () => {
  it("stand as the document has them, with their place", async () => {
    const { result } = await outcome([search, listing("Birch")]);
    expect(result.documents[0]?.quote).toMatchObject({ text: "Birch has\n512", start: 7, end: 20, line: 1 });
  });
});
