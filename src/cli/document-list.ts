import type { SearchResult } from "../agent/result.ts";
import { provenanceOf } from "../core/provenance.ts";
import { findSuperseded } from "../core/supersession.ts";
import { oneLine, plural, stripControl } from "../core/text.ts";
import type { DocumentName, Metadata } from "../core/types.ts";
import { askedOver } from "../features/asked-over.ts";
import { shownPassage } from "../features/excerpt.ts";
import { sameText } from "../features/same-text.ts";
import { wordsOf } from "../features/words-of.ts";
import { emptyList } from "./empty-list.ts";
import type { Output } from "./output.ts";
import { shownPlace } from "./shown-place.ts";

const PASSAGE_UNITS_MAX = 320;
const ID_UNITS_MAX = 1_000;
const FACT_UNITS_MAX = 60;
const WHY_UNITS_MAX = 400;
/** A session is named by the start of its id, as much as tells two of them apart; `--json` has the whole. */
const SESSION_UNITS = 8;

/** A document in a list for people: rank, title, where it is, how it stands, and the passage that matters. */
export interface ListedDocument {
  readonly rank: number;
  readonly corpus: string;
  readonly id: string;
  readonly title: string;
  readonly uri: string;
  readonly line: number;
  readonly passage: string;
  readonly metadata: Metadata;
  readonly why: string;
  /** Documents that say the same in the same words. */
  readonly duplicates: readonly DocumentName[];
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
  readonly corpus: string;
  readonly id: string;
  readonly title: string;
  readonly uri: string;
  readonly metadata: Metadata;
  readonly passages: readonly { readonly line: number; readonly text: string }[];
  readonly duplicates: readonly DocumentName[];
  /** What a policy quoted of it. */
  readonly quote?: { readonly line: number; readonly text: string };
}

/** A found document as a list shows it: by the words that a policy quoted, else by its first passage. */
export function listed({ passages, quote, ...shown }: Shown, why: string): ListedDocument {
  const { rank, corpus, id, title, uri, metadata, duplicates } = shown;
  const { line, text } = quote ?? passages[0] ?? { line: 1, text: "" };
  return { rank, corpus, id, title, uri, line, passage: text, metadata, why, duplicates };
}

/** Of which day a document is, whose it is, and which session it tells of: what a claim from it has to carry. */
export function documentFacts(metadata: Metadata): readonly string[] {
  const { date, repository, session } = provenanceOf(metadata);
  return [
    ...(date === undefined ? [] : [new Date(date).toISOString().slice(0, "2026-01-01".length)]),
    ...(repository === undefined ? [] : [oneLine(stripControl(repository), FACT_UNITS_MAX)]),
    ...(session === undefined
      ? []
      : [`session ${oneLine(stripControl(session), FACT_UNITS_MAX).slice(0, SESSION_UNITS)}`]),
  ];
}

/** Why documents of a list no longer hold, in the list's order; undefined for those that do. Ids are unique within a corpus. */
function outdated(documents: readonly ListedDocument[]): (string | undefined)[] {
  const corpora = new Map(
    documents.map(({ corpus }) => [corpus, findSuperseded(documents.filter((other) => other.corpus === corpus))]),
  );
  return documents.map(({ corpus, id }) => corpora.get(corpus)?.get(id)?.reason);
}

export function printDocuments(documents: readonly ListedDocument[], query: string, output: Output): void {
  const reasons = outdated(documents);
  const asked = askedOver(
    query,
    documents.map(({ passage }) => passage),
  );
  for (const [i, document] of documents.entries()) {
    const title = oneLine(stripControl(document.title), 90);
    const place = documentPlace(document);
    const facts = documentFacts(document.metadata).map((fact) => output.style("dim", fact));
    const reason = reasons[i];
    if (reason !== undefined) facts.push(output.style("yellow", oneLine(stripControl(reason), 2 * FACT_UNITS_MAX)));
    output.print(
      `${output.style("dim", String(document.rank).padStart(2))} ${output.style("bold", title)}  ${output.style("cyan", place)}${facts.length === 0 ? "" : `  ${facts.join(output.style("dim", " · "))}`}`,
    );
    const passage = shownPassage(stripControl(document.passage), query, {
      asked,
      why: document.why,
      unitsMax: PASSAGE_UNITS_MAX,
    });
    output.print(`   ${passage}`);
    for (const { line, text } of document.more ?? []) {
      output.print(`   ${output.style("dim", `${line}:`)} ${oneLine(stripControl(text), PASSAGE_UNITS_MAX)}`);
    }
    const copies = sameText(document.duplicates);
    if (copies !== "") output.print(output.style("dim", `   ${copies}`));
    // A reason that is a sentence of the passage needs no line of its own.
    const isSaid = wordsOf(passage).includes(wordsOf(document.why));
    if (!isSaid) output.print(output.style("dim", `   ${oneLine(stripControl(document.why), WHY_UNITS_MAX)}`));
  }
}

/** The result of a run for people. */
export function printResult(result: SearchResult, output: Output): void {
  if (result.documents.length === 0) output.print(emptyList(result.stopReason).message);
  const documents = result.documents.map((document) => {
    const why = [document.pruned ? "pruned during the run" : "", document.justification];
    return listed(document, why.filter((part) => part !== "").join("; "));
  });
  printDocuments(documents, result.query, output);
}

/** One line on how the run ended, where its record is, and what to do about a run that failed. */
export function closingLines(result: SearchResult, output: Output): string[] {
  const { usage } = result;
  const pruned = usage.prunedChunks === 0 ? "nothing pruned" : `${plural(usage.prunedChunks, "chunk")} pruned`;
  const cost = usage.costUsd === null ? "" : `, $${usage.costUsd.toFixed(4)}`;
  const parts = [
    `${plural(usage.turns, "turn")}, ${plural(usage.toolCalls, "call")}, ${plural(usage.shownChunks, "chunk")} seen, ${pruned}`,
    `${usage.promptTokens.toLocaleString("en-US")} prompt tokens${cost}, ${usage.seconds.toFixed(1)} s`,
  ];
  const isEmpty = result.documents.length === 0;
  const made = isEmpty ? "no list" : `list made ${result.concluded === "forced" ? "on request" : "from the record"}`;
  const why = result.stopReason === "finished" ? "" : `stopped: ${result.stopReason.replaceAll("_", " ")}, ${made}; `;
  const lines = [output.style("dim", why + parts.join("; "))];
  if (result.recordPath !== null) lines.push(output.style("dim", `record: ${shownPlace(result.recordPath)}`));
  const hint = result.error?.hint ?? (isEmpty ? emptyList(result.stopReason).hint : undefined);
  if (hint !== undefined) lines.push(`hint: ${stripControl(hint)}`);
  return lines;
}
