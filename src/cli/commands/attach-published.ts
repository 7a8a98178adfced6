import { WinnowError } from "../../core/errors.ts";
import { plural } from "../../core/text.ts";
import { attachPublished } from "../../features/attach-published.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, textOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

/** Options that say what a collection is. */
const COLLECTION_OPTIONS = [
  ...["all", "role", "documentKey", "orderKey", "titleKey", "uriKey", "embedder"],
  ...["tenant", "database", "apiKeyEnv", "inPlace"],
];

/** `winnow attach s3://…`. */
export const runPublished: CommandRun = async ([address = "", ...collections], options, scope) => {
  const { output, signal } = scope;
  if (collections.length > 0 || COLLECTION_OPTIONS.some((name) => options[name] !== undefined)) {
    throw new WinnowError("invalid_argument", "A published index has no collections, and says itself how it is read.", {
      hint: `Leave everything out but the address and --name: winnow attach ${address}`,
    });
  }
  const { config, corpusScope } = await commandContext(scope);
  const dryRun = options["dryRun"] === true;
  const attached = await attachPublished({
    ...{ address, dryRun, signal, settings: config.settings, environment: process.env },
    workingFolder: corpusScope.workingFolder,
    ...(textOption(options, "name") !== undefined && { name: textOption(options, "name") }),
  });
  if (output.json) {
    output.printJson(attached);
    return 0;
  }
  const { name, documents, generation, file, granted } = attached;
  output.print(`${output.style("bold", name)}  ${plural(documents, "document")}, generation ${generation}`);
  if (granted) output.say(`${attached.address} may be read for this folder from now on.`);
  if (!dryRun) {
    output.say(output.style("dim", `written to ${shownPlace(file)}; search with: winnow search "…" --corpus ${name}`));
  }
  return 0;
};
