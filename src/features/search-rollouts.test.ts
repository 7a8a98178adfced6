import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import type { Policy } from "../agent/policy.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { counterFor, openRecord, resultOf } from "./open-record.ts";
import { verifyRecord } from "./replay-run.ts";
import { findRun, listRuns } from "./runs.ts";
import { searchCorpora } from "./search-corpora.ts";

const corpora = [memoryCorpus("test", randomChunks(20, 2, wordCounter()))];
const shared = { question: "amber basin of the delta", corpora, profile: "chat" };
const script = (): Policy =>
  scriptedPolicy([
    { calls: [{ tool: "search_corpus", arguments: { query: "amber" } }] },
    { calls: [{ tool: "finish", arguments: { documents: [{ id: "d1", justification: "because" }] } }] },
  ]);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "winnow-rollouts-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function search(rollouts?: number) {
  const run = await searchCorpora({
    ...shared,
    policy: script,
    runsFolder: folder,
    ...(rollouts === undefined ? {} : { rollouts }),
  });
  return run.result;
}

describe("searchCorpora with rollouts", () => {
  it("keeps the parent's record and one of each rollout; makes a policy for each, so that scripts do not mix", async () => {
    const result = await search(3);
    expect(result).toMatchObject({ stopReason: "finished", outcome: "found", usage: { turns: 6 } });
    expect(result.recordPath).toBe(join(folder, `${result.runId}.jsonl`));
    expect(readdirSync(folder).sort()).toEqual(
      ["", ".1", ".2", ".3"].map((suffix) => `${result.runId}${suffix}.jsonl`).sort(),
    );
    const opened = await openRecord(result.recordPath ?? "", { workingFolder: folder, named: [], known: {} });
    expect(resultOf(opened)).toEqual(result);
  });

  it("one rollout is a run by itself", async () => {
    for (const rollouts of [undefined, 1]) {
      const { notices } = await search(rollouts);
      expect(notices).toEqual([]);
    }
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it.each([0, -1, 1.5, 17, Number.NaN])("refuses %d rollouts and writes nothing", async (rollouts) => {
    await expect(search(rollouts)).rejects.toMatchObject({ code: "invalid_argument" });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("temperature", () => {
  it("is refused for what samples nothing, before anything is written", async () => {
    const options = { ...shared, policy: script, runsFolder: folder, temperature: 0.5 };
    await expect(searchCorpora(options)).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(/scripted samples nothing/),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    [1, undefined],
    [2, 1],
  ])("with %d rollouts and none given a model gets %s", async (rollouts, expected) => {
    const seen: unknown[] = [];
    const policy = (): Policy => {
      const inner = script();
      return {
        ...inner,
        model: "m",
        decide(view, own) {
          seen.push(own.temperature);
          return inner.decide(view, own);
        },
      };
    };
    await (await searchCorpora({ ...shared, policy, rollouts })).result;
    expect(new Set(seen)).toEqual(new Set([expected]));
  });
});

describe("runs of rollouts", () => {
  it("are listed in order behind their parent, which is what no id and the parent's beginning mean", async () => {
    const { runId } = await search(12);
    const { runs, damaged } = await listRuns([folder], 100);
    expect(damaged).toEqual([]);
    const numbers = Array.from({ length: 12 }, (_, i) => `${runId}.${i + 1}`);
    expect(runs.map((run) => run.runId)).toEqual([runId, ...numbers]);
    expect(runs.map((run) => run.parent)).toEqual([null, ...numbers.map(() => runId)]);
    expect(runs[0]).toMatchObject({ stopReason: "finished", turns: 24, documents: 1 });
    const path = join(folder, `${runId}.jsonl`);
    expect(await findRun(undefined, [folder])).toBe(path);
    expect(await findRun(runId, [folder])).toBe(path);
    expect(await findRun(runId.slice(0, 12), [folder])).toBe(path);
    expect(await findRun(`${runId}.1`, [folder])).toBe(join(folder, `${runId}.1.jsonl`));
    rmSync(path);
    await expect(findRun(runId.slice(0, 12), [folder])).rejects.toMatchObject({ code: "run_not_found" });
  });

  it("replay like any run; the parent's record opens and holds no prompt", async () => {
    const { runId } = await search(2);
    const scope = { workingFolder: folder, named: [], known: {} };
    for (const [suffix, prompts] of [
      ["", 0],
      [".1", 2],
      [".2", 2],
    ] as const) {
      const { record } = await openRecord(join(folder, `${runId}${suffix}.jsonl`), scope);
      expect(verifyRecord(record, await counterFor(record))).toEqual({ complete: true, prompts, differing: [] });
    }
  });
});
