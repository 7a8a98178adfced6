import type { Estimate } from "../../src/eval/compare.ts";

/** A paired difference of means with its interval. */
export interface Spread {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** The measures that systems are judged by. */
export const METRICS = ["recall@2", "recall@5", "recall@10", "recall@30", "ndcg@10"];

export const number = (value: number | undefined, digits = 3): string => value?.toFixed(digits) ?? "";

/** With three digits; what rounds to zero has a plus. */
export function signed(value: number): string {
  const digits = Math.abs(value).toFixed(3);
  return `${value < 0 && Number(digits) > 0 ? "−" : "+"}${digits}`;
}

/** Means of the measures, without intervals. */
export const meansOf = (means: Readonly<Record<string, Estimate>>, metrics = METRICS): string[] =>
  metrics.map((metric) => number(means[metric]?.mean));

/** A paired difference with its interval. */
export const interval = (each: Spread | undefined): string =>
  each === undefined ? "" : `${signed(each.difference)} [${signed(each.low)}, ${signed(each.high)}]`;

/** Paired differences by measure, one cell each. */
export const intervalsOf = (found: Readonly<Record<string, Spread>>, metrics = METRICS): string[] =>
  metrics.map((metric) => interval(found[metric]));
