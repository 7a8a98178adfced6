import type { Side } from "./compare.ts";

/** A question in which two evaluations differ. */
export interface QuestionDifference {
  readonly query: string;
  /** Values of the ranked measures and f1: baseline, evaluation. */
  readonly values: Readonly<Record<string, readonly [number, number]>>;
  /** Relevant documents that are in one list (as cut for the comparison) and not in the other. */
  readonly onlyBaseline: readonly string[];
  readonly onlyEvaluation: readonly string[];
}

const RATIOS_LISTED = /^(recall|allGold|f1)/;
const ROUNDING = 1e-12;

/**
 * At most `count` questions in which two sides differ, by the summed size of their differences in recall, all-gold and
 * f1, largest first, equal ones by name. Questions without such a difference are left out. Pure.
 */
export function questionDifferences(baseline: Side, side: Side, count: number): QuestionDifference[] {
  if (count <= 0) return [];
  const metrics = side.metrics.flatMap(({ name }, m) => (RATIOS_LISTED.test(name) ? [{ name, m }] : []));
  const rows = side.outcomes.map(({ query }, i) => {
    const values = metrics.map(({ name, m }) => {
      const pair: readonly [number, number] = [baseline.columns[m]?.[i] ?? 0, side.columns[m]?.[i] ?? 0];
      return [name, pair] as const;
    });
    return { i, query, values, size: values.reduce((sum, [, [a, b]]) => sum + Math.abs(a - b), 0) };
  });
  return rows
    .filter(({ size }) => size > ROUNDING)
    .sort((a, b) => b.size - a.size || (a.query < b.query ? -1 : 1))
    .slice(0, count)
    .map(({ i, query, values }) => {
      const [before, after] = [goldListed(baseline, i), goldListed(side, i)];
      return {
        query,
        values: Object.fromEntries(values),
        onlyBaseline: before.filter((id) => !after.includes(id)),
        onlyEvaluation: after.filter((id) => !before.includes(id)),
      };
    });
}

function goldListed({ outcomes, scores }: Side, i: number): string[] {
  const outcome = outcomes[i];
  const listed = new Set([...new Set(outcome?.answer?.documents ?? [])].slice(0, scores[i]?.listLength ?? 0));
  return (outcome?.gold ?? []).filter((id) => listed.has(id));
}
