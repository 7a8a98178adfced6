import { oneLine, stripControl, truncate } from "../../core/text.ts";
import type { DocumentName, Metadata } from "../../core/types.ts";
import { type Citation, citationLine, citationOf } from "../citation.ts";
import { sameText } from "../same-text.ts";

/** UTF-16 units; about 300 tokens a passage and 5,000 an answer, so that an answer costs its caller little. */
const PASSAGE_UNITS_MAX = 1_200;
const PASSAGES_UNITS_MAX = 20_000;
const TITLE_UNITS_MAX = 120;
const WHY_UNITS_MAX = 300;
const DUPLICATES_MAX = 5;

/** A document as a caller gets it, to be cited and sized for the caller's context. */
export interface ListedDocument extends Citation {
  readonly rank: number;
  readonly id: string;
  readonly corpus: string;
  readonly title: string;
  /** The text that matters; long ones are cut, and late ones may be empty. */
  readonly passage: string;
  readonly why: string;
  /** Documents that say the same in the same words, at most a few; left out where there is none. */
  readonly duplicates?: DocumentName[];
}

interface Found {
  readonly id: string;
  readonly corpus: string;
  readonly uri: string;
  readonly title: string;
  readonly metadata: Metadata;
  readonly rank: number;
  readonly passages: readonly { readonly line: number; readonly text: string }[];
  readonly duplicates: readonly DocumentName[];
  readonly quote?: { readonly line: number; readonly text: string };
}

/**
 * Documents in the form that a caller gets: cited, each with the passage that matters, until the answer is full; later
 * ones then have none.
 */
export function listedDocuments<Document extends Found>(
  documents: readonly Document[],
  why: (document: Document) => string,
  folder: string,
): ListedDocument[] {
  let left = PASSAGES_UNITS_MAX;
  return documents.map((document) => {
    const { rank, id, corpus, title, quote, duplicates } = document;
    const shown = document.passages[0] ?? { line: 1, text: "" };
    // A quote is the proof; the passage around it is what can be understood.
    const line = quote?.line ?? shown.line;
    const passage = truncate(stripControl(shown.text).trim(), Math.min(PASSAGE_UNITS_MAX, left));
    left = Math.max(0, left - passage.length);
    return {
      rank,
      id,
      corpus,
      title: oneLine(stripControl(title), TITLE_UNITS_MAX),
      ...citationOf({ ...document, line }, folder),
      passage,
      why: oneLine(stripControl(why(document)), WHY_UNITS_MAX),
      ...(duplicates.length === 0 ? {} : { duplicates: duplicates.slice(0, DUPLICATES_MAX) }),
    };
  });
}

/** The same for a model to read: one block a document. */
export function documentBlock({ rank, title, why, passage, duplicates = [], ...document }: ListedDocument): string {
  const lines = [`${rank}. ${title}`, `   ${citationLine(document)}`];
  for (const line of [why, sameText(duplicates)]) if (line !== "") lines.push(`   ${line}`);
  for (const line of passage === "" ? [] : passage.split("\n")) lines.push(`   | ${line}`);
  return lines.join("\n");
}

export function noticeLines(notices: readonly string[]): string[] {
  return notices.map((notice) => `note: ${oneLine(stripControl(notice), 500)}`);
}
