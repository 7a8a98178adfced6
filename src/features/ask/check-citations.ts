import type { ResultDocument } from "../../agent/result.ts";
import { trimmedOf } from "../../core/text.ts";
import { CITATIONS_MAX, STATEMENTS_MAX, shownText } from "./answer-request.ts";

const QUOTE_UNITS_MIN = 8;
const STATEMENT_UNITS_MAX = 2_000;

export interface CheckedCitation {
  /** Rank of the document in the result. */
  readonly rank: number;
  readonly quote: string;
  /** 1-based line of the document on which the quoted passage begins. */
  readonly line: number;
}

export interface CheckedStatement {
  readonly text: string;
  /** Only those whose quote stands in a passage of the document that they name. */
  readonly citations: readonly CheckedCitation[];
}

export interface CheckedAnswer {
  readonly statements: readonly CheckedStatement[];
  /** What was asked and no document says, in the model's words. */
  readonly missing: string;
  /** Citations that pointed at no document, or quoted what does not stand there. */
  readonly dropped: number;
}

interface Proposed {
  readonly text: string;
  readonly citations: readonly { readonly document: number; readonly quote: string }[];
}

/**
 * An answer as a model gave it, with every citation checked against the passages that it was shown. Undefined when the value is
 * not an answer at all.
 */
export function checkAnswer(value: unknown, documents: readonly ResultDocument[]): CheckedAnswer | undefined {
  if (typeof value !== "object" || value === null || !("statements" in value) || !Array.isArray(value.statements)) {
    return undefined;
  }
  let dropped = 0;
  const statements = value.statements.slice(0, STATEMENTS_MAX).flatMap((one: unknown): CheckedStatement[] => {
    const proposed = readStatement(one);
    if (proposed === undefined) return [];
    const checked = proposed.citations.map((citation) => checkCitation(citation, documents));
    const citations = checked.filter((citation) => citation !== undefined);
    dropped += checked.length - citations.length;
    return [{ text: proposed.text, citations }];
  });
  const missing = "missing" in value && typeof value.missing === "string" ? value.missing.trim() : "";
  return { statements, missing: missing.slice(0, STATEMENT_UNITS_MAX), dropped };
}

function readStatement(value: unknown): Proposed | undefined {
  const { text, citations } = Object(value) as Record<string, unknown>;
  if (typeof text !== "string" || text.trim() === "") return undefined;
  const listed = Array.isArray(citations) ? citations.slice(0, CITATIONS_MAX) : [];
  return {
    text: text.trim().slice(0, STATEMENT_UNITS_MAX),
    citations: listed.map((citation: unknown) => {
      const { document, quote } = Object(citation) as Record<string, unknown>;
      return { document: Number(document), quote: typeof quote === "string" ? quote : "" };
    }),
  };
}

/** What models put around a quote. */
const AROUND = /["'“”‘’…. ]/;

function checkCitation(
  { document: number, quote }: Proposed["citations"][number],
  documents: readonly ResultDocument[],
): CheckedCitation | undefined {
  const document = documents[number - 1];
  const wanted = trimmedOf(folded(quote), AROUND);
  if (document === undefined || wanted.length < QUOTE_UNITS_MIN) return undefined;
  const passage = document.passages.find((one) => folded(shownText({ passages: [one] })).includes(wanted));
  if (passage === undefined) return undefined;
  return { rank: document.rank, quote: wanted, line: passage.line };
}

/** Models write quotes with other white space, quotation marks and dashes than the text has. */
function folded(text: string): string {
  return text
    .replace(/[“”„«»]/g, '"')
    .replace(/[‘’‚]/g, "'")
    .replace(/[‐-―]/g, "-")
    .replace(/\s+/g, " ");
}
