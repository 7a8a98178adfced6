import type { Comparison, PairComparison } from "../eval/compare.ts";
import type { QuestionDifference } from "../eval/question-differences.ts";
import { formatP, formatSigned, formatValue, markdownTable, markdownText, type Table } from "./report-table.ts";

/** One letter for each evaluation, in the order given: A is the baseline. */
export function letterOf(comparison: Comparison, position: number): string {
  return comparison.evaluations[position] === undefined ? "?" : String.fromCharCode(65 + position);
}

/** Who is compared. */
export function sidesTable(comparison: Comparison): Table {
  const head = ["", "policy", "profile", "retrieval", "k", "failed", "evaluation"];
  const rows = comparison.evaluations.map((side, i) => [
    letterOf(comparison, i),
    side.policy,
    side.profile,
    side.retrieval,
    String(side.k),
    String(side.failed),
    side.evaluation,
  ]);
  return [head, ...rows];
}

/** Means of all evaluations with their intervals. */
export function meansTable(comparison: Comparison): Table {
  const [first] = comparison.evaluations;
  const head = ["mean", ...comparison.evaluations.map((_, i) => letterOf(comparison, i))];
  const rows = Object.keys(first?.means ?? {}).map((name) => [
    name,
    ...comparison.evaluations.map(({ means: { [name]: estimate } }) =>
      estimate === undefined
        ? ""
        : `${formatValue(estimate.mean)} [${formatValue(estimate.low, estimate.mean)}, ${formatValue(estimate.high, estimate.mean)}]`,
    ),
  ]);
  return [head, ...rows];
}

/** Paired differences of the evaluation at `position` (from 1) from the baseline. */
export function differencesTable(comparison: Comparison, position: number): Table {
  const pair = comparison.comparisons[position - 1];
  const name = `${letterOf(comparison, position)} − ${letterOf(comparison, 0)}`;
  const head = [name, "difference", "95 % interval", "p", "better", "same", "worse"];
  const rows = Object.entries(pair?.metrics ?? {}).map(([metric, value]) => {
    const size = Math.max(Math.abs(value.low), Math.abs(value.high), Math.abs(value.difference));
    const [better, worse] = value.better === "none" ? ["more", "less"] : ["", ""];
    return [
      metric,
      formatSigned(value.difference, size),
      `[${formatSigned(value.low, size)}, ${formatSigned(value.high, size)}]`,
      formatP(value.p),
      [value.wins, better].join(" ").trim(),
      String(value.ties),
      [value.losses, worse].join(" ").trim(),
    ];
  });
  return [head, ...rows];
}

const QUESTION_METRICS = ["recall@5", "recall@10", "recall@30", "recall", "f1"];

/** The questions that differ most, baseline → evaluation. Undefined when none were asked for or none differ. */
export function questionsTable(pair: PairComparison): Table | undefined {
  const [first] = pair.questions;
  if (first === undefined) return undefined;
  const names = QUESTION_METRICS.filter((name) => name in first.values);
  const rows = pair.questions.map((question) => [
    question.query,
    ...names.map((name) => arrow(question.values[name])),
    question.onlyBaseline.join(" "),
    question.onlyEvaluation.join(" "),
  ]);
  return [["question", ...names, "found before only", "found now only"], ...rows];
}

function arrow(pair: QuestionDifference["values"][string] | undefined): string {
  if (pair === undefined) return "";
  const [before, after] = pair;
  return before === after ? formatValue(before, 1) : `${formatValue(before, 1)} → ${formatValue(after, 1)}`;
}

/** What is compared and how, in one line. */
export function methodLine({ questions, dataset, at, resamples, seed }: Comparison): string {
  const cut =
    at === null ? "lists as they are" : at === "shortest" ? "lists cut to the shortest" : `lists cut at ${at}`;
  const count = resamples.toLocaleString("en-US");
  return `${questions} questions of ${dataset}, ${cut}; ${count} resamples, seed ${seed}`;
}

/** The comparison as a Markdown document, ending with a line end. `command` is what makes it again. */
export function comparisonMarkdown(comparison: Comparison, command: string): string {
  const parts = [
    `# Comparison on ${markdownText(comparison.dataset)}`,
    `${markdownText(methodLine(comparison))}. Dataset hash ${markdownText(comparison.datasetHash)}.`,
    ...comparison.notices.map(({ message }) => `> **Note.** ${markdownText(message)}`),
    markdownTable(sidesTable(comparison)),
    "## Means with 95 % intervals",
    markdownTable(meansTable(comparison)),
  ];
  for (const [i, pair] of comparison.comparisons.entries()) {
    const title = `## ${letterOf(comparison, i + 1)} against ${letterOf(comparison, 0)}, question by question`;
    parts.push(title, markdownTable(differencesTable(comparison, i + 1)));
    const questions = questionsTable(pair);
    if (questions !== undefined) parts.push("### Questions that differ most", markdownTable(questions));
  }
  parts.push(METHODS, `Made by:\n\n\`\`\`sh\n${command}\n\`\`\``);
  return `${parts.join("\n\n")}\n`;
}

const METHODS =
  "Intervals: percentile bootstrap over questions (Efron & Tibshirani 1993). p: two-sided paired permutation test, signs " +
  "flipped question by question, all of them where at most 16 questions differ, else sampled (Smucker, Allan & Carterette " +
  "2007); not adjusted for the number of measures and pairs. Failed questions count as zero.";
