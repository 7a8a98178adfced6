import { plural } from "../../core/text.ts";
import { type FindDocumentsOptions, type FoundDocuments, findDocuments } from "../../features/find-documents.ts";
import { openCorpora } from "../../features/open-corpora.ts";
import { printDocuments } from "../document-list.ts";
import { locateOrOffer } from "../offer-index.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption, textOption, textsOption } from "../scope.ts";

export const run: CommandRun = async (args, options, scope) => {
  const { config, corpusScope } = await commandContext(scope);
  await locateOrOffer(corpusScope, scope);
  const corpora = await openCorpora(corpusScope);
  try {
    const found = await findDocuments(corpora, {
      text: args.join(" "),
      mode: (textOption(options, "mode") ?? "hybrid") as FindDocumentsOptions["mode"],
      documentsMax: numberOption(options, "k") ?? config.settings.documents,
      where: textsOption(options, "where"),
      exclude: textsOption(options, "exclude"),
      signal: scope.signal,
    });
    const { output } = scope;
    if (output.json) output.printJson(found);
    else print(found, options["explain"] === true, output);
    return 0;
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
};

function print(found: FoundDocuments, explain: boolean, output: Output): void {
  if (found.documents.length === 0) output.say("Nothing found.");
  const documents = found.documents.map((document) => ({
    rank: document.rank,
    title: document.title,
    uri: document.uri,
    line: document.passages[0]?.line ?? 1,
    passage: document.passages[0]?.text ?? "",
    why: explain ? explanation(document) : "",
  }));
  printDocuments(documents, found.query, output);
  if (found.matchesTotal !== undefined) {
    output.say(
      output.style(
        "dim",
        `${plural(found.matchesTotal, "match", "matches")} in ${plural(found.documentsTotal ?? 0, "document")}`,
      ),
    );
  }
  for (const notice of found.notices) output.say(output.style("yellow", `note: ${notice.message}`));
}

function explanation(document: FoundDocuments["documents"][number]): string {
  const lexical = document.lexicalRank === undefined ? "" : `, lexical rank ${document.lexicalRank}`;
  const dense = document.denseRank === undefined ? "" : `, dense rank ${document.denseRank}`;
  return `score ${document.score.toPrecision(4)}${lexical}${dense}, ${plural(document.chunkIds.length, "matching chunk")}`;
}
