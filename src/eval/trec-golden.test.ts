import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { f1, ndcgAt, precision, recall, recallAt } from "./metrics.ts";
import { failureScores, scoreAnswer } from "./query-outcome.ts";

// Made by python/metrics/make_golden.py, which tells of trec_eval's conventions.
interface GoldenLine {
  readonly query: string;
  readonly qrels: Readonly<Record<string, number>>;
  readonly run: Readonly<Record<string, number>>;
  readonly values: Readonly<Record<string, number>>;
}

const TOLERANCE = 1e-9;
const CUT_OFFS = [1, 2, 5, 10, 30];

const golden = readFileSync("python/metrics/golden.jsonl", "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as GoldenLine);

/** Scores in single precision, highest first; equal ones by id, last first. */
function trecOrder(run: GoldenLine["run"]): string[] {
  const rows = Object.entries(run).map(([id, score]) => ({ id, score: Math.fround(score) }));
  return rows.sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1)).map(({ id }) => id);
}

function ours(list: readonly string[], qrels: GoldenLine["qrels"]): Record<string, number> {
  const gold = new Map(Object.entries(qrels).filter(([, grade]) => grade > 0));
  const values: Record<string, number> = {
    set_recall: recall(list, gold),
    set_P: precision(list, gold),
    set_F: f1(list, gold),
  };
  for (const k of CUT_OFFS) {
    values[`recall_${k}`] = recallAt(list, gold, k);
    values[`ndcg_cut_${k}`] = ndcgAt(list, gold, k);
  }
  return values;
}

test("the rankings hold what they are meant to hold", () => {
  const count = (holds: (line: GoldenLine) => boolean) => golden.filter(holds).length;
  expect(golden.length).toBeGreaterThanOrEqual(300);
  expect(
    count(({ run }) => new Set(Object.values(run).map(Math.fround)).size < Object.keys(run).length),
  ).toBeGreaterThan(100);
  expect(count(({ run, qrels }) => Object.keys(qrels).some((id) => !(id in run)))).toBeGreaterThan(100);
  expect(count(({ qrels }) => Object.values(qrels).some((grade) => grade <= 0))).toBeGreaterThan(100);
  expect(count(({ qrels }) => Object.values(qrels).some((grade) => grade > 1))).toBeGreaterThan(100);
  expect(count(({ run }) => Object.keys(run).length < 30)).toBeGreaterThan(100);
});

test("recall, precision, f1, recall@k and nDCG@k are trec_eval's", () => {
  for (const { query, qrels, run, values } of golden) {
    const own = ours(trecOrder(run), qrels);
    expect(Object.keys(own).sort(), query).toEqual(Object.keys(values).sort());
    for (const [name, value] of Object.entries(values)) {
      expect(Math.abs((own[name] ?? Number.NaN) - value), `${query} ${name}`).toBeLessThanOrEqual(TOLERANCE);
    }
  }
});

test("an answer is scored with the grades, a failed question with zero", () => {
  const work = { turns: 1, toolCalls: 1, promptTokens: 0, completionTokens: 0, seconds: 0, stopReason: "finished" };
  for (const { query, qrels, run, values } of golden) {
    const gold = new Map(Object.entries(qrels).filter(([, grade]) => grade > 0));
    const question = { id: query, text: "", answers: [], gold };
    const documents = trecOrder(run);
    // nDCG is of the first ten, however short the judged list is.
    const scores = scoreAnswer({ documents, seen: documents, pruned: [], ...work }, question, 3, []);
    expect(Math.abs((scores.ndcgAt?.["10"] ?? 2) - (values["ndcg_cut_10"] ?? 0)), query).toBeLessThanOrEqual(TOLERANCE);
    expect(failureScores(question).ndcgAt).toEqual({ "10": 0 });
  }
});

test("the order of ties matters: with the other one the values differ", () => {
  const differs = golden.filter(({ qrels, run, values }) => {
    const rows = Object.entries(run).map(([id, score]) => ({ id, score: Math.fround(score) }));
    const list = rows.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
    return Math.abs((ours(list, qrels)["ndcg_cut_5"] ?? 0) - (values["ndcg_cut_5"] ?? 0)) > TOLERANCE;
  });
  expect(differs.length).toBeGreaterThan(20);
});
