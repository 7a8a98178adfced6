import type { Estimate } from "./compare.ts";
import { CUT_OFFS, type QueryOutcome } from "./query-outcome.ts";
import { meanIntervals, type ResampleOptions } from "./resample.ts";

type Measure = (outcome: QueryOutcome) => number | null;

const NDCG = "ndcg@10";

const MEASURES: readonly (readonly [string, Measure])[] = [
  ...CUT_OFFS.map((k): [string, Measure] => [`recall@${k}`, ({ scores }) => scores.recallAt[`${k}`]]),
  ...CUT_OFFS.map((k): [string, Measure] => [`allGold@${k}`, ({ scores }) => scores.allGoldAt[`${k}`]]),
  [NDCG, ({ scores }) => scores.ndcgAt?.["10"] ?? null],
  ["recall", ({ scores }) => scores.recall],
  ["precision", ({ scores }) => scores.precision],
  ["f1", ({ scores }) => scores.f1],
  ["allGold", ({ scores }) => scores.allGold],
  ["answerFound", ({ scores }) => scores.answerFound],
  ["trajectoryRecall", ({ scores }) => scores.trajectoryRecall],
  ["pruneAccuracy", ({ scores }) => scores.pruneAccuracy],
  ["listLength", ({ scores }) => scores.listLength],
  ["prunes", ({ scores }) => scores.prunes],
  ["turns", ({ answer }) => answer?.turns ?? 0],
  ["toolCalls", ({ answer }) => answer?.toolCalls ?? 0],
  ["promptTokens", ({ answer }) => answer?.promptTokens ?? 0],
  ["completionTokens", ({ answer }) => answer?.completionTokens ?? 0],
  ["seconds", ({ answer }) => answer?.seconds ?? 0],
];

/**
 * The means of an evaluation's row by name (`recall@5`, `f1`, …) with percentile bootstrap intervals over questions. A
 * measure that some questions do not have (`answerFound`, `pruneAccuracy`) is of those that do, and missing without any;
 * nDCG is missing unless every question has it, as in the row.
 */
export function rowIntervals(
  outcomes: readonly QueryOutcome[],
  options: ResampleOptions = {},
): Readonly<Record<string, Estimate>> {
  const columns = MEASURES.map(([name, measure]) => ({
    name,
    values: outcomes.flatMap((each) => measure(each) ?? []),
  }));
  const whole = columns.filter(({ values }) => values.length === outcomes.length && values.length > 0);
  const parts = columns.filter(
    ({ name, values }) => values.length < outcomes.length && values.length > 0 && name !== NDCG,
  );
  const intervals = [
    ...meanIntervals(
      whole.map(({ values }) => values),
      options,
    ),
    ...parts.flatMap(({ values }) => meanIntervals([values], options)),
  ];
  const estimates = [...whole, ...parts].map(({ name, values }, i): [string, Estimate] => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [name, { mean, ...(intervals[i] ?? { low: mean, high: mean }) }];
  });
  return Object.fromEntries(estimates);
}
