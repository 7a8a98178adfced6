import { WinnowError } from "../core/errors.ts";
import type { Estimate } from "../eval/compare.ts";
import { readEvaluation } from "../eval/evaluation-files.ts";
import type { EvaluationRow } from "../eval/evaluation-row.ts";
import { CUT_OFFS } from "../eval/query-outcome.ts";
import { RESAMPLES } from "../eval/resample.ts";
import { rowIntervals } from "../eval/row-intervals.ts";
import { formatValue, markdownTable, markdownText, type Table } from "./report-table.ts";

export type { EvaluationRow } from "../eval/evaluation-row.ts";

/** An evaluation's row with intervals for its means, by name: `recall@5`, `f1`, `seconds`, … */
export interface EvaluationReport {
  readonly row: EvaluationRow;
  readonly estimates: Readonly<Record<string, Estimate>>;
}

/** Reads the outcomes of a finished evaluation, those of `queries` only, and puts intervals to the means of its row. */
export async function reportEvaluation(
  folder: string,
  row: EvaluationRow,
  queries: ReadonlySet<string>,
): Promise<EvaluationReport> {
  const stored = await readEvaluation(folder);
  if (stored === undefined) throw new WinnowError("record_corrupt", `There is no evaluation in ${folder}.`);
  // In the order of ids: an interval must not depend on which question was finished first.
  const ids = [...stored.outcomes.keys()].filter((id) => queries.has(id)).sort();
  return { row, estimates: rowIntervals(ids.flatMap((id) => stored.outcomes.get(id) ?? [])) };
}

/** Recall, nDCG and all-gold at their cut-offs. */
export function cutOffsTable({ estimates }: EvaluationReport): Table {
  const cell = (name: string) => {
    const estimate = estimates[name];
    if (estimate === undefined) return "";
    return `${estimate.mean.toFixed(3)} [${estimate.low.toFixed(2)}, ${estimate.high.toFixed(2)}]`;
  };
  return [
    ["", ...CUT_OFFS.map((k) => `@${k}`)],
    ["recall", ...CUT_OFFS.map((k) => cell(`recall@${k}`))],
    ...("ndcg@10" in estimates ? [["nDCG", ...CUT_OFFS.map((k) => cell(`ndcg@${k}`))]] : []),
    ["all gold", ...CUT_OFFS.map((k) => cell(`allGold@${k}`))],
  ];
}

/** A mean with its interval, or a dash where there is none. */
export function estimateText({ estimates }: EvaluationReport, name: string): string {
  const estimate = estimates[name];
  if (estimate === undefined) return "–";
  const { mean, low, high } = estimate;
  return `${formatValue(mean)} [${formatValue(low, mean)}, ${formatValue(high, mean)}]`;
}

/** The evaluation as a Markdown document, ending with a line end. `command` is what makes it again. */
export function evaluationMarkdown(report: EvaluationReport, command: string, notes: readonly string[] = []): string {
  const { row, estimates } = report;
  const settings: Table = [
    ["setting", "value"],
    ["dataset", row.dataset],
    ["policy", row.policy],
    ["profile", row.profile],
    ["retrieval", row.retrieval],
    ["questions", `${row.queries}, ${row.failed} failed (counted as zero)`],
    ["list", `at most ${row.k} documents`],
    ["evaluation", row.evaluation],
  ];
  const measures: Table = [
    ["measure", "mean [95 % interval]"],
    ...Object.keys(estimates)
      .filter((name) => !name.includes("@"))
      .map((name) => [name, estimateText(report, name)]),
  ];
  const parts = [
    `# ${markdownText(row.policy)} on ${markdownText(row.dataset)}`,
    ...notes.map((note) => `> **Note.** ${markdownText(note)}`),
    markdownTable(cutOffsTable(report)),
    markdownTable(measures),
    markdownTable(settings),
    `Intervals: percentile bootstrap over questions, ${RESAMPLES.toLocaleString("en-US")} resamples, seed 0 (Efron & Tibshirani 1993). recall, precision, f1 and allGold judge the list as the policy cut it.`,
    `Made by:\n\n\`\`\`sh\n${command}\n\`\`\``,
  ];
  return `${parts.join("\n\n")}\n`;
}
