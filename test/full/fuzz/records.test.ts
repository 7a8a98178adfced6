import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { scriptedPolicy } from "../../../src/agent/policies/scripted.ts";
import { profileByName } from "../../../src/agent/profiles/profiles.ts";
import { replayRecord } from "../../../src/agent/replay-record.ts";
import { printRun } from "../../../src/cli/commands/show.ts";
import { createOutput } from "../../../src/cli/output.ts";
import { believing } from "../../../src/core/believing.ts";
import type { TokenCounter } from "../../../src/core/token-counter.ts";
import { chatConversationsOf } from "../../../src/export/chat-conversations.ts";
import { exportRollouts } from "../../../src/export/rollouts.ts";
import { sftRowsOf } from "../../../src/export/sft-rows.ts";
import { withFakeTokens } from "../../../src/export/token-fixture.ts";
import { contextAt } from "../../../src/features/open-record.ts";
import { renderConversationText, renderRecordedTurn } from "../../../src/features/render-conversation.ts";
import { repeatRun, verifyRecord } from "../../../src/features/replay-run.ts";
import { listRuns } from "../../../src/features/runs.ts";
import { embeddedJson } from "../../../src/features/write-viewer.ts";
import { loadTokenCounter } from "../../../src/models/o200k-token-counter.ts";
import { parseRecord } from "../../../src/record/reader.ts";
import { startTestRun } from "../../../src/testing/agent-fixture.ts";
import type { FuzzTarget } from "../../../src/testing/fuzz/fuzz.ts";
import { memoryCorpus } from "../../../src/testing/memory-corpus.ts";
import { randomChunks } from "../../../src/testing/world.ts";
import { renderContexts } from "../../../web/src/model/contexts.ts";
import { visibleCounts } from "../../../web/src/model/lives.ts";
import { runFromText, runsFromPage } from "../../../web/src/model/load.ts";
import { callPhrase, saidIn } from "../../../web/src/model/turns.ts";
import { fuzzTests } from "../../support/fuzz-tests.ts";
import { recordText } from "../../support/viewer-records.ts";

const VOCABULARY = 201_088;
const folder = mkdtempSync(join(tmpdir(), "winnow-fuzz-records-"));
const fixtures: Buffer[] = [];
let counter: TokenCounter;

/** A short run with everything in it: searches, a grep, a read, a prune, notes, a list. */
async function recordOf(profile: string): Promise<string> {
  const corpora = [memoryCorpus("fuzz", randomChunks(3, 2, counter))];
  const call = (tool: string, values: unknown) => ({ tool, arguments: values });
  const policy = scriptedPolicy([
    {
      reasoning: "First.",
      text: "I look.",
      calls: [
        call("search_corpus", { query: "amber basin" }),
        call("update_notes", { constraints: [{ constraint: "amber", status: "open" }], text: "a note" }),
      ],
    },
    (view) => {
      const [id = "d1.1"] = view.context.messages.flatMap((message) =>
        message.blocks.flatMap((block) => block.chunk?.shownId ?? []),
      );
      return {
        calls: [
          call("prune_chunks", { chunk_ids: [id] }),
          call("grep_corpus", { pattern: "Item \\d" }),
          call("read_document", { doc_id: id }),
        ],
      };
    },
    { calls: [call("nothing", {}), call("search_corpus", "no object")] },
    profile === "chat"
      ? { calls: [call("finish", { documents: [{ id: "d1", justification: "It says so.", quote: "amber" }] })] }
      : { text: '<Document id="1_0"><Justification>So.</Justification></Document>', calls: [] },
  ]);
  const { run, record } = startTestRun(policy, {
    counter,
    corpora,
    profile: profileByName(profile, { model: "harmony" }),
  });
  await run.result;
  return recordText(withFakeTokens(record(), { counter, seed: 7, history: "rerendered" }));
}

beforeAll(async () => {
  counter = await loadTokenCounter();
  for (const profile of ["chat", "context-1"]) fixtures.push(Buffer.from(await recordOf(profile)));
  mkdirSync(join(folder, "runs"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const target = (name: string, run: FuzzTarget["run"], more: Partial<FuzzTarget> = {}): FuzzTarget => ({
  name,
  get fixtures() {
    return fixtures;
  },
  structures: ["json-lines"],
  blindShare: 0.1,
  run,
  ...more,
});

/** What a command prints, without the terminal. */
function printed(work: (output: ReturnType<typeof createOutput>) => void): string {
  let text = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((part) => {
    text += String(part);
    return true;
  });
  try {
    work(createOutput({ color: false }));
  } finally {
    write.mockRestore();
  }
  return text;
}

const TARGETS: readonly FuzzTarget[] = [
  target("a record replayed", (input) => {
    const record = parseRecord(input.toString("utf8"), "fuzz");
    const report = verifyRecord(record, counter);
    expect(report.prompts).toBe(record.events.filter(({ type }) => type === "decision").length);
    believing("fuzz", () => [...replayRecord(record, counter)]);
  }),
  target("a record shown", async (input) => {
    const record = parseRecord(input.toString("utf8"), "fuzz");
    const text = printed((output) => printRun({ record, path: "fuzz" }, output));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may get to the terminal
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    await contextAt(record, 1);
  }),
  target(
    "a record in the viewer",
    (input) => {
      const run = runFromText("fuzz", input.toString("utf8"));
      // What is drawn of it stands behind a guard of the page's, as here.
      believing("fuzz", () => {
        visibleCounts(run.lives, run.turns.length);
        for (const turn of run.turns) {
          saidIn(turn);
          for (const { call } of turn.calls) callPhrase(call);
        }
      });
      believing("fuzz", () => [...renderContexts(run.record)]);
      const { header, events, torn } = run.record;
      const embedded = embeddedJson([{ name: "fuzz", header, events, torn }]);
      expect(embedded).not.toMatch(/[<>&]/);
      expect(runsFromPage(embedded)).toHaveLength(1);
    },
    { share: 0.3 },
  ),
  target(
    "a record exported",
    (input) => {
      const record = parseRecord(input.toString("utf8"), "fuzz");
      const lines = [
        ...believing("fuzz", () => sftRowsOf(record)),
        ...believing("fuzz", () => chatConversationsOf(record, counter)),
        ...believing("fuzz", () => exportRollouts([record], { vocabularySize: VOCABULARY, tokensMax: 131_072 }))
          .segments,
      ];
      for (const line of lines) JSON.parse(JSON.stringify(line));
    },
    { share: 0.3 },
  ),
  target(
    "a record rendered as tokens",
    async (input) => {
      const record = parseRecord(input.toString("utf8"), "fuzz");
      const { ids } = await renderRecordedTurn(record, undefined);
      expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < VOCABULARY)).toBe(true);
    },
    { share: 0.3 },
  ),
  target(
    "a record repeated against a corpus",
    async (input) => {
      const record = parseRecord(input.toString("utf8"), "fuzz");
      const corpora = [memoryCorpus("fuzz", randomChunks(3, 2, counter))];
      await repeatRun(record, corpora, counter, new AbortController().signal);
    },
    { share: 0.2 },
  ),
  target(
    "a folder of records",
    async (input) => {
      writeFileSync(join(folder, "runs", "a.jsonl"), input);
      writeFileSync(join(folder, "runs", "good.jsonl"), fixtures[0] ?? "");
      const { runs, damaged, total } = await listRuns([join(folder, "runs")], 10);
      expect(total).toBe(2);
      expect(runs.length + damaged.length).toBe(2);
      expect(runs.some(({ path }) => path.endsWith("good.jsonl"))).toBe(true);
      JSON.stringify(runs);
    },
    { share: 0.2 },
  ),
  {
    name: "a conversation file",
    fixtures: [
      '{"query":"Who owns billing?","date":"2026-05-14"}',
      '{"effort":"high","instructions":"Be short.","messages":[{"role":"user","content":"Hi <|end|>"},{"role":"assistant","reasoning":"Hm.","calls":[{"tool":"search_corpus","arguments":{"query":"x"}},{"tool":"grep_corpus","arguments":{"pattern":"y"}}]},{"role":"tool","tool":"search_corpus","content":["a","b"]},{"role":"tool","tool":"grep_corpus","blocks":[{"text":"c"}]},{"role":"assistant","sampledIds":[1,2,200007]}]}',
    ],
    structures: ["json"],
    async run(input, chance) {
      const profile = chance.of(["chat", "context-1", "context-1-report"]);
      const { ids, pieces } = await renderConversationText(input.toString("utf8"), "fuzz", { profile, now: 0 });
      expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < VOCABULARY)).toBe(true);
      JSON.stringify(pieces);
    },
  },
];

describe("run records, wherever they are read", () => {
  fuzzTests(TARGETS);
});
