/** Datasets, metrics and evaluations. Public surface of `winnow-search/eval`. */
export {
  type ComparedEvaluation,
  type CompareOptions,
  type Comparison,
  compare,
  type Difference,
  type Estimate,
  type PairComparison,
} from "./compare.ts";
export type { Cut, Direction } from "./compare-metrics.ts";
export { type Dataset, type DatasetQuery, loadDataset } from "./dataset.ts";
export { type EvaluationHeader, readEvaluation, type StoredEvaluation } from "./evaluation-files.ts";
export { type EvaluationRow, evaluationRow } from "./evaluation-row.ts";
export {
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
export { CUT_OFFS, type QueryOutcome, type QueryScores, type SystemAnswer } from "./query-outcome.ts";
export type { QuestionDifference } from "./question-differences.ts";
export { type Interval, meanIntervals, type ResampleOptions, type SignFlipTest, signFlipTests } from "./resample.ts";
export {
  type EvaluatedSystem,
  type EvaluateOptions,
  type Evaluation,
  type EvaluationEvent,
  evaluate,
} from "./run-evaluation.ts";
