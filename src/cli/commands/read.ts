import { stripControl } from "../../core/text.ts";
import { openCorpora } from "../../features/open-corpora.ts";
import { parseLineRange, readDocument } from "../../features/read-document.ts";
import type { CommandRun } from "../program.ts";
import { commandContext } from "../scope.ts";

export const run: CommandRun = async (args, _options, scope) => {
  const [name = "", range] = args;
  const lines = range === undefined ? undefined : parseLineRange(range);
  const { corpusScope } = await commandContext(scope);
  const corpora = await openCorpora(corpusScope);
  try {
    const document = await readDocument(corpora, name, corpusScope.workingFolder, lines);
    const { output } = scope;
    if (output.json) output.printJson(document);
    else {
      const { from, to } = document.lines;
      output.say(output.style("dim", `${stripControl(document.title)}, lines ${from}-${to} of ${document.linesTotal}`));
      output.print(stripControl(document.text));
    }
    return 0;
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
};
