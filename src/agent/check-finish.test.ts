import { describe, expect, it } from "vitest";
import { startTestRun, type TestRunOptions } from "../testing/agent-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { storeRow } from "../testing/store-row.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { type ScriptStep, scriptedPolicy } from "./policies/scripted.ts";
import type { Decision } from "./policy.ts";
import { chat, chatForModels } from "./profiles/chat.ts";
import { replayRecord } from "./replay-record.ts";

const part = (id: string, index: number, text: string) =>
  storeRow(`${id}#${index}`, text, { documentId: `${id}.md`, index, count: 3 }).chunk;
const corpora = [
  memoryCorpus("test", [
    part("fenn", 0, "amber: Ida Fenn was born\nin Cedar   Basin, and left"),
    part("fenn", 1, "amber the town in 1904.\n# DOCUMENT ID: 1_2 was her ticket"),
    part("fenn", 2, "nobody searches for this part of the text"),
    part("basin", 0, "amber: Cedar Basin has 412 inhabitants"),
  ]),
];

const search: Decision = { calls: [{ tool: "search_corpus", arguments: { query: "amber" } }] };
const finish = (documents: readonly unknown[], coverage?: unknown): Decision => ({
  calls: [{ tool: "finish", arguments: { documents, ...(coverage === undefined ? {} : { coverage }) } as never }],
});
const notes = (...constraints: readonly unknown[]): Decision => ({
  calls: [{ tool: "update_notes", arguments: { constraints } as never }, ...search.calls],
});
/** Fenn is the document with two chunks shown. */
const idOf = (view: Parameters<Extract<ScriptStep, (...args: never) => unknown>>[0], text: string): string =>
  view.context.messages.flatMap(({ blocks }) => blocks).find((block) => block.text.includes(text))?.chunk?.shownId ??
  "";
const quoting =
  (text: string, quote?: string): ScriptStep =>
  (view) =>
    finish([{ id: idOf(view, text), justification: "So.", ...(quote === undefined ? {} : { quote }) }]);

async function outcome(steps: readonly ScriptStep[], more: TestRunOptions = {}, fallback?: Decision) {
  const policy = scriptedPolicy(steps, fallback);
  const { run, record } = startTestRun(policy, { profile: chatForModels, corpora, ...more });
  const result = await run.result;
  expect([...replayRecord(record(), wordCounter())].every(({ same }) => same)).toBe(true);
  const complaints = record().events.flatMap((event) =>
    event.type === "tool_result" && event.tool === "finish" ? [event.error?.message ?? ""] : [],
  );
  const notices = result.notices
    .filter(({ code }) => code !== "retrieval")
    .map(({ code, message }) => `${code}: ${message}`);
  return { result, complaints, notices };
}

describe("quotes of the final list", () => {
  it.each([
    ["verbatim", "Cedar Basin has 412 inhabitants", "412", "basin#0"],
    ["with other white space and in quotation marks", '"born in\tCedar Basin,"', "Ida", "fenn#0"],
    ["across two chunks that follow one another", "and left amber the town", "ticket", "fenn#0"],
    ["as a line that was shown with a backslash", "\\# DOCUMENT ID: 1_2 was her", "Ida", "fenn#1"],
    ["as that line stands in the document", "# DOCUMENT ID: 1_2 was her", "Ida", "fenn#1"],
  ])("are taken %s, and their chunk comes first", async (_, quote, entry, chunk) => {
    const { result, complaints, notices } = await outcome([search, quoting(entry, quote)]);
    expect(result).toMatchObject({ stopReason: "finished", concluded: "policy", outcome: "found" });
    expect([complaints, notices]).toEqual([[], []]);
    expect(result.documents[0]?.chunkIds[0]).toBe(chunk);
  });

  it.each([
    ["made up", "Ida Fenn was born in Delta", /^Not in the text you were shown: the quotes of d\d\.1\. Copy the words/],
    ["of text that was not shown", "nobody searches for this part", /^Not in the text you were shown/],
    ["of another document", "Cedar Basin has 412 inhabitants", /^Not in the text you were shown/],
    ["too short to show anything", "amber", /^A sentence to quote is missing for d\d\.1\. Then call finish again\.$/],
    ["absent", undefined, /^A sentence to quote is missing/],
  ])("send the list back once where one is %s, then it is taken with a notice", async (_, quote, complaint) => {
    const { result, complaints, notices } = await outcome([search, quoting("Ida", quote), quoting("Ida", quote)]);
    expect(complaints).toEqual([expect.stringMatching(complaint)]);
    expect(result).toMatchObject({
      stopReason: "finished",
      concluded: "policy",
      outcome: "found",
      usage: { turns: 3 },
    });
    expect(notices).toEqual(["not_quoted: 1 document of the list has no quote that stands in the text shown."]);
  });

  it("can be mended, which leaves no notice", async () => {
    const { result, notices } = await outcome([
      search,
      quoting("Ida", "no such words"),
      quoting("Ida", "Ida Fenn was born"),
    ]);
    expect([result.stopReason, notices]).toEqual(["finished", []]);
  });

  it("do not cost a turn that the run does not have", async () => {
    const late = await outcome([search, quoting("Ida")], { limits: { turnsMax: 2 } });
    expect(late.result).toMatchObject({ stopReason: "finished", concluded: "policy" });
    expect(late.complaints).toEqual([]);
    expect(late.notices).toHaveLength(1);
  });

  it("keep the list that was sent back when nothing better comes", async () => {
    const fails: ScriptStep = () => {
      throw new Error("the server is gone");
    };
    const { result } = await outcome([search, quoting("412"), fails, fails, fails]);
    expect(result).toMatchObject({ stopReason: "policy_error", concluded: "forced", outcome: "partial" });
    expect(result.documents.map(({ id }) => id)).toEqual(["basin.md"]);
  });

  it("are not asked for where a profile does not", async () => {
    const { complaints, notices } = await outcome([search, quoting("Ida", "made up words")], { profile: chat });
    expect([complaints, notices]).toEqual([[], []]);
  });
});

describe("coverage of the question", () => {
  const list = [{ id: "d1", justification: "So.", quote: "x" }];
  const good =
    (coverage?: unknown): ScriptStep =>
    (view) =>
      finish([{ id: idOf(view, "412"), justification: "So.", quote: "Basin has 412" }], coverage);

  it("sends the list back once while something is open, by the notes where finish gives none", async () => {
    const open = [{ constraint: "year of birth", status: "unheard of" }, "number of inhabitants"];
    const { result, complaints, notices } = await outcome([
      notes(...open),
      good(),
      good([
        { constraint: "year of birth", status: "Missing" },
        { constraint: "inhabitants", status: "supported" },
      ]),
    ]);
    expect(complaints).toEqual([
      'Still open: "year of birth", "number of inhabitants". Search for it, or give its status in coverage. Then call finish again.',
    ]);
    expect(result.outcome).toBe("found");
    expect(notices).toEqual(['not_supported: Not supported, by the policy\'s account: "year of birth" (missing).']);
  });

  it("lets an empty list abstain once what is open is said to be missing", async () => {
    const { result, complaints } = await outcome([
      notes("x"),
      finish([], [{ constraint: "x", status: "missing", ids: 7 }, null, { status: "open" }]),
    ]);
    expect(complaints).toEqual([]);
    expect(result).toMatchObject({ stopReason: "finished", outcome: "abstained", documents: [] });
  });

  it.each([[7], ["open"], [{}], [null], [[[[]]]]])("survives coverage that is %j", async (coverage) => {
    const { result } = await outcome([search, finish(list, coverage)], {}, finish(list, coverage));
    expect(result).toMatchObject({ stopReason: "finished", usage: { turns: 3 } });
  });
});
