import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type ScriptStep, scriptedPolicy } from "../../../src/agent/policies/scripted.ts";
import type { View } from "../../../src/agent/policy.ts";
import { chat, chatForModels } from "../../../src/agent/profiles/chat.ts";
import type { Profile } from "../../../src/agent/profiles/profile.ts";
import { replayRecord } from "../../../src/agent/replay-record.ts";
import type { RunRecord } from "../../../src/record/parse-record.ts";
import { startTestRun } from "../../../src/testing/agent-fixture.ts";
import { wordCounter } from "../../../src/testing/word-counter.ts";
import { pairedDocuments, pairedFigures } from "./compare.ts";
import { type Contexts, renderContexts, withPruned } from "./contexts.ts";
import { linkAddress, queryWords, segmentsOf } from "./highlight.ts";
import { byDocument, chunkLives, isVisibleAt, lifeInWords, visibleCounts, wasPruned } from "./lives.ts";
import { runFromText, runsFromPage, toRun } from "./load.ts";
import { callOutcome, callPhrase, endOf, saidIn, turnsOf } from "./turns.ts";

/** Records of real runs: of a script, and of models on raw tokens and on chat. */
const KEPT = [
  "sixty-turns.jsonl",
  ...["chat", "rerendered", "sampled", "unsteered"].map((name) => `real-server/record-${name}.jsonl`),
];

async function recordOf(steps: readonly ScriptStep[]): Promise<RunRecord> {
  const { run, record } = startTestRun(scriptedPolicy(steps), { profile: chatForModels });
  await run.result;
  return record();
}

const shownIds = (view: View): string[] =>
  view.context.messages.flatMap((message) => message.blocks.flatMap((block) => block.chunk?.shownId ?? []));

/** Searches, prunes the first two chunks while searching on, reads the pruned document again, and finishes. */
async function makeRecord(profile: Profile = chat): Promise<RunRecord> {
  let first = "";
  const policy = scriptedPolicy([
    { reasoning: "First the basin.", calls: [{ tool: "search_corpus", arguments: { query: "amber basin" } }] },
    (view) => {
      const [one = "", two = ""] = shownIds(view);
      first = one;
      return {
        text: "These two do not matter.",
        calls: [
          { tool: "prune_chunks", arguments: { chunk_ids: [one, two] } },
          { tool: "search_corpus", arguments: { query: "delta ember" } },
          { tool: "no_such_tool", arguments: {} },
        ],
      };
    },
    () => ({ calls: [{ tool: "read_document", arguments: { doc_id: first } }] }),
    (view) => ({
      calls: [
        {
          tool: "finish",
          arguments: {
            documents: shownIds(view)
              .slice(0, 3)
              .map((id) => ({ id, justification: "It says so." })),
          },
        },
      ],
    }),
  ]);
  const { run, record } = startTestRun(policy, { profile });
  await run.result;
  return record();
}

function contextsOf(record: RunRecord): Contexts {
  const work = renderContexts(record);
  for (let next = work.next(); ; next = work.next()) if (next.done === true) return next.value;
}

const jsonl = ({ header, events }: RunRecord): string =>
  `${[header, ...events].map((line) => JSON.stringify(line)).join("\n")}\n`;

describe("turns", () => {
  test("hold what the policy said, its calls with their results, prunes and errors", async () => {
    const turns = turnsOf(await makeRecord());
    expect(turns.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    const [one, two, three, four] = turns;
    if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error("turns");
    expect(saidIn(one)).toBe("First the basin.");
    expect(saidIn(two)).toBe("These two do not matter.");
    expect(one.newChunks).toBeGreaterThan(2);
    expect(callPhrase(one.calls[0]?.call ?? { id: "", tool: "", arguments: {} })).toBe("“amber basin”");
    expect(callOutcome(one.calls[0] as (typeof one.calls)[number])).toContain(`${one.newChunks} new`);
    expect(two.prunedChunks).toBe(2);
    expect(two.errors).toHaveLength(1);
    expect(three.calls[0]?.result?.hits.length).toBeGreaterThan(0);
    expect(four.calls[0]?.call.tool).toBe("finish");
    expect(endOf(await makeRecord())?.stopReason).toBe("finished");
  });

  test("count every chunk and prune of the record exactly once", async () => {
    const record = await makeRecord();
    const end = endOf(record);
    const turns = turnsOf(record);
    expect(turns.reduce((sum, { newChunks }) => sum + newChunks, 0)).toBe(end?.usage.shownChunks);
    const lives = chunkLives(record);
    expect(lives).toHaveLength(end?.usage.shownChunks ?? 0);
    expect(lives.filter(wasPruned)).toHaveLength(end?.usage.prunedChunks ?? 0);
    expect(turns.reduce((sum, { prunedChunks }) => sum + prunedChunks, 0)).toBe(
      lives.flatMap(({ moments }) => moments.filter(({ kind }) => kind === "pruned")).length,
    );
    expect(turns).toHaveLength(end?.usage.turns ?? 0);
  });
});

describe("budget", () => {
  test("has the prompt of every turn and the lines of the profile", async () => {
    const record = await makeRecord();
    const { budget, turns } = toRun("run", record);
    expect(budget.limit).toBe(chat.budget.limit);
    expect(budget.soft).toBe(chat.budget.soft);
    expect(budget.points.map(({ prompt }) => prompt)).toEqual(
      turns.map(({ decisions }) => decisions.at(-1)?.promptTokens),
    );
    expect(budget.points[1]?.freed).toBeGreaterThan(0);
    expect(budget.peak).toBe(Math.max(...budget.points.map(({ prompt }) => prompt)));
  });
});

describe("lives", () => {
  test("tell of every chunk what the rendered contexts show, turn by turn", async () => {
    for (const pruneLeaves of ["stub", "nothing"] as const) {
      const record = await makeRecord({ ...chat, pruneLeaves });
      const lives = chunkLives(record);
      for (const { turn, context } of replayRecord(record, wordCounter())) {
        const visible = new Set(
          context.messages.flatMap(({ blocks }) => blocks.flatMap(({ chunk }) => chunk?.key ?? [])),
        );
        for (const life of lives)
          expect([turn, isVisibleAt(life, turn - 1)]).toEqual([turn, visible.has(life.chunk.key)]);
        for (const { blocks } of context.messages) {
          for (const { chunk } of blocks) {
            if (chunk !== undefined)
              expect(lives.find((one) => one.chunk.key === chunk.key)?.shownId).toBe(chunk.shownId);
          }
        }
      }
    }
  });

  test("name what happened: found, pruned, shown again", async () => {
    const lives = chunkLives(await makeRecord());
    const back = lives.find(({ moments }) => moments.some(({ kind }) => kind === "readAgain"));
    expect(back?.moments.map(({ turn, kind }) => [turn, kind])).toEqual([
      [1, "found"],
      [2, "pruned"],
      [3, "readAgain"],
    ]);
    expect(back?.spans).toEqual([
      { from: 1, to: 1 },
      { from: 3, to: 4 },
    ]);
    expect(back && lifeInWords(back)).toBe("found in turn 1, pruned in turn 2, shown again in turn 3");
    expect(lives.filter(({ inResult }) => inResult).length).toBeGreaterThan(0);
  });

  test("a chunk that is found and pruned in one turn stands at the end of none", async () => {
    const record = await makeRecord();
    const found = record.events.findIndex(({ type }) => type === "tool_result");
    const result = record.events[found];
    if (result?.type !== "tool_result") throw new Error("There is no result.");
    const [first] = result.hits;
    const edit = {
      type: "edit" as const,
      by: "emergency" as const,
      pruned: [first?.key ?? ""],
      tokensFreed: 1,
      unknown: [],
    };
    const events = [...record.events.slice(0, found + 1), { ...edit, seq: found + 2, at: 0, turn: 1 }];
    const life = chunkLives({ ...record, events }).find(({ chunk }) => chunk.key === first?.key);
    expect(life?.spans).toEqual([]);
    expect(life && lifeInWords(life)).toBe("found in turn 1, pruned in turn 1");
  });

  test("grouped by document they are all there, and their counts add up", async () => {
    const lives = chunkLives(await makeRecord());
    const documents = byDocument(lives);
    expect(documents.flatMap((one) => one.lives)).toHaveLength(lives.length);
    const all = visibleCounts(lives, 4);
    const summed = documents
      .map((one) => visibleCounts(one.lives, 4))
      .reduce((a, b) => a.map((n, i) => n + (b[i] ?? 0)));
    expect(summed).toEqual(all);
    expect(all[0]).toBe(0);
  });
});

describe("contexts", () => {
  test("are verified byte for byte although tokens are estimated", async () => {
    const { seen } = contextsOf(await makeRecord());
    expect(seen).toHaveLength(4);
    expect(seen.every(({ verified }) => verified)).toBe(true);
  });

  test.each(KEPT)("are those of the kept record %s", (name) => {
    const url = new URL(`../../../docs/evidence/${name}`, import.meta.url);
    const { record, turns } = runFromText(name, readFileSync(url, "utf8"));
    const { seen } = contextsOf(record);
    expect(new Set(seen.map(({ turn }) => turn)).size).toBe(turns.length);
    expect(seen.filter(({ verified }) => !verified)).toEqual([]);
  });

  test("notes that were not cut are verified, those that were are not", async () => {
    const noting = (text: string): Promise<RunRecord> =>
      recordOf([
        { calls: [{ tool: "update_notes", arguments: { constraints: [], text } }] },
        { calls: [{ tool: "search_corpus", arguments: { query: "amber" } }] },
        { calls: [{ tool: "finish", arguments: { documents: [] } }] },
      ]);
    const long = "antidisestablishmentarianism ".repeat(140);
    const uncut = contextsOf(await noting(long)).seen;
    expect(uncut.slice(1).every(({ context }) => context.messages.at(-1)?.blocks[0]?.kind === "notes")).toBe(true);
    expect(uncut.every(({ verified }) => verified)).toBe(true);
    const cut = contextsOf(await noting("a b c d ".repeat(400))).seen;
    expect(cut.map(({ verified }) => verified)).toEqual([true, false, false]);
  });

  test("a changed byte is noticed", async () => {
    const record = await makeRecord();
    const text = jsonl(record).replace("These two do not matter.", "These two do not matter!");
    const { seen } = contextsOf(runFromText("changed.jsonl", text).record);
    expect(seen.map(({ verified }) => verified)).toEqual([true, true, false, false]);
  });

  test.each(["stub", "nothing"] as const)(
    "what was pruned is put back where it stood (leaves %s)",
    async (pruneLeaves) => {
      const { seen, shownByCall } = contextsOf(await makeRecord({ ...chat, pruneLeaves }));
      const message = seen[2]?.context.messages.find(({ role }) => role === "tool");
      if (message === undefined) throw new Error("There is no tool message.");
      const shown = shownByCall.get(message.callId ?? "") ?? [];
      const pieces = withPruned(message, shown);
      const gone = pieces.filter(({ kind }) => kind === "gone").map(({ block }) => block);
      expect(gone).toEqual(shown.slice(0, 2));
      expect(pieces.flatMap(({ block }) => block.chunk ?? [])).toEqual(shown.flatMap(({ chunk }) => chunk ?? []));
      expect(pieces.filter(({ kind }) => kind === "seen").map(({ block }) => block)).toEqual(message.blocks);
    },
  );
});

describe("files", () => {
  const wrong: readonly [name: string, text: string, message: RegExp][] = [
    ["empty", "", /empty/],
    ["no JSON", "hello\nworld\n", /damaged at line 1: it is not JSON/],
    ["another JSON", '{"type":"header","schema":"trace/3"}\n', /has the format trace\/3/],
    ["a newer record", '{"type":"header","schema":"run/2"}\n', /has the format run\/2/],
    ["an array", "[1,2]\n", /damaged at line 1/],
  ];
  test.each(wrong)("%s is refused with a reason", (_, text, message) => {
    expect(() => runFromText("given.jsonl", text)).toThrow(message);
  });

  test("damage in the middle is named by its line, a torn end is left out", async () => {
    const lines = jsonl(await makeRecord()).split("\n");
    const damaged = lines.map((line, i) => (i === 3 ? line.slice(0, 20) : line)).join("\n");
    expect(() => runFromText("given.jsonl", damaged)).toThrow(/damaged at line 4/);
    const torn = lines.slice(0, 5).join("\n") + (lines[5] ?? "").slice(0, 30);
    const run = runFromText("given.jsonl", torn);
    expect([run.record.torn, run.result]).toEqual([true, undefined]);
  });

  test("a field of a wrong type is damage, not a crash", async () => {
    const text = jsonl(await makeRecord())
      .replace(/"profile":\{/, '"profile":{"budget":null,"x":{')
      .replace('}},"hashes"', '}}},"hashes"');
    expect(() => runFromText("given.jsonl", text)).toThrow();
    const header = { type: "header", schema: "run/1", runId: "r", query: "q", profile: { name: "p" }, documentsMax: 3 };
    expect(() => runFromText("given.jsonl", `${JSON.stringify(header)}\n`)).toThrow(
      /is damaged: a field has the wrong type/,
    );
  });

  test("what the page embeds is what was recorded", async () => {
    const { header, events, torn } = await makeRecord();
    const [run] = runsFromPage(JSON.stringify([{ name: "a.jsonl", header, events, torn }]));
    expect(run?.turns).toEqual(turnsOf({ header, events, torn }));
    expect(runsFromPage("\n")).toEqual([]);
  });
});

describe("marks", () => {
  const passage = { start: 100, end: 140, line: 3, text: "The retry policy retries five times now." };

  test("segments join to the passage, the quote and the words of the question are marked", () => {
    const words = queryWords("What does the retry policy do?");
    const segments = segmentsOf(passage, words, { start: 117, end: 130, line: 3, text: "retries five " });
    expect(segments.map(({ text }) => text).join("")).toBe(passage.text);
    expect(segments.filter(({ mark }) => mark === "quote").map(({ text }) => text)).toEqual(["retries five "]);
    expect(segments.filter(({ mark }) => mark === "word").map(({ text }) => text)).toEqual(["retry", "policy"]);
  });

  test("a quote of another passage marks nothing", () => {
    const segments = segmentsOf(passage, new Set(), { start: 900, end: 910, line: 40, text: "elsewhere." });
    expect(segments).toEqual([{ text: passage.text }]);
  });

  test("only addresses of the web become links", () => {
    expect(linkAddress("https://example.org/a")).toBe("https://example.org/a");
    for (const uri of [
      "javascript:alert(1)",
      " javascript:alert(1)",
      "data:text/html,x",
      "file:///etc/passwd",
      "docs/a.md",
      "//example.org",
      "",
    ]) {
      expect([uri, linkAddress(uri)]).toEqual([uri, undefined]);
    }
  });
});

describe("two runs", () => {
  test("documents are paired by corpus and id, those in both first", async () => {
    const left = toRun("a", await makeRecord());
    const right = toRun("b", {
      ...left.record,
      events: left.record.events.map((event) =>
        event.type === "end" ? { ...event, documents: event.documents.slice(1) } : event,
      ),
    });
    const pairs = pairedDocuments(left, right);
    expect(pairs.map(({ left: rank }) => rank).sort()).toEqual(left.result?.documents.map(({ rank }) => rank));
    expect(pairs.at(-1)).toMatchObject({ left: 1, right: undefined });
    expect(pairedFigures(left, right).every((one) => one.left === one.right)).toBe(true);
    const open = toRun("c", { ...left.record, events: left.record.events.slice(0, -1) });
    expect(pairedFigures(left, open).every((one) => one.right === undefined)).toBe(true);
  });
});
