import { writeFile } from "node:fs/promises";
import { shellCommand } from "../../core/shell-command.ts";
import { stripControl } from "../../core/text.ts";
import { type Comparison, compareEvaluations } from "../../features/compare-evaluations.ts";
import {
  comparisonMarkdown,
  differencesTable,
  meansTable,
  methodLine,
  questionsTable,
  sidesTable,
} from "../../features/report-comparison.ts";
import { type Table, textTable } from "../../features/report-table.ts";
import { datasetsFolder } from "../datasets-folder.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { numberOption, textOption } from "../scope.ts";

/** Questions that `--per-question` lists unless told how many. */
const QUESTIONS_LISTED = 20;

export const run: CommandRun = async (args, options, { output }) => {
  const at = options["at"];
  const resamples = numberOption(options, "resamples");
  const perQuestion = numberOption(options, "perQuestion") ?? (options["perQuestion"] === true ? QUESTIONS_LISTED : 0);
  const comparison = await compareEvaluations({
    evaluations: args,
    cacheFolder: datasetsFolder(),
    workingFolder: process.cwd(),
    seed: numberOption(options, "seed") ?? 0,
    perQuestion,
    ...(at === "shortest" || typeof at === "number" ? { at } : {}),
    ...(resamples === undefined ? {} : { resamples }),
  });
  const markdown = textOption(options, "markdown");
  if (markdown !== undefined) {
    await writeFile(markdown, comparisonMarkdown(comparison, shellCommand(commandOf(comparison, perQuestion))));
    output.say(`written: ${markdown}`);
  }
  if (output.json) output.printJson(comparison);
  else print(comparison, output);
  return 0;
};

/** By ids and without the report's own path, so that the command means the same in another folder. */
function commandOf({ evaluations, at, resamples, seed }: Comparison, perQuestion: number): string[] {
  return [
    "winnow",
    "compare",
    ...evaluations.map(({ evaluation }) => evaluation),
    ...(at === null ? [] : ["--at", String(at)]),
    ...["--resamples", String(resamples), "--seed", String(seed)],
    ...(perQuestion === 0 ? [] : ["--per-question", String(perQuestion)]),
  ];
}

function print(comparison: Comparison, output: Output): void {
  const table = (rows: Table): void => {
    for (const [i, line] of textTable(rows).entries()) {
      output.print(i === 0 ? output.style("dim", stripControl(line)) : stripControl(line));
    }
    output.print("");
  };
  output.print(output.style("bold", stripControl(methodLine(comparison))));
  // Beside the numbers that they qualify, not on stderr.
  for (const { message } of comparison.notices) output.print(output.style("yellow", `! ${stripControl(message)}`));
  output.print("");
  table(sidesTable(comparison));
  table(meansTable(comparison));
  for (const [i, pair] of comparison.comparisons.entries()) {
    table(differencesTable(comparison, i + 1));
    const questions = questionsTable(pair);
    if (questions !== undefined) table(questions);
  }
}
