import { plural } from "../../core/text.ts";
import type { RerankerChoice } from "../../features/choose-reranker.ts";
import { type FindDocumentsOptions, type FoundDocuments, findDocuments } from "../../features/find-documents.ts";
import { openCorpora } from "../../features/open-corpora.ts";
import { resolveDocumentIds } from "../../features/resolve-document.ts";
import type { Reranker } from "../../retrieval/rerank/reranker.ts";
import { listed, printDocuments } from "../document-list.ts";
import { locateOrOffer } from "../offer-index.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption, textOption, textsOption } from "../scope.ts";

export const run: CommandRun = async (args, options, scope) => {
  const { config, corpusScope } = await commandContext(scope);
  await locateOrOffer(corpusScope, scope);
  const rerank = textOption(options, "rerank");
  const access = { baseUrl: textOption(options, "rerankUrl"), apiKeyEnv: textOption(options, "rerankKeyEnv") };
  const reranker = rerank === undefined ? undefined : await rerankerFor({ spec: rerank, ...access });
  const corpora = await openCorpora(corpusScope);
  try {
    const found = await findDocuments(corpora, {
      text: args.join(" "),
      mode: (textOption(options, "mode") ?? "hybrid") as FindDocumentsOptions["mode"],
      documentsMax: numberOption(options, "k") ?? config.settings.documents,
      where: textsOption(options, "where"),
      exclude: await resolveDocumentIds(corpora, textsOption(options, "exclude"), corpusScope.workingFolder),
      signal: scope.signal,
      ...(reranker && { reranker }),
    });
    const { output } = scope;
    if (output.json) output.printJson(found);
    else print(found, options["explain"] === true, output);
    return 0;
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
};

async function rerankerFor(choice: RerankerChoice): Promise<Reranker> {
  const { chooseReranker } = await import("../../features/choose-reranker.ts");
  return chooseReranker(choice);
}

function print(found: FoundDocuments, explain: boolean, output: Output): void {
  if (found.documents.length === 0) output.say("Nothing found.");
  const documents = found.documents.map((document) => ({
    ...listed(document, explain ? explanation(document, found.mode) : ""),
    more: found.mode === "grep" ? document.passages.slice(1) : [],
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

/** Ranks in each part of the search, `-` where a part does not hold the document's best chunk. */
function explanation(document: FoundDocuments["documents"][number], mode: FoundDocuments["mode"]): string {
  const { score, lexicalRank, denseRank, rerankRank, chunkIds } = document;
  const rank = (name: string, value: number | undefined): string => `, ${name} rank ${value ?? "-"}`;
  const halves =
    mode === "grep"
      ? ""
      : (mode === "dense" ? "" : rank("lexical", lexicalRank)) + (mode === "lexical" ? "" : rank("dense", denseRank));
  const reranked = rerankRank === undefined ? "" : rank("rerank", rerankRank);
  return `score ${score.toPrecision(4)}${halves}${reranked}, ${plural(chunkIds.length, "matching chunk")}`;
}
