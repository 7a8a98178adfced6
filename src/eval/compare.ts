import { WinnowError } from "../core/errors.ts";
import { oneLine, plural } from "../core/text.ts";
import type { Notice } from "../core/types.ts";
import {
  type ComparedMetric,
  type Cut,
  comparedMetrics,
  cutScores,
  type Direction,
  judgedList,
} from "./compare-metrics.ts";
import type { EvaluationHeader, StoredEvaluation } from "./evaluation-files.ts";
import type { QueryOutcome, QueryScores } from "./query-outcome.ts";
import { type QuestionDifference, questionDifferences } from "./question-differences.ts";
import { CONFIDENCE, meanIntervals, RESAMPLES, RESAMPLES_MAX, signFlipTests } from "./resample.ts";
import { K_MAX } from "./run-evaluation.ts";

/** More evaluations than this make no table that anyone reads. */
export const COMPARED_MAX = 20;

export interface CompareOptions {
  /** Cuts all lists before they are judged, so that none gains by its length. Default: lists as they are. */
  readonly at?: Cut;
  /** Default `RESAMPLES`, 1 to `RESAMPLES_MAX`. */
  readonly resamples?: number;
  /** Default 0. */
  readonly seed?: number;
  /** How many questions to name for each pair, those that differ most first. Default 0. */
  readonly perQuestion?: number;
}

/** A mean over questions with its percentile bootstrap interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface ComparedEvaluation {
  readonly evaluation: string;
  readonly policy: string;
  readonly profile: string;
  readonly retrieval: string;
  readonly k: number;
  readonly failed: number;
  readonly means: Readonly<Record<string, Estimate>>;
}

/** The paired difference, evaluation minus baseline, of one measure. */
export interface Difference {
  readonly better: Direction;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided paired permutation test of no difference. Not adjusted for the number of measures and pairs. */
  readonly p: number;
  /** False when the signs of the test were sampled. */
  readonly exact: boolean;
  /** Questions in which the evaluation is better than the baseline (has more, where neither way is better). */
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
}

export interface PairComparison {
  readonly baseline: string;
  readonly evaluation: string;
  readonly metrics: Readonly<Record<string, Difference>>;
  readonly questions: readonly QuestionDifference[];
}

export interface Comparison {
  readonly schema: "comparison/1";
  readonly dataset: string;
  readonly datasetHash: string;
  /** Questions that all evaluations have an outcome of; only these are compared. */
  readonly questions: number;
  readonly at: Cut | null;
  readonly confidence: number;
  readonly resamples: number;
  readonly seed: number;
  readonly evaluations: readonly ComparedEvaluation[];
  /** Every other evaluation against the first. */
  readonly comparisons: readonly PairComparison[];
  readonly notices: readonly Notice[];
}

/** An evaluation with the outcomes that are compared, question by question, and one column of values for each measure. */
export interface Side {
  readonly header: EvaluationHeader;
  readonly outcomes: readonly QueryOutcome[];
  readonly scores: readonly QueryScores[];
  readonly metrics: readonly ComparedMetric[];
  readonly columns: readonly (readonly number[])[];
}

/**
 * Compares evaluations of one dataset, question by question: means with intervals, and the differences of each from the
 * first with intervals, tests, wins and losses (see resample.ts for the methods). A failed question counts as it does in
 * its evaluation, as zero. nDCG is compared where all outcomes have it. Rejects with `invalid_argument` for fewer than two evaluations, for different datasets, and
 * where no question is common to all. What weakens the comparison (unequal list lengths, missing or failed questions) is
 * a notice. Pure.
 */
export function compare(evaluations: readonly StoredEvaluation[], options: CompareOptions = {}): Comparison {
  checkOptions(evaluations, options);
  const [first] = evaluations;
  if (first === undefined) throw new WinnowError("invalid_argument", "There is nothing to compare.");
  checkSameDataset(first.header, evaluations);
  const questions = commonQuestions(first, evaluations);
  const sides = sidesOf(evaluations, questions, options.at);
  const [baseline, ...others] = sides;
  if (baseline === undefined) throw new WinnowError("internal", "An evaluation was lost.");
  return {
    schema: "comparison/1",
    dataset: first.header.dataset,
    datasetHash: first.header.datasetHash,
    questions: questions.length,
    at: options.at ?? null,
    confidence: CONFIDENCE,
    resamples: options.resamples ?? RESAMPLES,
    seed: options.seed ?? 0,
    evaluations: sides.map((side) => describe(side, options)),
    comparisons: others.map((side) => comparePair(baseline, side, options)),
    notices: [...questionNotices(evaluations, questions.length), ...lengthNotices(sides, options.at)],
  };
}

function checkOptions(evaluations: readonly StoredEvaluation[], options: CompareOptions): void {
  const { at, resamples = RESAMPLES, seed = 0 } = options;
  const refuse = (message: string) => new WinnowError("invalid_argument", message);
  const within = (value: number, max: number) => Number.isInteger(value) && value >= 1 && value <= max;
  if (evaluations.length < 2 || evaluations.length > COMPARED_MAX) {
    throw refuse(`A comparison takes 2 to ${COMPARED_MAX} evaluations, not ${evaluations.length}.`);
  }
  if (typeof at === "number" && !within(at, K_MAX)) throw refuse(`Lists can be cut at 1 to ${K_MAX} documents.`);
  if (!within(resamples, RESAMPLES_MAX)) throw refuse(`resamples must be a whole number from 1 to ${RESAMPLES_MAX}.`);
  if (!Number.isSafeInteger(seed)) throw refuse("seed must be a whole number.");
}

function checkSameDataset(first: EvaluationHeader, evaluations: readonly StoredEvaluation[]): void {
  const other = evaluations.find(({ header }) => header.datasetHash !== first.datasetHash)?.header;
  if (other === undefined) return;
  const named = ({ id, dataset, datasetHash }: EvaluationHeader) =>
    `${oneLine(id, 60)} is of ${oneLine(dataset, 60)} (${oneLine(datasetHash, 20)})`;
  throw new WinnowError(
    "invalid_argument",
    `Different questions cannot be compared: ${named(first)}, ${named(other)}.`,
    {
      hint: "Evaluate both policies on the same queries.jsonl and qrels.tsv.",
    },
  );
}

/** In the order of their names, so that a comparison does not depend on the order in which questions were run. */
function commonQuestions(first: StoredEvaluation, evaluations: readonly StoredEvaluation[]): string[] {
  const common = [...first.outcomes.keys()].filter((id) => evaluations.every(({ outcomes }) => outcomes.has(id)));
  if (common.length > 0) return common.sort();
  throw new WinnowError("invalid_argument", "No question has an outcome in all of these evaluations.", {
    hint: "Finish them with `winnow eval DATASET --resume EVALUATION`.",
  });
}

function sidesOf(evaluations: readonly StoredEvaluation[], questions: readonly string[], at: Cut | undefined): Side[] {
  const aligned = evaluations.map(({ header, outcomes }) => ({
    header,
    outcomes: questions.flatMap((id) => outcomes.get(id) ?? []),
  }));
  const hasNdcg = aligned.every(({ outcomes }) => outcomes.every(({ scores }) => scores.ndcgAt !== null));
  const metrics = comparedMetrics(at, hasNdcg);
  const cuts = questions.map((_, i) => (at === "shortest" ? shortest(aligned, i) : at));
  return aligned.map(({ header, outcomes }) => {
    const scores = outcomes.map((outcome, i) => {
      const cut = cuts[i];
      return cut === undefined ? outcome.scores : cutScores(outcome, cut);
    });
    const columns = metrics.map((metric) =>
      outcomes.map((outcome, i) => metric.value(outcome, scores[i] ?? outcome.scores)),
    );
    return { header, outcomes, scores, metrics, columns };
  });
}

/** The shortest list that has any document: a failure or an abstention must not empty the others' lists. */
function shortest(sides: readonly Pick<Side, "header" | "outcomes">[], i: number): number {
  const lengths = sides.map(({ header, outcomes: { [i]: outcome } }) =>
    outcome === undefined ? 0 : judgedList(outcome, header).length,
  );
  return Math.min(K_MAX, ...lengths.filter((length) => length > 0));
}

function describe({ header, outcomes, metrics, columns }: Side, options: CompareOptions): ComparedEvaluation {
  const intervals = meanIntervals(columns, options);
  const means = metrics.map(({ name }, m) => {
    const interval = intervals[m] ?? { low: 0, high: 0 };
    return [name, { mean: mean(columns[m] ?? []), ...interval }] as const;
  });
  return {
    evaluation: header.id,
    policy: header.policy,
    profile: header.profile,
    retrieval: header.retrieval,
    k: header.k,
    failed: outcomes.filter(({ answer }) => answer === null).length,
    means: Object.fromEntries(means),
  };
}

function comparePair(baseline: Side, side: Side, options: CompareOptions): PairComparison {
  const { metrics } = side;
  const differences = metrics.map((_, m) => {
    const before = baseline.columns[m] ?? [];
    return (side.columns[m] ?? []).map((value, i) => value - (before[i] ?? 0));
  });
  const intervals = meanIntervals(differences, options);
  const tests = signFlipTests(differences, options);
  const compared = metrics.map(({ name, better }, m): [string, Difference] => {
    const column = differences[m] ?? [];
    const { p, exact } = tests[m] ?? { p: 1, exact: true };
    const good = better === "lower" ? -1 : 1;
    const wins = column.filter((value) => value * good > 0).length;
    const losses = column.filter((value) => value * good < 0).length;
    const interval = intervals[m] ?? { low: 0, high: 0 };
    const ties = column.length - wins - losses;
    return [name, { better, difference: mean(column), ...interval, p, exact, wins, ties, losses }];
  });
  return {
    baseline: baseline.header.id,
    evaluation: side.header.id,
    metrics: Object.fromEntries(compared),
    questions: questionDifferences(baseline, side, options.perQuestion ?? 0),
  };
}

function questionNotices(evaluations: readonly StoredEvaluation[], common: number): Notice[] {
  const notices: Notice[] = [];
  for (const { header, outcomes } of evaluations) {
    const missing = Math.max(header.queries, outcomes.size) - common;
    if (missing > 0) {
      const message = `${plural(missing, "question")} of ${header.id} left out, not answered by all of the evaluations.`;
      notices.push({ code: "questions_missing", message });
    }
    const failed = [...outcomes.values()].filter(({ answer }) => answer === null).length;
    if (failed > 0) {
      const message = `${plural(failed, "question")} of ${header.id} failed and count as zero, in tokens and seconds too.`;
      notices.push({ code: "questions_failed", message });
    }
  }
  return notices;
}

/** Longer lists have more recall for nothing, so a reader must know of them before any other number. */
function lengthNotices(sides: readonly Side[], at: Cut | undefined): Notice[] {
  const lengths = sides.map((side) => side.scores.map(({ listLength }) => listLength));
  const unequal = (lengths[0] ?? []).filter((first, i) => lengths.some((side) => side[i] !== first)).length;
  if (unequal === 0) return [];
  const means = sides.map(({ header }, i) => `${mean(lengths[i] ?? []).toFixed(1)} (${header.id})`).join(", ");
  const advice =
    at === undefined
      ? "Longer lists have higher recall for nothing. Cut them with --at K, or --at shortest for each question's shortest."
      : at === "shortest"
        ? "Some are empty."
        : "Some are shorter than the cut; --at shortest makes them equal.";
  const questions = `${plural(unequal, "question")} of ${lengths[0]?.length ?? 0}`;
  const message = `LISTS ARE NOT EQUALLY LONG in ${questions}: ${means} documents on average. ${advice}`;
  return [{ code: "list_lengths_differ", message }];
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
