import type { EvaluationHeader } from "./evaluation-files.ts";
import { CUT_OFFS, goldOf, type QueryOutcome, type QueryScores, scoreAnswer } from "./query-outcome.ts";

/** Which way is good. `none`: neither is, the number describes the answer. */
export type Direction = "higher" | "lower" | "none";

export interface ComparedMetric {
  readonly name: string;
  readonly better: Direction;
  value(outcome: QueryOutcome, scores: QueryScores): number;
}

/** Where lists are cut before they are judged: at a length, or for each question at the shortest of its lists. */
export type Cut = number | "shortest";

const ratio = (name: string, value: (scores: QueryScores) => number): ComparedMetric => ({
  name,
  better: "higher",
  value: (_, scores) => value(scores),
});

const recallAtCutOffs = CUT_OFFS.map((cutOff) => ratio(`recall@${cutOff}`, (scores) => scores.recallAt[`${cutOff}`]));

/** Measures of the first documents; with lists cut at a length, only up to that. */
function rankedMetrics(cut: Cut | undefined, hasNdcg: boolean): ComparedMetric[] {
  const within = (cutOff: number) => typeof cut !== "number" || cutOff <= cut;
  const allGold = ratio("allGold@30", (scores) => scores.allGoldAt["30"]);
  const ndcg = ratio("ndcg@10", (scores) => scores.ndcgAt?.["10"] ?? 0);
  return [
    ...recallAtCutOffs.filter((_, i) => within(CUT_OFFS[i] ?? 0)),
    ...(hasNdcg && within(10) ? [ndcg] : []),
    ...(within(30) ? [allGold] : []),
  ];
}

/**
 * What is compared, in the order of reports. `recall`, `allGold` and `f1` judge the list as it was cut. Without `hasNdcg`
 * nDCG is left out: evaluations from before it was measured do not have it, nor the grades to compute it from.
 */
export function comparedMetrics(cut: Cut | undefined, hasNdcg: boolean): readonly ComparedMetric[] {
  return [
    ...rankedMetrics(cut, hasNdcg),
    ratio("recall", (scores) => scores.recall),
    ratio("allGold", (scores) => scores.allGold),
    ratio("f1", (scores) => scores.f1),
    ratio("trajectoryRecall", (scores) => scores.trajectoryRecall),
    { name: "listLength", better: "none", value: (_, scores) => scores.listLength },
    { name: "promptTokens", better: "lower", value: (outcome) => outcome.answer?.promptTokens ?? 0 },
    { name: "seconds", better: "lower", value: (outcome) => outcome.answer?.seconds ?? 0 },
  ];
}

/** Distinct documents of the list that was judged. */
export function judgedList(outcome: QueryOutcome, { k }: Pick<EvaluationHeader, "k">): string[] {
  return [...new Set(outcome.answer?.documents ?? [])].slice(0, k);
}

/** The scores of an outcome with its list cut to `length` documents; unchanged where there was no answer. */
export function cutScores(outcome: QueryOutcome, length: number): QueryScores {
  if (outcome.answer === null) return outcome.scores;
  const documents = [...new Set(outcome.answer.documents)].slice(0, length);
  const query = { id: outcome.query, text: "", answers: [], gold: goldOf(outcome) };
  // Whether the answer stands in the list cannot be told without the texts; it is not compared.
  const scores = scoreAnswer({ ...outcome.answer, documents }, query, Math.max(1, length), []);
  // An outcome without it was written without grades.
  return outcome.scores.ndcgAt === null ? { ...scores, ndcgAt: null } : scores;
}
