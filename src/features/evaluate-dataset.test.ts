import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Policy } from "../agent/policy.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { fusionName } from "../retrieval/find/fusion-settings.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { type EvaluateDatasetOptions, evaluateDataset } from "./evaluate-dataset.ts";
import { cutOffsTable, reportEvaluation } from "./report-evaluation.ts";
import { writeWorld } from "./synthetic-world.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "winnow-evaluate-"));
  const signal = new AbortController().signal;
  await writeWorld({ folder: join(root, "world"), chunks: 240, seed: 1, questions: 6, counter: wordCounter(), signal });
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function evaluated(dataset: string, more: Partial<EvaluateDatasetOptions> = {}) {
  const started = await evaluateDataset({
    dataset: join(root, dataset),
    cacheFolder: join(root, "cache"),
    policy: "find:lexical",
    profile: "chat",
    k: 30,
    concurrency: 2,
    seed: 0,
    signal: new AbortController().signal,
    ...more,
  });
  try {
    const row = await started.evaluation.result;
    const queries = new Set(started.dataset.queries.map(({ id }) => id));
    return { row, report: await reportEvaluation(started.folder, row, queries) };
  } finally {
    await started.close();
  }
}

test("sets of questions over one corpus share an index, wherever the dataset lies, and find no document twice", async () => {
  const { row, report } = await evaluated("world");
  expect(row).toMatchObject({ dataset: "world", queries: 6, failed: 0 });
  expect(row.recallAt["30"]).toBeGreaterThan(0.2);
  expect(report.estimates["recall@30"]?.mean).toBeCloseTo(row.recallAt["30"], 12);
  expect(report.estimates["ndcg@10"]?.mean).toBeCloseTo(row.ndcgAt?.["10"] ?? -1, 12);
  const table = cutOffsTable(report);
  expect(table.map(([name]) => name)).toEqual(["", "recall", "nDCG", "all gold"]);
  // Measured at 10 only.
  expect(table[2]?.map((cell) => cell !== "")).toEqual([true, false, false, true, false]);
  const { "ndcg@10": _, ...older } = report.estimates;
  expect(cutOffsTable({ row, estimates: older }).map(([name]) => name)).toEqual(["", "recall", "all gold"]);
  const single = (await evaluated(join("world", "single-hop"))).row;
  expect(single).toMatchObject({ dataset: "world-single-hop", queries: 6 });
  expect(single.recallAt["30"]).toBeGreaterThan(0.8);
  await cp(join(root, "world"), join(root, "moved", "world"), { recursive: true });
  expect((await evaluated(join("moved", "world"))).row.recallAt).toEqual(row.recallAt);
  const indexes = await readdir(join(root, "cache"));
  expect(indexes).toHaveLength(1);
  const corpus = await openCorpus(join(root, "cache", indexes[0] ?? "", ".winnow"));
  const { documents } = await corpus.info();
  await corpus.close();
  const summary = JSON.parse(await readFile(join(root, "world", "world.json"), "utf8"));
  expect(documents).toBe(summary.documents);
});

test("an evaluation at another temperature is another one, and what samples nothing has none", async () => {
  const seen = new Set<number | undefined>();
  const createPolicy = (): Policy => ({
    name: "model",
    model: "m",
    decide: async (_view, { temperature }) => {
      seen.add(temperature);
      return { calls: [{ tool: "finish", arguments: { documents: [] } }] };
    },
  });
  const one = { policy: "model", createPolicy, limit: 1, resume: "warm" };
  expect((await evaluated("world", { ...one, temperature: 0.5 })).row.policy).toBe("model T=0.5");
  expect([...seen]).toEqual([0.5]);
  await expect(evaluated("world", { ...one, temperature: 0.6 })).rejects.toMatchObject({ code: "invalid_argument" });
  for (const policy of ["rules", "find:lexical"]) {
    await expect(evaluated("world", { policy, temperature: 0.5 })).rejects.toMatchObject({ code: "invalid_argument" });
  }
});

test("another fusion is another retrieval, of one query as of an agent, and changes what is found", async () => {
  const onlyDense = { k: 1, lexicalWeight: 0, denseWeight: 1, absentRank: null };
  for (const policy of ["find:hybrid", "rules"]) {
    const usual = (await evaluated("world", { policy })).row;
    const other = (await evaluated("world", { policy, fusion: onlyDense })).row;
    expect(other.retrieval).not.toBe(usual.retrieval);
    expect(other.retrieval).toContain(fusionName(onlyDense));
    if (policy === "find:hybrid") expect(other.recallAt).not.toEqual(usual.recallAt);
  }
});

test("another history is another profile", async () => {
  const names = new Set<string>();
  for (const history of ["sampled", "rerendered", undefined] as const) {
    const more = history === undefined ? {} : { history };
    names.add((await evaluated("world", { policy: "rules", limit: 1, ...more })).row.profile);
  }
  expect(names.size).toBe(2);
});

test("a report counts the questions of this evaluation only, also of one begun with more of them", async () => {
  const all = await evaluated("world", { resume: "mine" });
  const two = await evaluated("world", { resume: "mine", limit: 2 });
  expect([all.row.queries, two.row.queries]).toEqual([6, 2]);
  expect(two.report.estimates["recall@30"]?.mean).toBeCloseTo(two.row.recallAt["30"], 12);
});
