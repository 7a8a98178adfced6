import { basename } from "node:path";
import { createInterface } from "node:readline/promises";
import { WinnowError } from "../core/errors.ts";
import { plural } from "../core/text.ts";
import { type CorpusPlace, type CorpusScope, locateCorpora, targetFolder } from "../features/open-corpora.ts";
import { sizeFolder } from "../features/size-folder.ts";
import type { CommandScope } from "./program.ts";

/** More than this is not indexed on a whim: a home folder, a whole drive. */
const FILES_OFFERED_MAX = 5_000;
const BYTES_OFFERED_MAX = 200_000_000;

/**
 * The corpora of a query command. Where there is none and a person sits at the terminal, offers to index the working
 * folder first, unless it is large.
 */
export async function locateOrOffer(corpusScope: CorpusScope, scope: CommandScope): Promise<CorpusPlace[]> {
  try {
    return await locateCorpora(corpusScope);
  } catch (error) {
    const missing =
      WinnowError.isInstance(error) && error.code === "corpus_not_found" && corpusScope.named.length === 0;
    const asked =
      missing &&
      !scope.output.json &&
      !scope.output.quiet &&
      process.stdin.isTTY === true &&
      process.stderr.isTTY === true;
    if (!asked || !(await agrees(corpusScope.workingFolder, scope))) throw error;
    const { indexInto, printSummary } = await import("./commands/index.ts");
    const folder = await targetFolder(corpusScope);
    printSummary(await indexInto(folder, [corpusScope.workingFolder], scope), folder, scope.output);
    return locateCorpora(corpusScope);
  }
}

async function agrees(folder: string, scope: CommandScope): Promise<boolean> {
  const limits = { filesMax: FILES_OFFERED_MAX, bytesMax: BYTES_OFFERED_MAX };
  const { files, bytes, over } = await sizeFolder(folder, limits, scope.signal);
  if (over) {
    scope.output.say(
      `There is no index here, and this folder is large (over ${plural(files - 1, "file")}). Choose what to index: winnow index PATH`,
    );
    return false;
  }
  if (files === 0) return false;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `There is no index here. Index ${basename(folder) || folder} (${plural(files, "file")}, ${(bytes / 1e6).toFixed(1)} MB) now? [y/N] `;
    return /^y(es)?$/i.test((await reader.question(question, { signal: scope.signal })).trim());
  } finally {
    reader.close();
  }
}
