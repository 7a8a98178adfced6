import { collect, wholeNumber, withAgent, withModelAccess } from "./option-values.ts";
import type { AddCommand } from "./program.ts";

/** Commands for the beginning of a piece of work: what to read, and what has moved. */
export function addTaskCommands(add: AddCommand): void {
  const brief = add(
    "brief <task...>",
    "Sort the documents that a task needs into three groups: load, keep at hand, ignore.",
    [
      'winnow brief "move the billing jobs to the new queue"',
      'winnow brief "…" --corpus docs --corpus sessions --json',
    ],
    () => import("./commands/brief.ts"),
  );
  withModelAccess(
    withAgent(brief)
      .option("--where <filter>", 'only documents with this metadata, e.g. "repository=core" (repeatable)', collect)
      .option("--since <date>", "only documents modified since, e.g. 2026-05")
      .option("--policy <policy>", "what chooses the group to load; as in winnow search"),
  );
  add(
    "recent",
    "List what moved since a date, by repository and tag, the most recent first.",
    ["winnow recent", "winnow recent --since 2026-05 -k 200", 'winnow recent --where "repository=core" --json'],
    () => import("./commands/recent.ts"),
  )
    .option("--since <date>", "ISO date, whole or in part, e.g. 2026-05-14; the last 7 days by default")
    .option("--where <filter>", 'only documents with this metadata, e.g. "type=decision" (repeatable)', collect)
    .option("-k <number>", "documents at most, 1 to 1000", wholeNumber(1, 1_000), 50);
}
