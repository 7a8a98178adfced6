import type { EvaluationHeader } from "./evaluation-files.ts";
import { type AtCutOffs, eachCutOff, type NdcgAt, type QueryOutcome } from "./query-outcome.ts";

/** One evaluation as one row. Means are over all queries, a failed one as zero. */
export interface EvaluationRow {
  readonly schema: "evaluation/1";
  /** Id of the evaluation. */
  readonly evaluation: string;
  readonly dataset: string;
  readonly policy: string;
  readonly profile: string;
  readonly retrieval: string;
  readonly queries: number;
  readonly failed: number;
  readonly k: number;
  readonly listLength: number;
  readonly recall: number;
  readonly precision: number;
  readonly f1: number;
  readonly allGold: number;
  /** Mean over queries with answers; null where the dataset has none. */
  readonly answerFound: number | null;
  readonly trajectoryRecall: number;
  /** Mean over runs that pruned; null when none did. */
  readonly pruneAccuracy: number | null;
  /** Pruned documents per query; turns, calls, tokens and seconds likewise. */
  readonly prunes: number;
  readonly turns: number;
  readonly toolCalls: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly seconds: number;
  readonly recallAt: AtCutOffs;
  readonly allGoldAt: AtCutOffs;
  /** Null when an outcome is of a version that did not measure it. */
  readonly ndcgAt: NdcgAt | null;
}

/** Aggregates the outcomes of an evaluation, one for each query. */
export function evaluationRow(header: EvaluationHeader, outcomes: readonly QueryOutcome[]): EvaluationRow {
  const scores = outcomes.map((outcome) => outcome.scores);
  const average = (value: (outcome: QueryOutcome) => number) => mean(outcomes.map(value)) ?? 0;
  return {
    schema: "evaluation/1",
    evaluation: header.id,
    dataset: header.dataset,
    policy: header.policy,
    profile: header.profile,
    retrieval: header.retrieval,
    queries: outcomes.length,
    failed: outcomes.filter((outcome) => outcome.answer === null).length,
    k: header.k,
    listLength: average((outcome) => outcome.scores.listLength),
    recall: average((outcome) => outcome.scores.recall),
    precision: average((outcome) => outcome.scores.precision),
    f1: average((outcome) => outcome.scores.f1),
    allGold: average((outcome) => outcome.scores.allGold),
    answerFound: mean(scores.flatMap(({ answerFound }) => answerFound ?? [])),
    trajectoryRecall: average((outcome) => outcome.scores.trajectoryRecall),
    pruneAccuracy: mean(scores.flatMap(({ pruneAccuracy }) => pruneAccuracy ?? [])),
    prunes: average((outcome) => outcome.scores.prunes),
    turns: average((outcome) => outcome.answer?.turns ?? 0),
    toolCalls: average((outcome) => outcome.answer?.toolCalls ?? 0),
    promptTokens: average((outcome) => outcome.answer?.promptTokens ?? 0),
    completionTokens: average((outcome) => outcome.answer?.completionTokens ?? 0),
    seconds: average((outcome) => outcome.answer?.seconds ?? 0),
    recallAt: eachCutOff((cutOff) => average((outcome) => outcome.scores.recallAt[key(cutOff)])),
    allGoldAt: eachCutOff((cutOff) => average((outcome) => outcome.scores.allGoldAt[key(cutOff)])),
    ndcgAt: scores.some(({ ndcgAt }) => ndcgAt === null)
      ? null
      : { "10": average((outcome) => outcome.scores.ndcgAt?.["10"] ?? 0) },
  };
}

function key(cutOff: number): keyof AtCutOffs {
  return String(cutOff) as keyof AtCutOffs;
}

/** Null without values. */
function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
