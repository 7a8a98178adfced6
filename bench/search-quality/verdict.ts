import type { Estimate } from "../../src/eval/compare.ts";
import type { QueryOutcome } from "../../src/eval/query-outcome.ts";
import { interval, type Spread, signed } from "./tables.ts";

/** What `rules` has to hold on every set. */
export const CRITERIA = {
  /** `rules:uncut` less the best single query, by every measure: the mean, and the lower bound of its interval. */
  meanMin: -0.01,
  lowMin: -0.03,
  /** `rules` with the list that it ends itself, less `rules:uncut`: the mean. */
  ownListMin: { "recall@5": -0.01, "recall@10": -0.02 } as Readonly<Record<string, number>>,
  /** The first documents that the question itself finds, which the own list has to hold. */
  firstKept: 3,
} as const;

/** Means of a few hundred ratios are sums in floating point: a bound that is met exactly must hold. */
const ROUNDING = 1e-9;

/** What the criteria are judged by, on one set. */
export interface SetFigures {
  readonly set: string;
  readonly questions: number;
  /** By measure: `rules:uncut` less the best single query by that measure. */
  readonly againstBest: Readonly<Record<string, Spread & { readonly best: string }>>;
  /** By measure: `rules` less `rules:uncut`. */
  readonly ownList: Readonly<Record<string, Spread>>;
  /** Questions whose own list lacks one of the first documents that the question itself finds, and has no near-copy of it. */
  readonly dropped: readonly string[];
}

/** The system with the highest mean; of several the one named first. Throws without any. */
export function bestAt(metric: string, means: Readonly<Record<string, Readonly<Record<string, Estimate>>>>): string {
  let best: { readonly name: string; readonly mean: number } | undefined;
  for (const [name, { [metric]: estimate }] of Object.entries(means)) {
    if (estimate !== undefined && (best === undefined || estimate.mean > best.mean + ROUNDING)) {
      best = { name, mean: estimate.mean };
    }
  }
  if (best === undefined) throw new Error(`Nothing has ${metric}.`);
  return best.name;
}

type Outcomes = ReadonlyMap<string, Pick<QueryOutcome, "answer">>;

/** By question, where there are any: which of the first `CRITERIA.firstKept` documents of `asked` the list in `own` lacks. */
export function droppedFirst(asked: Outcomes, own: Outcomes): ReadonlyMap<string, readonly string[]> {
  const dropped = [...own].map(([question, { answer }]) => {
    const first = [...new Set(asked.get(question)?.answer?.documents ?? [])].slice(0, CRITERIA.firstKept);
    const listed = new Set(answer?.documents ?? []);
    return [question, first.filter((document) => !listed.has(document))] as const;
  });
  return new Map(dropped.filter(([, documents]) => documents.length > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether the difference to the best single query is good enough. */
export function isHeld({ difference, low }: Spread): boolean {
  return difference >= CRITERIA.meanMin - ROUNDING && low >= CRITERIA.lowMin - ROUNDING;
}

/** The criteria that do not hold on a set, each with its figures. Empty where all hold. */
export function failures({ questions, againstBest, ownList, dropped }: SetFigures): string[] {
  const failed = Object.entries(againstBest)
    .filter(([, spread]) => !isHeld(spread))
    .map(([metric, spread]) => `${metric} ${interval(spread)} against ${spread.best}`);
  for (const [metric, min] of Object.entries(CRITERIA.ownListMin)) {
    const own = ownList[metric];
    if (own !== undefined && own.difference < min - ROUNDING) {
      failed.push(`own list ${metric} ${signed(own.difference)} where ${signed(min)} is allowed`);
    }
  }
  if (dropped.length > 0) {
    failed.push(
      `own list without one of the first ${CRITERIA.firstKept} in ${dropped.length} of ${questions} questions`,
    );
  }
  return failed;
}

/** The verdict over all sets, in Markdown. */
export function verdictText(all: readonly SetFigures[]): string {
  const judged = all.map((figures) => ({ set: figures.set, failed: failures(figures) }));
  const held = judged.filter(({ failed }) => failed.length === 0);
  const names = (sets: readonly { readonly set: string }[]) => sets.map(({ set }) => set).join(", ");
  if (held.length === all.length)
    return `**Verdict: every criterion holds on all ${all.length} sets** (${names(held)}).`;
  const lines = judged.flatMap(({ set, failed }) => (failed.length === 0 ? [] : [`- ${set}: ${failed.join("; ")}`]));
  const holding = held.length === 0 ? "" : ` (${names(held)})`;
  return `**Verdict: every criterion holds on ${held.length} of ${all.length} sets**${holding}. What does not hold:\n\n${lines.join("\n")}`;
}
