import { createInterface } from "node:readline/promises";
import { plural } from "../../core/text.ts";
import { findGarbage, type Garbage, type GarbageOptions, removeGarbage } from "../../features/collect-garbage.ts";
import { locateCorpora } from "../../features/open-corpora.ts";
import type { CommandRun, CommandScope } from "../program.ts";
import { commandContext, numberOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

const MEGABYTE = 1_000_000;
const DAY_MS = 86_400_000;

export const run: CommandRun = async (_args, options, scope) => {
  const { output } = scope;
  const { config, corpusScope } = await commandContext(scope);
  const { olderThanDays, keep } = config.settings.retention;
  // A number on the command line stands for itself, not beside one of the configuration.
  const given = { olderThanMs: numberOption(options, "olderThan"), keep: numberOption(options, "keep") };
  const configured = { olderThanMs: olderThanDays === undefined ? undefined : olderThanDays * DAY_MS, keep };
  const isGiven = given.olderThanMs !== undefined || given.keep !== undefined;
  const work = {
    places: await locateCorpora(corpusScope),
    retention: isGiven ? given : configured,
    now: Date.now,
  } satisfies GarbageOptions;
  const garbage = await findGarbage(work);
  const isDry = options["dryRun"] === true;
  if (isDry || (options["yes"] !== true && !(await agrees(garbage, scope)))) {
    if (output.json) output.printJson({ schema: "gc/1", removed: false, ...garbage });
    else tell(garbage, scope);
    return 0;
  }
  const freed = await removeGarbage(garbage, work);
  for (const notice of freed.notices) output.say(output.style("yellow", `note: ${notice}`));
  if (output.json) output.printJson({ schema: "gc/1", removed: true, ...garbage, freed });
  else {
    const kept = garbage.runsKept === 0 ? "" : `; ${plural(garbage.runsKept, "run")} kept`;
    output.print(
      `Removed ${plural(freed.runs, "run")} (${megabytes(freed.runBytes)}) and ${megabytes(freed.indexBytes)} of what indexing had left over${kept}.`,
    );
  }
  return 0;
};

/** What would be removed. */
function tell({ runs, runsKept, runsUnderWay, leftovers }: Garbage, { output }: CommandScope): void {
  const underWay = runsUnderWay === 0 ? "" : `, ${runsUnderWay} of them perhaps under way`;
  output.print(
    `${plural(runs.length, "run")} (${megabytes(bytesOf(runs))}) and ${plural(leftovers.length, "leftover")} (${megabytes(bytesOf(leftovers))}) can go; ${plural(runsKept, "run")} kept${underWay}. Old versions of the store are told once they are freed.`,
  );
  if (!output.verbose) return;
  for (const { path, bytes } of [...runs, ...leftovers]) output.print(`  ${shownPlace(path)}  ${megabytes(bytes)}`);
}

/** Asks a person at a terminal before records go; nobody else is there to be asked. */
async function agrees(garbage: Garbage, scope: CommandScope): Promise<boolean> {
  const { output, signal } = scope;
  if (garbage.runs.length === 0 || output.json || output.quiet) return true;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return true;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const runs = `${plural(garbage.runs.length, "run")} (${megabytes(bytesOf(garbage.runs))})`;
    const answer = await reader.question(`Remove the records of ${runs} for good? [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}

function bytesOf(parts: readonly { readonly bytes: number }[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
