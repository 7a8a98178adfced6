import { cut, wholeNumber } from "./option-values.ts";
import type { AddCommand } from "./program.ts";

/** The largest seed of a command. */
const SEED_MAX = 2 ** 31;

/** Commands around evaluations besides `eval` itself. */
export function addEvaluationCommands(add: AddCommand): void {
  add(
    "compare <evaluation...>",
    "Compare evaluations of one dataset question by question: each against the first.",
    [
      "winnow compare 20260326-1015 20260326-1102",
      "winnow compare BASELINE OTHER --at 10 --per-question",
      "winnow compare A B C --at shortest --markdown comparison.md",
    ],
    () => import("./commands/compare.ts"),
  )
    .option("--at <length>", "cut all lists to this many documents; shortest: to each question's shortest list", cut)
    .option(
      "--per-question [number]",
      "list the questions that differ most (20 unless told)",
      wholeNumber(1, 1_000_000),
    )
    .option("--markdown <file>", "write the comparison as a Markdown report")
    .option("--resamples <number>", "resamples for intervals and tests", wholeNumber(1, 1_000_000), 10_000)
    .option("--seed <number>", "seed of the resampling", wholeNumber(0, SEED_MAX), 0);
}
