import { compare } from "../../src/eval/compare.ts";
import type { StoredEvaluation } from "../../src/eval/evaluation-files.ts";
import { markdownTable } from "../../src/features/report-table.ts";
import type { Measurements } from "./measurements.ts";
import { less, workOf } from "./set-section.ts";
import { type QualitySet, WINDOWS_SET } from "./sets.ts";
import { type System, UNCUT } from "./systems.ts";
import { intervalsOf, METRICS, meansOf, number } from "./tables.ts";

/** Tokens; the widest is that of the profile. */
const WINDOWS = [32_768, 16_384, 8_192, 4_096];
const [WIDEST] = WINDOWS;
const PRUNINGS = ["none", "oldest", "self-edit"] as const;

function systemFor(window: number, pruning: (typeof PRUNINGS)[number]): System {
  // The profile's own window and pruning are left unsaid, so that what other sections measured is used again.
  const other = { ...(window !== WIDEST && { window }), ...(pruning !== "self-edit" && { pruning }) };
  return { ...UNCUT, name: `rules:uncut, window ${window}, pruning ${pruning}`, ...other };
}

/** What the section of windows measures. */
export function windowsTasks(sets: readonly QualitySet[]): (readonly [QualitySet, System])[] {
  return sets
    .filter(({ name }) => name === WINDOWS_SET)
    .flatMap((set) =>
      WINDOWS.flatMap((window) => PRUNINGS.map((pruning) => [set, systemFor(window, pruning)] as const)),
    );
}

/** What each way of pruning gives in windows of several sizes, in Markdown. */
export async function windowsSection(set: QualitySet, measurements: Measurements): Promise<string> {
  const rows: string[][] = [];
  const differences: string[][] = [];
  for (const window of WINDOWS) {
    const measured: StoredEvaluation[] = [];
    for (const pruning of PRUNINGS) measured.push(await measurements.measure(set, systemFor(window, pruning)));
    const size = window.toLocaleString("en-US");
    for (const [i, { means }] of compare(measured).evaluations.entries()) {
      const { turns, prunes } = workOf(measured[i]?.outcomes ?? new Map());
      const work = [number(prunes, 1), number(turns, 1), number(means["promptTokens"]?.mean, 0)];
      const ratios = meansOf(means, [...METRICS, "allGold@30", "trajectoryRecall"]);
      rows.push([size, PRUNINGS[i] ?? "", ...ratios, ...work]);
    }
    const selfEdit = measured.at(-1);
    for (const [i, other] of measured.slice(0, -1).entries()) {
      if (selfEdit !== undefined) differences.push([size, PRUNINGS[i] ?? "", ...intervalsOf(less(selfEdit, other))]);
    }
  }
  const work = ["allGold@30", "trajectory recall", "documents pruned", "turns", "prompt tokens"];
  return `## The window, on \`${set.name}\`

${markdownTable([["window", "pruning", ...METRICS, ...work], ...rows])}

Self-edit less each other way, paired:

${markdownTable([["window", "less", ...METRICS], ...differences])}`;
}
