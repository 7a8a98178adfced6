import { oneLine, plural, stripControl } from "../../core/text.ts";
import { openCorpora } from "../../features/open-corpora.ts";
import { type Recent, type RecentDocument, recentDocuments } from "../../features/recent-documents.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption, textOption, textsOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

const TITLE_UNITS_MAX = 90;

export const run: CommandRun = async (_args, options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const since = textOption(options, "since");
  const documentsMax = numberOption(options, "k");
  const corpora = await openCorpora(corpusScope);
  try {
    const recent = await recentDocuments(corpora, {
      where: textsOption(options, "where"),
      now: Date.now(),
      signal: scope.signal,
      ...(since === undefined ? {} : { since }),
      ...(documentsMax === undefined ? {} : { documentsMax }),
    });
    if (scope.output.json) scope.output.printJson(recent);
    else print(recent, scope.output);
    return 0;
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
};

function print(recent: Recent, output: Output): void {
  const { documents, shown, truncated, undated, groups, notices } = recent;
  output.print(
    `${documents === 0 ? "Nothing" : plural(documents, "document")} moved since ${recent.since.slice(0, 10)}.`,
  );
  // Above and below the list: whoever reads one end of it must know.
  const cut = `NOT ALL SHOWN: the newest ${shown.toLocaleString("en-US")} of ${documents.toLocaleString("en-US")}. More with -k.`;
  if (truncated) output.print(output.style("yellow", cut));
  for (const group of groups) {
    const name = group.repository === "" ? "no repository named" : group.repository;
    output.print("");
    output.print(
      `${output.style("bold", oneLine(stripControl(name), TITLE_UNITS_MAX))}  ${output.style("dim", plural(group.documents, "document"))}`,
    );
    for (const { tag, documents: tagged } of group.tags) {
      if (tag !== "") output.print(`  ${output.style("cyan", oneLine(stripControl(tag), TITLE_UNITS_MAX))}`);
      for (const document of tagged) printDocument(document, output);
    }
  }
  if (truncated) output.print(`\n${output.style("yellow", cut)}`);
  if (undated > 0) output.say(output.style("dim", `${plural(undated, "document")} without a date left out.`));
  for (const notice of notices) output.say(output.style("yellow", `note: ${notice.message}`));
}

function printDocument({ date, title, uri, line, superseded }: RecentDocument, output: Output): void {
  const name = oneLine(stripControl(title), TITLE_UNITS_MAX);
  output.print(`    ${output.style("dim", date.slice(0, 10))} ${name}  ${output.style("cyan", shownPlace(uri))}`);
  if (line !== "") output.print(output.style("dim", `               ${stripControl(line)}`));
  if (superseded !== undefined) {
    output.print(output.style("yellow", `               ${oneLine(stripControl(superseded), TITLE_UNITS_MAX)}`));
  }
}
