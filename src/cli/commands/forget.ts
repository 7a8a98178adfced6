import { resolve } from "node:path";
import { WinnowError } from "../../core/errors.ts";
import { plural } from "../../core/text.ts";
import { forgetPath } from "../../features/index-corpus.ts";
import { locateOwn } from "../../features/open-corpora.ts";
import type { CommandRun } from "../program.ts";
import { commandContext } from "../scope.ts";

export const run: CommandRun = async (args, _options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const [place, second] = await locateOwn(corpusScope);
  if (place === undefined || second !== undefined) {
    throw new WinnowError("invalid_argument", "Only one corpus can be written at a time.", {
      hint: "Give --corpus once.",
    });
  }
  let items = 0;
  let documents = 0;
  for (const path of args) {
    const removed = await forgetPath({ folder: place.folder, path: resolve(path) });
    items += removed.items;
    documents += removed.documents;
  }
  const { output } = scope;
  if (output.json) output.printJson({ schema: "forget/1", folder: place.folder, items, documents });
  else output.print(`Took ${plural(items, "item")} with ${plural(documents, "document")} out of the index.`);
  return 0;
};
