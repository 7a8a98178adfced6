import { oneLine, plural, stripControl } from "../../core/text.ts";
import { locateCorpora } from "../../features/open-corpora.ts";
import { listRuns } from "../../features/runs.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";
import { inLine } from "../terminal-text.ts";

export const run: CommandRun = async (_args, options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const folders = (await locateCorpora(corpusScope)).map((place) => place.runsFolder);
  const { runs, damaged, total } = await listRuns(folders, numberOption(options, "n") ?? 20);
  const { output } = scope;
  if (output.json) {
    output.printJson({ schema: "runs/1", runs, damaged, total });
    return 0;
  }
  if (runs.length === 0 && damaged.length === 0)
    output.say('No run is recorded here yet. Make one with: winnow search "…"');
  for (const item of runs) {
    const state =
      item.stopReason === "finished" ? `${plural(item.documents, "document")}` : item.stopReason.replaceAll("_", " ");
    const facts = output.style("dim", `${inLine(item.policy)}, ${plural(item.turns, "turn")}, ${state}`);
    const indent = item.parent === null ? "" : "  ";
    // A rollout asks what its parent asks.
    const query = item.parent === null ? `  ${oneLine(stripControl(item.query), 70)}` : "";
    output.print(`${indent}${output.style("cyan", inLine(item.runId))}${query}  ${facts}`);
  }
  for (const path of damaged) output.say(output.style("yellow", `damaged record: ${shownPlace(path)}`));
  if (total > runs.length + damaged.length)
    output.say(output.style("dim", `${total - runs.length - damaged.length} older runs not listed; -n lists more.`));
  return 0;
};
