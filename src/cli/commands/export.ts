import { plural } from "../../core/text.ts";
import { EXPORT_FORMATS, exportRuns } from "../../features/export-runs.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption } from "../scope.ts";

/** Exit code of an export that left runs out. */
const PARTIAL = 3;

export const run: CommandRun = async (args, options, { output, ...scope }) => {
  const { corpusScope } = await commandContext(scope);
  const format = EXPORT_FORMATS.find((name) => name === options["format"]) ?? "segments";
  const tokensMax = numberOption(options, "maxTokens");
  const { lines, runs, tooLong } = await exportRuns({
    runs: args,
    format,
    ...(tokensMax === undefined ? {} : { tokensMax }),
    scope: corpusScope,
    signal: scope.signal,
  });
  if (output.json) output.printJson({ schema: "export/1", format, runs, tooLong, lines });
  else for (const line of lines) output.printJsonLine(line);
  output.say(`${plural(lines.length, "line")} of ${plural(runs, "run")}`);
  if (tooLong.length === 0) return 0;
  output.say(`Left out for want of room: ${tooLong.join(", ")}. Raise --max-tokens to have them.`);
  return PARTIAL;
};
