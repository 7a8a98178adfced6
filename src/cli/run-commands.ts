import {
  amount,
  collect,
  seconds,
  wholeNumber,
  withAgent,
  withFilters,
  withLength,
  withModelAccess,
} from "./option-values.ts";
import type { AddCommand } from "./program.ts";

/** Commands that run the agent and look at what it did. */
export function addRunCommands(add: AddCommand): void {
  const search = add(
    "search <question...>",
    "Run the agent on a question and print the documents that answer it.",
    [
      'winnow search "What did we decide about retries?"',
      'winnow search "Who owns billing?" --json',
      'winnow search "…" --context 8192 --pruning oldest',
      'winnow search "…" --policy ollama:qwen3:8b',
      'winnow search "…" --policy openai-compatible:MODEL --base-url http://127.0.0.1:8000/v1',
      'winnow search "…" --policy ollama:qwen3:8b --rollouts 4',
    ],
    () => import("./commands/search.ts"),
  );
  withModelAccess(
    withAgent(withFilters(withLength(search))).option(
      "--policy <policy>",
      "rules, rules:uncut, harmony:MODEL, openai-compatible:MODEL, ollama:MODEL, openai:MODEL, anthropic:MODEL, scripted:FILE or replay:FILE",
    ),
  )
    .option("--since <date>", "only documents modified since, e.g. 2026-05")
    .option("--known <document>", "a document that the caller has already (repeatable)", collect)
    .option("--turns <number>", "turns at most", wholeNumber(1, 1_000))
    .option("--rollouts <number>", "runs of the question at once, their lists fused, 1 to 16", wholeNumber(1, 16))
    .option("--timeout <seconds>", "time limit of the run, rollouts included", seconds)
    .option("--max-cost <dollars>", "cost limit, where the policy reports a cost, for all rollouts together", amount)
    .option("--events", "print every event as a line of JSON instead of the result")
    .option("--no-record", "keep no record of the run");
  add(
    "runs",
    "List the recorded runs, newest first.",
    ["winnow runs", "winnow runs -n 50 --json"],
    () => import("./commands/runs.ts"),
  ).option("-n <number>", "runs to list", wholeNumber(1, 1_000), 20);
  add(
    "show [run]",
    "Show a recorded run turn by turn; the newest one when no id is given.",
    ["winnow show", "winnow show 20260326T1", "winnow show --turn 3"],
    () => import("./commands/show.ts"),
  ).option("--turn <number>", "print the context exactly as the policy saw it at this turn", wholeNumber(1, 1_000));
  add(
    "replay [run]",
    "Render a record again and compare every prompt byte by byte; with --live, run it again.",
    ["winnow replay", "winnow replay 20260326T1 --live"],
    () => import("./commands/replay.ts"),
  ).option("--live", "repeat the decisions against the corpus as it is now");
}
