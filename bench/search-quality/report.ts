import { markdownTable } from "../../src/features/report-table.ts";
import type { SetReport } from "./set-section.ts";
import type { QualitySet } from "./sets.ts";
import { interval, METRICS, signed } from "./tables.ts";
import { tunedOn } from "./tuned-on.ts";
import { CRITERIA, failures, isHeld, type SetFigures, verdictText } from "./verdict.ts";

export interface ReportInput {
  /** What makes the report again. */
  readonly command: string;
  readonly sets: readonly QualitySet[];
  /** One for each of `sets`. */
  readonly reports: readonly SetReport[];
  /** Sections of their own, in Markdown. */
  readonly more: readonly string[];
  /** What was measured with an earlier state of the code. */
  readonly outdated: ReadonlySet<string>;
  /** First questions of every set that were asked, where not all were. */
  readonly limit?: number;
}

/** Sets by their name alone where as many of their systems are outdated as of any. */
function namedOutdated(outdated: ReadonlySet<string>, sets: readonly QualitySet[]): string {
  const bySet = sets.map(({ name }) => ({ name, own: [...outdated].filter((each) => each.startsWith(`${name} `)) }));
  const most = Math.max(2, ...bySet.map(({ own }) => own.length));
  return bySet.flatMap(({ name, own }) => (own.length === most ? [name] : own)).join(", ");
}

/** The whole report, in Markdown. */
export function reportText({ command, sets, reports, more, outdated, limit }: ReportInput): string {
  const figures = reports.map((report) => report.figures);
  const short = limit === undefined ? [] : [`**Of every set only the first ${limit} questions were asked.**`];
  const old =
    outdated.size === 0
      ? []
      : [
          `**Measured with an earlier state of the code** (\`--again find,rules\` repeats it): ${namedOutdated(outdated, sets)}.`,
        ];
  const parts = [
    "# Search quality",
    `Made by \`${command}\`. Lists of at most 30 documents; paired differences with 95 % percentile bootstrap intervals over questions (10,000 resamples, seed 0); nDCG as trec_eval computes it, with graded labels. No model is used anywhere.`,
    ...short,
    ...old,
    "## In short",
    verdictText(figures),
    "`rules:uncut` less the best single query of the set at each measure (of `find:hybrid`, `hybrid before`, `find:lexical` and `find:dense`, by the mean; being chosen afterwards makes it a harder baseline than any one of them). ✗: does not hold.",
    markdownTable(summaryTable(figures)),
    criteriaText(),
    ...unfittedParts(reports),
    "## What was tuned on what",
    markdownTable([["set", "tuned on it"], ...sets.map((set) => [set.name, tunedOn(set).replaceAll("`", "")])]),
    "`hybrid before` is hybrid search as it was by default until scores were fused: reciprocal ranks, k 3, dense 0.15.",
    ...reports.map(({ section }) => section),
    ...more,
  ];
  return `${parts.join("\n\n")}\n`;
}

const OWN_LIST_METRICS = Object.keys(CRITERIA.ownListMin);

function summaryTable(all: readonly SetFigures[]): string[][] {
  const head = ["set", "questions", ...METRICS];
  const own = OWN_LIST_METRICS.map((metric) => `own list ${metric}`);
  const rows = all.map((figures) => {
    const { set, questions, againstBest, ownList, dropped } = figures;
    const against = METRICS.map((metric) => {
      const spread = againstBest[metric];
      return spread === undefined ? "" : interval(spread) + (isHeld(spread) ? "" : " ✗");
    });
    const lost = OWN_LIST_METRICS.map((metric) => signed(ownList[metric]?.difference ?? 0));
    const holds = failures(figures).length === 0 ? "yes" : "no";
    return [set, String(questions), ...against, ...lost, String(dropped.length), holds];
  });
  return [[...head, ...own, `first ${CRITERIA.firstKept} dropped`, "holds"], ...rows];
}

function criteriaText(): string {
  const { meanMin, lowMin, ownListMin, firstKept } = CRITERIA;
  const own = Object.entries(ownListMin).map(([metric, min]) => `${signed(min)} at ${metric}`);
  return `Criteria, on every set: the difference to the best single query is at least ${signed(meanMin)} and its interval begins no lower than ${signed(lowMin)}, at every measure; the list that \`rules\` ends itself has, less \`rules:uncut\`, at least ${own.join(" and ")}; and it holds the first ${firstKept} documents that the question itself finds (\`find:hybrid\`), or a near-copy of them, for every question.`;
}

/** What weights give that were fitted without the kind of the set. */
function unfittedParts(reports: readonly SetReport[]): string[] {
  const rows = reports.flatMap(({ figures, unfitted }) =>
    unfitted === undefined
      ? []
      : [
          [figures.set, "the best single query", ...METRICS.map((metric) => interval(unfitted.againstBest[metric]))],
          [figures.set, "rules:uncut as shipped", ...METRICS.map((metric) => interval(unfitted.lessShipped[metric]))],
        ],
  );
  if (rows.length === 0) return [];
  return [
    "## Weights fitted without this kind",
    "`rules:uncut` with weights that were fitted on all kinds of sets but the one that is measured: what to expect on a kind that nobody fitted on.",
    markdownTable([["set", "less", ...METRICS], ...rows]),
  ];
}
