import { expect, test } from "vitest";
import { failureScores, type QueryOutcome, type SystemAnswer, scoreAnswer } from "./query-outcome.ts";
import { rowIntervals } from "./row-intervals.ts";

function outcome(n: number, documents: readonly string[] | null, answers: readonly string[] = []): QueryOutcome {
  const query = { id: `q${n}`, text: "?", answers, gold: new Map([["a", 1]]) };
  const base = { query: query.id, at: 0, gold: ["a"] };
  if (documents === null) {
    return { ...base, answer: null, error: { code: "internal", message: "" }, scores: failureScores(query) };
  }
  const work = { turns: n, toolCalls: 1, promptTokens: 100, completionTokens: 0, seconds: 1, stopReason: "finished" };
  const answer: SystemAnswer = { documents, seen: documents, pruned: n === 1 ? ["x"] : [], ...work };
  return { ...base, answer, error: null, scores: scoreAnswer(answer, query, 30, answers) };
}

test("means as in the row, bounds around them, measures of some questions over those", () => {
  const outcomes = [outcome(1, ["a"], ["forty"]), outcome(2, ["x", "a"]), outcome(3, ["y"]), outcome(4, null)];
  const estimates = rowIntervals(outcomes, { resamples: 500 });
  expect(estimates["recall@2"]?.mean).toBe(0.5);
  expect(estimates["ndcg@10"]?.mean).toBeCloseTo((1 + 1 / Math.log2(3)) / 4, 12);
  const old = outcomes.map((each, i) => (i === 0 ? { ...each, scores: { ...each.scores, ndcgAt: null } } : each));
  expect("ndcg@10" in rowIntervals(old, { resamples: 10 })).toBe(false);
  expect(estimates["turns"]?.mean).toBe(6 / 4);
  expect(estimates["promptTokens"]?.mean).toBe(75);
  expect(estimates["answerFound"]).toEqual({ mean: 1, low: 1, high: 1 });
  expect(estimates["pruneAccuracy"]).toEqual({ mean: 1, low: 1, high: 1 });
  for (const { mean, low, high } of Object.values(estimates)) {
    expect(low).toBeLessThanOrEqual(mean);
    expect(high).toBeGreaterThanOrEqual(mean);
  }
  expect(estimates["recall@2"]?.low).toBeLessThan(0.5);
  expect(rowIntervals(outcomes, { resamples: 500 })).toEqual(estimates);
  expect("answerFound" in rowIntervals([outcome(2, ["a"])])).toBe(false);
  expect(rowIntervals([])).toEqual({});
});
