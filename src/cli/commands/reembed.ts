import { plural } from "../../core/text.ts";
import { locateOwn } from "../../features/open-corpora.ts";
import { reembedCorpus } from "../../features/reembed-corpus.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, textOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

export const run: CommandRun = async (_args, options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const { output, signal } = scope;
  const spec = textOption(options, "embedder");
  const embedder = {
    ...(spec === undefined ? {} : { spec }),
    baseUrl: textOption(options, "baseUrl"),
    apiKeyEnv: textOption(options, "apiKeyEnv"),
  };
  for (const { folder } of await locateOwn(corpusScope)) {
    let made = 0;
    const summary = await reembedCorpus({ folder, embedder, signal }, ({ chunks, chunksTotal, resumed }) => {
      made = chunks;
      const before = resumed === 0 ? "" : `, ${resumed.toLocaleString("en-US")} from the interrupted run`;
      output.progress(`embedding: ${chunks.toLocaleString("en-US")} of ${plural(chunksTotal, "chunk")}${before}`);
    }).catch((error: unknown) => {
      if (made > 0) output.say("The index is as it was. The same command goes on with the vectors that were made.");
      throw error;
    });
    if (output.json) output.printJson(summary);
    else {
      const what = summary.embedder === null ? "no vectors any more" : `vectors of ${summary.embedder}`;
      const before = summary.resumed === 0 ? "" : `, ${plural(summary.resumed, "chunk")} from the interrupted run`;
      output.print(`${plural(summary.chunks, "chunk")}, ${what}${before}, ${summary.seconds.toFixed(1)} s`);
      output.say(output.style("dim", `index: ${shownPlace(folder)}`));
    }
  }
  return 0;
};
