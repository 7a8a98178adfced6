import { z } from "zod/mini";
import type { DatasetQuery } from "./dataset.ts";
import { allGoldAt, answerFound, f1, precision, pruneAccuracy, recall, recallAt, trajectoryRecall } from "./metrics.ts";

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

const measure = z.number().check(z.minimum(0), z.maximum(1));
const atCutOffs = z.object({ "2": measure, "5": measure, "10": measure, "30": measure });
const count = z.number().check(z.minimum(0));
const ids = z.array(z.string());

const scoresSchema = z.object({
  listLength: count,
  recall: measure,
  precision: measure,
  f1: measure,
  allGold: measure,
  answerFound: z.nullable(measure),
  trajectoryRecall: measure,
  pruneAccuracy: z.nullable(measure),
  prunes: count,
  recallAt: atCutOffs,
  allGoldAt: atCutOffs,
});

/** Measures of one query, all of them in 0..1 but `listLength` and `prunes`. */
export type QueryScores = z.infer<typeof scoresSchema>;

const answerSchema = z.object({
  documents: ids,
  seen: ids,
  pruned: ids,
  turns: count,
  toolCalls: count,
  promptTokens: count,
  completionTokens: count,
  seconds: count,
  stopReason: z.string(),
});

/** The answer as it will be stored, or undefined when it is not one (`NaN` seconds, say), which could not be read back. */
export function checkedAnswer(answer: SystemAnswer): z.infer<typeof answerSchema> | undefined {
  return answerSchema.safeParse(answer).data;
}

/** One line of `results.jsonl`. `gold` is repeated here so that evaluations can be compared without their dataset. */
export const outcomeSchema = z.object({
  query: z.string(),
  /** Milliseconds since the epoch at the end. */
  at: z.number(),
  gold: ids,
  answer: z.nullable(answerSchema),
  /** Null exactly when there is an answer. */
  error: z.nullable(z.object({ code: z.string(), message: z.string() })),
  scores: scoresSchema,
});

export type QueryOutcome = z.infer<typeof outcomeSchema>;

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

export type AtCutOffs = QueryScores["recallAt"];

export function eachCutOff(value: (cutOff: number) => number): AtCutOffs {
  return { "2": value(2), "5": value(5), "10": value(10), "30": value(30) };
}
