import type { SearchResult } from "../agent/result.ts";
import { oneLine, plural, stripControl } from "../core/text.ts";
import { excerpt } from "../features/excerpt.ts";
import type { Output } from "./output.ts";
import { shownPlace } from "./shown-place.ts";

const PASSAGE_UNITS_MAX = 320;
const ID_UNITS_MAX = 1_000;

/** A document in a list for people: rank, title, where it is, and the passage that matters. */
export interface ListedDocument {
  readonly rank: number;
  readonly id: string;
  readonly title: string;
  readonly uri: string;
  readonly line: number;
  readonly passage: string;
  readonly why: string;
  /** Further lines of the document that matched. */
  readonly more?: readonly { readonly line: number; readonly text: string }[];
}

/** What `winnow read` takes: the path of a file with the line, and the id of a part of a file, such as a row. */
export function documentPlace({ id, uri, line }: Pick<ListedDocument, "id" | "uri" | "line">): string {
  const isWhole = uri.replaceAll("\\", "/").endsWith(id.replaceAll("\\", "/"));
  return isWhole ? `${shownPlace(uri)}:${line}` : oneLine(stripControl(id), ID_UNITS_MAX);
}

interface Shown {
  readonly rank: number;
  readonly id: string;
  readonly title: string;
  readonly uri: string;
  readonly passages: readonly { readonly line: number; readonly text: string }[];
}

/** A found document as a list shows it: by its first passage. */
export function listed({ rank, id, title, uri, passages }: Shown, why: string): ListedDocument {
  return { rank, id, title, uri, line: passages[0]?.line ?? 1, passage: passages[0]?.text ?? "", why };
}

export function printDocuments(documents: readonly ListedDocument[], query: string, output: Output): void {
  for (const document of documents) {
    const title = oneLine(stripControl(document.title), 90);
    const place = documentPlace(document);
    output.print(
      `${output.style("dim", String(document.rank).padStart(2))} ${output.style("bold", title)}  ${output.style("cyan", place)}`,
    );
    output.print(`   ${excerpt(stripControl(document.passage), query, PASSAGE_UNITS_MAX)}`);
    for (const { line, text } of document.more ?? []) {
      output.print(`   ${output.style("dim", `${line}:`)} ${oneLine(stripControl(text), PASSAGE_UNITS_MAX)}`);
    }
    if (document.why !== "") output.print(output.style("dim", `   ${oneLine(stripControl(document.why), 160)}`));
  }
}

/** The result of a run for people. */
export function printResult(result: SearchResult, output: Output): void {
  if (result.documents.length === 0) output.print("Nothing in the corpus supports this question.");
  const documents = result.documents.map((document) => {
    const why = [document.pruned ? "pruned during the run" : "", document.justification];
    return listed(document, why.filter((part) => part !== "").join("; "));
  });
  printDocuments(documents, result.query, output);
}

/** One line on how the run ended, and where its record is. */
export function closingLines(result: SearchResult, output: Output): string[] {
  const { usage } = result;
  const pruned = usage.prunedChunks === 0 ? "nothing pruned" : `${plural(usage.prunedChunks, "chunk")} pruned`;
  const cost = usage.costUsd === null ? "" : `, $${usage.costUsd.toFixed(4)}`;
  const parts = [
    `${plural(usage.turns, "turn")}, ${plural(usage.toolCalls, "call")}, ${plural(usage.shownChunks, "chunk")} seen, ${pruned}`,
    `${usage.promptTokens.toLocaleString("en-US")} prompt tokens${cost}, ${usage.seconds.toFixed(1)} s`,
  ];
  const why =
    result.stopReason === "finished"
      ? ""
      : `stopped: ${result.stopReason.replaceAll("_", " ")}, list made ${result.concluded === "forced" ? "on request" : "from the record"}; `;
  const lines = [output.style("dim", why + parts.join("; "))];
  if (result.recordPath !== null) lines.push(output.style("dim", `record: ${shownPlace(result.recordPath)}`));
  return lines;
}
