import type { ROLLOUTS_NOTICE } from "../../agent/rollouts.ts";
import { WinnowError } from "../../core/errors.ts";
import { plural } from "../../core/text.ts";
import { openCorpora } from "../../features/open-corpora.ts";
import { counterFor, openRecord } from "../../features/open-record.ts";
import { type ReplayReport, repeatRun, verifyRecord } from "../../features/replay-run.ts";
import type { CommandRun } from "../program.ts";
import { commandContext } from "../scope.ts";

/** In the record of a search of several rollouts, which decides nothing itself. */
const ROLLOUTS: typeof ROLLOUTS_NOTICE = "rollouts";

export const run: CommandRun = async (args, options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const { record, path } = await openRecord(args[0], corpusScope);
  const counter = await counterFor(record);
  const { output } = scope;
  let report: ReplayReport;
  if (options["live"] === true) {
    const corpora = await openCorpora(corpusScope);
    try {
      report = await repeatRun(record, corpora, counter, scope.signal);
    } finally {
      await Promise.all(corpora.map((corpus) => corpus.close()));
    }
  } else report = verifyRecord(record, counter);
  if (output.json) output.printJson({ schema: "replay/1", path, live: options["live"] === true, ...report });
  else
    output.print(
      `${plural(report.prompts, "prompt")} rendered again, ${report.differing.length === 0 ? "all the same to the byte" : `${report.differing.length} differ`}.`,
    );
  if (!report.complete) output.say(output.style("yellow", "note: the record has no end; what it holds was compared."));
  if (report.prompts === 0) {
    if (record.events.some((event) => event.type === "notice" && event.code === ROLLOUTS)) {
      throw new WinnowError("invalid_argument", "A search of several rollouts decides nothing itself.", {
        hint: `Replay its rollouts, which are runs of their own: winnow replay ${record.header.runId}.1`,
      });
    }
    throw new WinnowError("record_corrupt", "The record holds no prompt that could be compared.", {
      hint: "The run ended before its first decision.",
    });
  }
  if (report.differing.length === 0) return 0;
  const first = report.differing[0] ?? 0;
  if (output.json) return 1;
  throw new WinnowError("replay_mismatch", `Turn ${first} does not show the policy what it saw then.`, {
    hint:
      options["live"] === true
        ? "The corpus has changed since, or the search is not the same."
        : "The record was written by another version of Winnow, or edited.",
  });
};
