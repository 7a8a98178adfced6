import { cut, seconds, wholeNumber, withAgent, withLength, withModelAccess } from "./option-values.ts";
import type { AddCommand } from "./program.ts";

/** The largest seed of a command. */
const SEED_MAX = 2 ** 31;

/** Commands that measure, and that compare what was measured. */
export function addEvaluationCommands(add: AddCommand): void {
  const evaluate = add(
    "eval <dataset>",
    "Measure a policy on labelled questions (a folder in the BEIR layout).",
    [
      "winnow eval data/my-set --policy rules",
      "winnow eval data/my-set --policy find:lexical -k 30 --json",
      "winnow eval data/my-set --policy rules --markdown report.md",
      "winnow eval data/my-set --policy harmony:chromadb/context-1 --base-url http://gpu:8000/v1 --usage-line window",
    ],
    () => import("./commands/eval.ts"),
  );
  withModelAccess(withAgent(withLength(evaluate)))
    .option(
      "--policy <policy>",
      "rules, a chat model as in search, scripted:FILE, or one query: find:lexical, find:dense, find:hybrid, find:hybrid+prf",
    )
    .option("--concurrency <number>", "questions at a time", wholeNumber(1, 64), 2)
    .option("--limit <number>", "first questions only", wholeNumber(1, 1_000_000))
    .option("--seed <number>", "order of the questions", wholeNumber(0, SEED_MAX), 0)
    .option("--resume <evaluation>", "go on with an evaluation that was cut short")
    .option("--markdown <file>", "write the result as a Markdown report")
    .option("--timeout <seconds>", "time limit of one run", seconds);
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
  add(
    "world <folder>",
    "Make a synthetic dataset with labelled multi-hop questions, for eval.",
    ["winnow world data/world --chunks 24000", "winnow world data/small --chunks 600 --seed 7 --questions 30"],
    () => import("./commands/world.ts"),
  )
    .option("--chunks <number>", "size of the corpus in chunks of 512 tokens", wholeNumber(240, 2_000_000), 2_400)
    .option("--seed <number>", "another seed makes another world", wholeNumber(0, SEED_MAX), 0)
    .option(
      "--questions <number>",
      "multi-hop questions (default: one for every 24 chunks, at most 1000)",
      wholeNumber(1, 2_000),
    );
}
