import { compare } from "../../src/eval/compare.ts";
import type { StoredEvaluation } from "../../src/eval/evaluation-files.ts";
import { markdownTable } from "../../src/features/report-table.ts";
import type { Measurements } from "./measurements.ts";
import { less, workOf } from "./set-section.ts";
import { type QualitySet, WINDOWS_SET } from "./sets.ts";
import { type System, UNCUT } from "./systems.ts";
import { intervalsOf, METRICS, meansOf, number } from "./tables.ts";

/** Sets on which the parts of `rules` are switched off, one after the other. */
const PARTS_SETS = ["musique-100", WINDOWS_SET];

const VARIANTS: readonly System[] = [
  UNCUT,
  { ...UNCUT, name: "without bridging", settings: { bridge: false } },
  { ...UNCUT, name: "without dense", mode: "lexical" },
  { ...UNCUT, name: "without pruning", pruning: "none" },
];

/** What the section of parts measures. */
export function partsTasks(sets: readonly QualitySet[]): (readonly [QualitySet, System])[] {
  return PARTS_SETS.flatMap((name) => sets.filter((set) => set.name === name)).flatMap((set) =>
    VARIANTS.map((system) => [set, system] as const),
  );
}

/** What each part of `rules` earns, in Markdown. */
export async function partsSection(sets: readonly QualitySet[], measurements: Measurements): Promise<string> {
  const parts: string[] = [];
  for (const set of new Set(partsTasks(sets).map(([each]) => each))) parts.push(await partsOf(set, measurements));
  return `## What each part of \`rules\` earns\n\n${parts.join("\n\n")}`;
}

async function partsOf(set: QualitySet, measurements: Measurements): Promise<string> {
  const measured: StoredEvaluation[] = [];
  for (const system of VARIANTS) measured.push(await measurements.measure(set, system));
  const comparison = compare(measured);
  const rows = comparison.evaluations.map(({ means }, i) => {
    const { turns, prunes } = workOf(measured[i]?.outcomes ?? new Map());
    const work = [number(means["promptTokens"]?.mean, 0), number(turns, 1), number(prunes, 1)];
    return [VARIANTS[i]?.name ?? "", ...meansOf(means), ...work];
  });
  const [whole] = measured;
  const differences = VARIANTS.slice(1).flatMap(({ name }, i) => {
    const without = measured[i + 1];
    return whole === undefined || without === undefined ? [] : [[name, ...intervalsOf(less(without, whole))]];
  });
  return `### ${set.title}: ${comparison.questions} questions

${markdownTable([["", ...METRICS, "prompt tokens", "turns", "documents pruned"], ...rows])}

Less \`rules:uncut\`, paired (below zero: the part earns something):

${markdownTable([["", ...METRICS], ...differences])}`;
}
