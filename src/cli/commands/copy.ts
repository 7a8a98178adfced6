import { plural } from "../../core/text.ts";
import { copyCorpus } from "../../features/copy-corpus.ts";
import { STORE_KINDS } from "../../features/index-corpus.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, textOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

export const run: CommandRun = async ([from = "", to = ""], options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const { output, signal } = scope;
  const store = STORE_KINDS.find((kind) => kind === textOption(options, "store"));
  let isBegun = false;
  const summary = await copyCorpus(
    {
      ...{ from, to, signal, scope: corpusScope, environment: process.env },
      ...(store && { store }),
      access: {
        tenant: textOption(options, "tenant"),
        database: textOption(options, "database"),
        apiKeyEnv: textOption(options, "apiKeyEnv"),
      },
    },
    ({ phase, chunks, chunksTotal }) => {
      isBegun = true;
      const count = `${chunks.toLocaleString("en-US")} of ${plural(chunksTotal, "chunk")}`;
      output.progress(phase === "copying" ? `copying: ${count}` : "making the copy whole");
    },
  ).catch((error: unknown) => {
    if (isBegun) output.say("The copy is not whole yet. The same command goes on with it.");
    throw error;
  });
  if (output.json) {
    output.printJson(summary);
    return 0;
  }
  const { chunks, copied, seconds, notices } = summary;
  const before = copied === chunks ? "" : `, ${(chunks - copied).toLocaleString("en-US")} of them before`;
  output.print(`${plural(chunks, "chunk")} copied${before}, ${seconds.toFixed(1)} s`);
  for (const notice of notices) output.say(output.style("yellow", `note: ${notice}`));
  output.say(output.style("dim", `copy: ${shownPlace(summary.to)}`));
  return 0;
};
