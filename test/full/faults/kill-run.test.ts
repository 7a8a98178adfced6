import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { replayRecord } from "../../../src/agent/replay-record.ts";
import { counterFor } from "../../../src/features/open-record.ts";
import { listRuns } from "../../../src/features/runs.ts";
import { readRecord } from "../../../src/record/reader.ts";
import { evaluateAll, index, search } from "../../support/faults/actions.ts";
import { writeFiles } from "../../support/faults/files.ts";
import { filesBelow } from "../../support/faults/observe.ts";
import { type FaultProgram, faultProgram, inParallel, spread } from "../../support/faults/program.ts";

const KILLS = Number(process.env["WINNOW_TEST_SCALE"] ?? 1) >= 20 ? 50 : 4;
const AT_ONCE = 3;
const QUERIES = 12;

let work: string;
let program: FaultProgram;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "winnow-kill-run-"));
  program = await faultProgram("kill-run", `import "./test/support/faults/child.ts";`);
}, 60_000);
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await program.remove();
});

const runsOf = (base: string): string => join(base, ".winnow", "runs");

test.each([
  ["a run", 1],
  ["three rollouts", 3],
] as const)("kill -9 during %s: every event that was told of is on record, and replays", async (_, rollouts) => {
  const base = join(work, `run-${rollouts}`);
  await writeFiles(base, 0);
  await index(base, () => {}, { store: "sqlite" });
  const args = ["search", base, String(rollouts)];
  const under = runsOf(base);
  const { points = 0, lines: whole } = await program.run(args, { under });
  expect(whole).toContain("ended");
  expect(points).toBeGreaterThan(10);
  await rm(under, { recursive: true });
  let torn = 0;
  await inParallel(spread(points, KILLS), AT_ONCE, async (at) => {
    const { lines } = await program.run(args, { under, how: "kill", at });
    const acknowledged = new Map<string, number>();
    for (const line of lines) {
      const [, run = "", seq = ""] = /^event (\S+) ([0-9]+)$/.exec(line) ?? [];
      if (run !== "") acknowledged.set(run, Math.max(Number(seq), acknowledged.get(run) ?? 0));
    }
    for (const [run, seq] of acknowledged) {
      const record = await readRecord(join(under, `${run}.jsonl`));
      if (record.torn) torn++;
      expect(record.events.length, `point ${at} of ${points}`).toBeGreaterThanOrEqual(seq);
      const counter = await counterFor(record);
      for (const { same } of replayRecord(record, counter)) expect(same).toBe(true);
    }
  });
  if (rollouts === 1) expect(torn).toBeGreaterThan(0);
  // The listing names those that ended as unfinished, and what is not even a header as damaged; the next run is as ever.
  const { runs, damaged } = await listRuns([under], 1_000);
  expect(runs.length + damaged.length).toBe((await readdir(under)).length);
  const next = await search(base, rollouts);
  const [newest] = (await listRuns([under], 1)).runs;
  expect(newest).toMatchObject({ runId: next, stopReason: "finished" });
  expect((await readdir(under)).filter((name) => !name.endsWith(".jsonl"))).toEqual([]);
});

test("kill -9 during an evaluation: no outcome that was told of is lost or measured again", async () => {
  const from = join(work, "evaluation");
  const dataset = join(from, "dataset");
  await mkdir(dataset, { recursive: true });
  const documents = Array.from({ length: QUERIES }, (_, i) => ({
    _id: `d${i}`,
    title: `T${i}`,
    text: `word${i} common`,
  }));
  const queries = documents.map((_, i) => ({ _id: `q${i}`, text: `word${i}` }));
  const jsonl = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  await writeFile(join(dataset, "corpus.jsonl"), jsonl(documents));
  await writeFile(join(dataset, "queries.jsonl"), jsonl(queries));
  const labels = queries.map(({ _id }, i) => `${_id}\td${i}\t1\n`).join("");
  await writeFile(join(dataset, "qrels.tsv"), `query-id\tcorpus-id\tscore\n${labels}`);
  await evaluateAll(from, undefined);
  const [cached = ""] = await readdir(join(from, "cache"));
  const evaluations = (base: string): string => join(base, "cache", cached, ".winnow", "evaluations");
  await rm(evaluations(from), { recursive: true });
  const { points = 0 } = await program.run(["evaluate", from], { under: evaluations(from) });
  expect(points).toBeGreaterThan(10);
  await rm(evaluations(from), { recursive: true });
  await inParallel(spread(points, KILLS), AT_ONCE, async (at) => {
    const base = `${from}-${at}`;
    await cp(from, base, { recursive: true, preserveTimestamps: true });
    const under = evaluations(base);
    const { lines } = await program.run(["evaluate", base], { under, how: "kill", at });
    const told = lines.flatMap((line) => (line.startsWith("outcome ") ? [line.slice(8)] : []));
    const [id = ""] = lines.flatMap((line) => (line.startsWith("id ") ? [line.slice(3)] : []));
    const again: string[] = [];
    expect(await evaluateAll(base, id, (line) => again.push(line)), `point ${at} of ${points}`).toBe(QUERIES);
    expect(again.filter((line) => told.includes(line.replace(/^outcome /, "")))).toEqual([]);
    const results = (await readFile(join(under, id, "results.jsonl"), "utf8")).trimEnd().split("\n");
    expect(new Set(results.map((line) => JSON.parse(line).query)).size).toBe(QUERIES);
    expect(await filesBelow(under), `point ${at} of ${points}`).toEqual([
      join(id, "evaluation.json"),
      join(id, "results.jsonl"),
    ]);
    await rm(base, { recursive: true });
  });
});
