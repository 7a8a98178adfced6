import type { Comparison, Difference, Estimate } from "../../src/eval/compare.ts";
import { markdownTable } from "../../src/features/report-table.ts";

export const METRICS = ["recall@2", "recall@5", "recall@10", "recall@30", "allGold@30"];

export const number = (value: number): string => value.toFixed(3);
const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

/** A mean with its interval. */
export const estimate = (each: Estimate | undefined): string =>
  each === undefined ? "" : `${number(each.mean)} [${number(each.low)}, ${number(each.high)}]`;

/** A paired difference with its interval. */
export const interval = (each: Difference | undefined): string =>
  each === undefined ? "" : `${signed(each.difference)} [${signed(each.low)}, ${signed(each.high)}]`;

/** Paired differences of every other evaluation to the first, whose name comes first too. */
export function differencesTable(names: readonly string[], comparison: Comparison, metrics = METRICS): string {
  const rows = comparison.comparisons.map(({ metrics: found }, i) => [
    names[i + 1] ?? "",
    ...metrics.map((metric) => interval(found[metric])),
  ]);
  return markdownTable([["", ...metrics], ...rows]);
}
