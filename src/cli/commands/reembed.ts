import { plural } from "../../core/text.ts";
import { locateCorpora } from "../../features/open-corpora.ts";
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
  for (const { folder } of await locateCorpora(corpusScope)) {
    const summary = await reembedCorpus({ folder, embedder, signal }, (chunks, total) =>
      output.progress(`embedding: ${chunks.toLocaleString("en-US")} of ${plural(total, "chunk")}`),
    );
    if (output.json) output.printJson(summary);
    else {
      const made = summary.embedder === null ? "no vectors any more" : `vectors of ${summary.embedder}`;
      output.print(`${plural(summary.chunks, "chunk")}, ${made}, ${summary.seconds.toFixed(1)} s`);
      output.say(output.style("dim", `index: ${shownPlace(folder)}`));
    }
  }
  return 0;
};
