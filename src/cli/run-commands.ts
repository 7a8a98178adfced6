import {
  age,
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

function addGarbageCommand(add: AddCommand): void {
  add(
    "gc",
    "Remove old records of runs, and what indexing has left over. Without an age or a number all runs are kept.",
    [
      "winnow gc --dry-run --older-than 30d        # what would go",
      "winnow gc --older-than 30d --keep 100       # runs of the last 30 days, and the newest 100, stay",
      "winnow gc                                   # leftovers, and runs as the configuration says",
    ],
    () => import("./commands/gc.ts"),
  )
    .option("--older-than <age>", "runs that began longer ago, e.g. 12h, 30d, 8w", age)
    .option("--keep <number>", "all but the newest so many runs", wholeNumber(0, 1_000_000))
    .option("--dry-run", "only say what would be removed")
    .option("--yes", "do not ask before runs are removed");
}

/** Commands that run the agent and look at what it did. */
export function addRunCommands(add: AddCommand): void {
  const ask = add(
    "ask <question...>",
    "Search, then have a model answer from what was found, with citations that are checked.",
    [
      'winnow ask "Who leads the team that owns retries?" --model ollama:qwen3:8b',
      'winnow ask "…" --model openai-compatible:MODEL --base-url http://127.0.0.1:8000/v1 --json',
      'winnow ask "What did we decide about retries?"     # without a model: the documents',
    ],
    () => import("./commands/ask.ts"),
  );
  withModelAccess(withLength(ask))
    .option("--model <model>", "what answers, e.g. ollama:MODEL; the policy where it is such a model")
    .option("--policy <policy>", "what decides in the search; as in winnow search")
    .option("--where <filter>", 'only documents with this metadata, e.g. "modified>=2026-05" (repeatable)', collect)
    .option("--since <date>", "only documents modified since, e.g. 2026-05");
  const search = add(
    "search <question...>",
    "Run the agent on a question and print the documents that answer it.",
    [
      'winnow search "What did we decide about retries?"',
      'winnow search "Who owns billing?" --json',
      'winnow search "…" --context 8192 --pruning oldest',
      'winnow search "…" --usage-line window --soft-notice off',
      'winnow search "…" --policy ollama:qwen3:8b',
      'winnow search "…" --policy openai-compatible:MODEL --base-url http://127.0.0.1:8000/v1',
      'winnow search "…" --policy ollama:qwen3:8b --rollouts 4',
      'winnow search "…" --policy harmony:chromadb/context-1 --base-url http://gpu:8000/v1     # profile context-1-report',
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
  addGarbageCommand(add);
  add(
    "show [runs...]",
    "Show a recorded run turn by turn; the newest one when no id is given. As a page: --html, --open.",
    [
      "winnow show 20260326T1",
      "winnow show --turn 3",
      "winnow show --open                          # in the browser; nothing leaves this machine",
      "winnow show 20260326T1 20260325T9 --html two-runs.html",
    ],
    () => import("./commands/show.ts"),
  )
    .option("--turn <number>", "print the context exactly as the policy saw it at this turn", wholeNumber(1, 1_000))
    .option("--html <file>", "write a page that shows the run, or two of them side by side, in any browser")
    .option("--open", "write such a page to a temporary file and open it");
  add(
    "replay [run]",
    "Render a record again and compare every prompt byte by byte; with --live, run it again.",
    ["winnow replay", "winnow replay 20260326T1 --live"],
    () => import("./commands/replay.ts"),
  ).option("--live", "repeat the decisions against the corpus as it is now");
}
