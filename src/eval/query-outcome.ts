import type { DatasetQuery } from "./dataset.ts";
import {
  allGoldAt,
  answerFound,
  f1,
  type Gold,
  ndcgAt,
  precision,
  pruneAccuracy,
  recall,
  recallAt,
  trajectoryRecall,
} from "./metrics.ts";

/** The cut-offs at which ranked recall is reported. */
export const CUT_OFFS = [2, 5, 10, 30] as const;

/** What a system under evaluation answers to one query. Document ids are those of the dataset. */
export interface SystemAnswer {
  /** Ranked, best first; may be longer than the list that is judged. */
  readonly documents: readonly string[];
  /** Documents of which anything was shown to the policy, in any order. For a one-shot system those it returned. */
  readonly seen: readonly string[];
  /** Documents of which chunks were pruned. */
  readonly pruned: readonly string[];
  readonly turns: number;
  readonly toolCalls: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly seconds: number;
  readonly stopReason: string;
}

/** One number for each of `CUT_OFFS`. */
export interface AtCutOffs {
  readonly "2": number;
  readonly "5": number;
  readonly "10": number;
  readonly "30": number;
}

/** nDCG of the first 10 documents, the cut-off at which BEIR and most of its users report it. */
export interface NdcgAt {
  readonly "10": number;
}

/** Measures of one query, all of them in 0..1 but `listLength` and `prunes`. */
export interface QueryScores {
  readonly listLength: number;
  readonly recall: number;
  readonly precision: number;
  readonly f1: number;
  readonly allGold: number;
  readonly answerFound: number | null;
  readonly trajectoryRecall: number;
  readonly pruneAccuracy: number | null;
  readonly prunes: number;
  readonly recallAt: AtCutOffs;
  readonly allGoldAt: AtCutOffs;
  /** Null in outcomes of versions that did not measure it. */
  readonly ndcgAt: NdcgAt | null;
}

/** One line of `results.jsonl`. Gold is repeated here so that evaluations can be compared without their dataset. */
export interface QueryOutcome {
  readonly query: string;
  /** Milliseconds since the epoch at the end. */
  readonly at: number;
  readonly gold: readonly string[];
  /** The grades of `gold`, in its order; left out where all are 1. */
  readonly grades?: readonly number[] | undefined;
  readonly answer: SystemAnswer | null;
  /** Null exactly when there is an answer. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly scores: QueryScores;
}

/** Scores of an answer: recall, precision and f1 of its first `k` documents, ranked recall of all of them. */
export function scoreAnswer(
  answer: SystemAnswer,
  query: DatasetQuery,
  k: number,
  listedTexts: readonly string[],
): QueryScores {
  const { gold } = query;
  const list = [...new Set(answer.documents)].slice(0, k);
  return {
    listLength: list.length,
    recall: recall(list, gold),
    precision: precision(list, gold),
    f1: f1(list, gold),
    allGold: recall(list, gold) === 1 ? 1 : 0,
    answerFound: answerFound(listedTexts, query.answers),
    trajectoryRecall: trajectoryRecall(answer.seen, gold),
    pruneAccuracy: pruneAccuracy(answer.pruned, gold),
    prunes: new Set(answer.pruned).size,
    recallAt: eachCutOff((cutOff) => recallAt(answer.documents, gold, cutOff)),
    allGoldAt: eachCutOff((cutOff) => allGoldAt(answer.documents, gold, cutOff)),
    ndcgAt: { "10": ndcgAt(answer.documents, gold, 10) },
  };
}

/** A query that failed: nothing found, nothing pruned. */
export function failureScores(query: DatasetQuery): QueryScores {
  const nothing: SystemAnswer = {
    documents: [],
    seen: [],
    pruned: [],
    turns: 0,
    toolCalls: 0,
    promptTokens: 0,
    completionTokens: 0,
    seconds: 0,
    stopReason: "failed",
  };
  return scoreAnswer(nothing, query, 1, []);
}

/** `gold` and `grades` of an outcome. */
export function goldFields(gold: Gold): Pick<QueryOutcome, "gold" | "grades"> {
  const grades = [...gold.values()];
  return { gold: [...gold.keys()], ...(grades.some((grade) => grade !== 1) && { grades }) };
}

/** The labels that an outcome was judged by. */
export function goldOf({ gold, grades }: Pick<QueryOutcome, "gold" | "grades">): Gold {
  return new Map(gold.map((id, i) => [id, grades?.[i] ?? 1]));
}

export function eachCutOff(value: (cutOff: number) => number): AtCutOffs {
  return { "2": value(2), "5": value(5), "10": value(10), "30": value(30) };
}
