import { type Comparison, compare } from "../../src/eval/compare.ts";
import { loadDataset } from "../../src/eval/dataset.ts";
import type { StoredEvaluation } from "../../src/eval/evaluation-files.ts";
import { markdownTable } from "../../src/features/report-table.ts";
import type { Measurements } from "./measurements.ts";
import { hasNearCopy } from "./near-copies.ts";
import type { QualitySet, QuestionGroup } from "./sets.ts";
import {
  fittedWithout,
  HYBRID,
  HYBRID_BEFORE,
  ONE_SHOT,
  OWN_LIST,
  type System,
  UNCUT,
  type Weights,
} from "./systems.ts";
import { intervalsOf, METRICS, meansOf, number, type Spread } from "./tables.ts";
import { tunedOn } from "./tuned-on.ts";
import { bestAt, droppedFirst, type SetFigures } from "./verdict.ts";

type Against = SetFigures["againstBest"];

/** What was measured on one set. */
export interface SetReport {
  readonly figures: SetFigures;
  /** Of `rules:uncut` with weights that were fitted without this kind: less the best single query, and less the shipped. */
  readonly unfitted?: {
    readonly name: string;
    readonly againstBest: Against;
    readonly lessShipped: Readonly<Record<string, Spread>>;
  };
  /** Markdown. */
  readonly section: string;
}

/** Evaluations by the name of their system. */
type Measured = ReadonlyMap<string, StoredEvaluation>;

/** Measures every system on a set and writes its section. */
export async function reportSet(
  set: QualitySet,
  measurements: Measurements,
  weights: Weights | undefined,
): Promise<SetReport> {
  const without = weights && fittedWithout(set.kind, weights);
  const systems: readonly System[] = [...ONE_SHOT, UNCUT, OWN_LIST, ...(without ? [without] : [])];
  const measured = new Map<string, StoredEvaluation>();
  for (const system of systems) measured.set(system.name, await measurements.measure(set, system));
  const all = compare([...measured.values()]);
  const againstBest = lessBest(UNCUT.name, measured, all);
  const ownList = less(of(measured, OWN_LIST.name), of(measured, UNCUT.name));
  const dropped = await droppedWithoutCopy(set, measured);
  const unfitted = without && {
    name: without.name,
    againstBest: lessBest(without.name, measured, all),
    lessShipped: less(of(measured, without.name), of(measured, UNCUT.name)),
  };
  const figures: SetFigures = { set: set.name, questions: all.questions, againstBest, ownList, dropped };
  return { figures, ...(unfitted && { unfitted }), section: sectionOf(set, measured, all, { figures, unfitted }) };
}

/** Questions whose own list lacks one of the first documents of the question, near-copies counting as the document. */
async function droppedWithoutCopy(set: QualitySet, measured: Measured): Promise<string[]> {
  const own = of(measured, OWN_LIST.name).outcomes;
  const lacking = droppedFirst(of(measured, HYBRID).outcomes, own);
  if (lacking.size === 0) return [];
  const dataset = await loadDataset(await set.layOut());
  const dropped: string[] = [];
  for (const [question, documents] of lacking) {
    const listed = own.get(question)?.answer?.documents ?? [];
    for (const document of documents) {
      if (await hasNearCopy(dataset, document, listed)) continue;
      dropped.push(question);
      break;
    }
  }
  return dropped;
}

function sectionOf(
  set: QualitySet,
  measured: Measured,
  all: Comparison,
  { figures, unfitted }: { readonly figures: SetFigures; readonly unfitted: SetReport["unfitted"] },
): string {
  const { againstBest, ownList, dropped, questions } = figures;
  const shipped = less(of(measured, HYBRID), of(measured, HYBRID_BEFORE));
  const differences = [
    ["rules:uncut less the best single query", ...intervalsOf(againstBest)],
    ["… which is", ...METRICS.map((metric) => againstBest[metric]?.best ?? "")],
    ["rules less rules:uncut", ...intervalsOf(ownList)],
    ["find:hybrid less hybrid before", ...intervalsOf(shipped)],
    ...(unfitted
      ? [
          [`${unfitted.name}, less the best single query`, ...intervalsOf(unfitted.againstBest)],
          [`${unfitted.name}, less rules:uncut`, ...intervalsOf(unfitted.lessShipped)],
        ]
      : []),
  ];
  const first =
    dropped.length === 0 ? "no question" : `${dropped.length} of ${questions} questions (${named(dropped)})`;
  const parts = [
    `## ${set.title}: ${questions} questions`,
    `${tunedOn(set)} In this report: \`${set.name}\`.`,
    markdownTable(systemsTable(measured, all)),
    "Paired differences:",
    markdownTable([["", ...METRICS], ...differences]),
    `The list that \`rules\` ends itself lacks one of the first three documents that \`find:hybrid\` finds, near-copies aside, for ${first}. Every list cut to the shortest of the pair for each question, \`rules\` less \`find:hybrid\`: ${equalLengths(measured)}.`,
    ...(set.groups ?? []).map((group) => groupTable(group, measured)),
  ];
  return parts.join("\n\n");
}

const NAMED_MAX = 5;

function named(questions: readonly string[]): string {
  const rest = questions.length > NAMED_MAX ? ", …" : "";
  return questions.slice(0, NAMED_MAX).join(", ") + rest;
}

const WORK = ["allGold@30", "f1", "listLength", "turns", "prompt tokens", "documents pruned"];

function systemsTable(measured: Measured, { evaluations }: Comparison): string[][] {
  const rows = [...measured].map(([name, { outcomes }], i) => {
    const { means = {} } = evaluations[i] ?? {};
    const { turns, prunes } = workOf(outcomes);
    const mean = (metric: string, digits?: number): string => number(means[metric]?.mean, digits);
    const work = [mean("allGold@30"), mean("f1"), mean("listLength", 1), number(turns, 1)];
    return [name, ...meansOf(means), ...work, mean("promptTokens", 0), number(prunes, 1)];
  });
  return [["", ...METRICS, ...WORK], ...rows];
}

/** Means over the outcomes of what a comparison does not hold. */
export function workOf(outcomes: StoredEvaluation["outcomes"]): { readonly turns: number; readonly prunes: number } {
  const all = [...outcomes.values()];
  const mean = (of: (outcome: (typeof all)[number]) => number): number =>
    all.reduce((sum, outcome) => sum + of(outcome), 0) / all.length;
  return { turns: mean(({ answer }) => answer?.turns ?? 0), prunes: mean(({ scores }) => scores.prunes) };
}

function equalLengths(measured: Measured): string {
  const comparison = compare([of(measured, HYBRID), of(measured, OWN_LIST.name)], { at: "shortest" });
  const found = comparison.comparisons[0]?.metrics ?? {};
  const length = number(comparison.evaluations[1]?.means["listLength"]?.mean, 1);
  const [recall, f1, allGold] = intervalsOf(found, ["recall", "f1", "allGold"]);
  return `recall ${recall}, f1 ${f1}, all gold ${allGold}, at ${length} documents on average`;
}

/** A part of the questions by itself. */
function groupTable({ name, questions }: QuestionGroup, whole: Measured): string {
  const measured: Measured = new Map([...whole].map(([system, stored]) => [system, only(stored, questions)]));
  const count = of(measured, UNCUT.name).outcomes.size;
  if (count === 0) return `None of these questions belongs to \`${name}\`.`;
  const all = compare([...measured.values()]);
  const againstBest = lessBest(UNCUT.name, measured, all);
  const rows = [...measured.keys()].map((system, i) => [system, ...meansOf(all.evaluations[i]?.means ?? {})]);
  return `The ${count} questions of \`${name}\`:\n\n${markdownTable([
    ["", ...METRICS],
    ...rows,
    ["rules:uncut less the best single query", ...intervalsOf(againstBest)],
  ])}`;
}

function only(stored: StoredEvaluation, questions: ReadonlySet<string>): StoredEvaluation {
  const outcomes = new Map([...stored.outcomes].filter(([id]) => questions.has(id)));
  return { header: { ...stored.header, queries: outcomes.size }, outcomes };
}

/** By measure: a system less the single query that is best by it. */
function lessBest(system: string, measured: Measured, { evaluations }: Comparison): Against {
  const names = [...measured.keys()];
  const singles = ONE_SHOT.map(({ name }) => [name, evaluations[names.indexOf(name)]?.means ?? {}] as const);
  const means = Object.fromEntries(singles);
  const differences = new Map<string, Readonly<Record<string, Spread>>>();
  const against = METRICS.flatMap((metric) => {
    const best = bestAt(metric, means);
    const found = differences.get(best) ?? less(of(measured, system), of(measured, best));
    differences.set(best, found);
    const spread = found[metric];
    return spread === undefined ? [] : [[metric, { ...spread, best }] as const];
  });
  return Object.fromEntries(against);
}

/** Paired differences by measure, the first evaluation less the second. */
export function less(evaluation: StoredEvaluation, baseline: StoredEvaluation): Readonly<Record<string, Spread>> {
  return compare([baseline, evaluation]).comparisons[0]?.metrics ?? {};
}

function of(measured: Measured, name: string): StoredEvaluation {
  const found = measured.get(name);
  if (found === undefined) throw new Error(`${name} was not measured.`);
  return found;
}
