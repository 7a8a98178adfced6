import type { RecordedChunk } from "../record/events.ts";
import type { Context } from "./context/context.ts";
import { escapeLookalikes } from "./context/lookalikes.ts";

/** A shorter quote shows nothing: any text holds it. UTF-16 units. */
const QUOTE_UNITS_MIN = 8;
/** Stands between chunks that do not follow one another, so that no quote reaches from one into the other. */
const GAP = "\u0000";
/** What models put around a quote. */
const AROUND = /^[\s"'`\u2018-\u201f\u00ab\u00bb]+|[\s"'`\u2018-\u201f\u00ab\u00bb]+$/g;

const folded = (text: string): string => text.replace(/\s+/g, " ");

/** True when a quote is long enough to show anything. */
export function isQuote(quote: string | undefined): quote is string {
  return quote !== undefined && quote.replace(AROUND, "").length >= QUOTE_UNITS_MIN;
}

/** Where a quote stands, or begins where it reaches into the next chunk. */
export interface QuotePlace {
  /** Key of the chunk. */
  readonly key: string;
  /** UTF-16 offsets into the document. */
  readonly start: number;
  readonly end: number;
  /** 1-based. */
  readonly line: number;
  /** The document's own text there. */
  readonly text: string;
}

/**
 * Where the run has shown a quote: verbatim but for white space, in any chunk of the document, pruned since or not, or
 * across two that follow one another. Undefined when it was not shown.
 */
export function findQuote(
  quote: string,
  document: { readonly corpus: string; readonly id: string },
  context: Context,
): QuotePlace | undefined {
  if (!isQuote(quote)) return undefined;
  const wanted = folded(quote.replace(AROUND, ""));
  const chunks = [...context.allChunks().values()]
    .filter((chunk) => chunk.corpus === document.corpus && chunk.documentId === document.id)
    .sort((a, b) => a.index - b.index);
  // As stored and as shown: a line that reads like ours is shown with a backslash.
  for (const asShown of [(text: string) => text, escapeLookalikes]) {
    let text = "";
    const spans: { readonly chunk: RecordedChunk; readonly start: number; readonly end: number }[] = [];
    for (const [i, chunk] of chunks.entries()) {
      const follows = i > 0 && chunks[i - 1]?.index === chunk.index - 1;
      text += follows ? " " : GAP;
      const start = text.length;
      text += folded(asShown(chunk.text).trim());
      spans.push({ chunk, start, end: text.length });
    }
    const at = text.indexOf(wanted);
    const span = at < 0 ? undefined : spans.find(({ end }) => at < end);
    if (span !== undefined) return placeIn(span.chunk, asShown(span.chunk.text), at - span.start, wanted.length);
  }
  return undefined;
}

/** The place of a folded span in its chunk. Where escapes moved the offsets, the whole chunk is the place. */
function placeIn(chunk: RecordedChunk, shown: string, at: number, length: number): QuotePlace {
  const { key, text } = chunk;
  if (shown !== text) return { key, start: chunk.start, end: chunk.end, line: chunk.line, text };
  const offsets = foldedOffsets(text);
  const from = offsets[Math.max(0, at)] ?? 0;
  const to = (offsets[Math.min(offsets.length, Math.max(0, at) + length) - 1] ?? text.length - 1) + 1;
  const line = chunk.line + (text.slice(0, from).match(/\n/g)?.length ?? 0);
  return { key, start: chunk.start + from, end: chunk.start + to, line, text: text.slice(from, to) };
}

/** For each unit of `folded(text.trim())` its offset in `text`. */
function foldedOffsets(text: string): number[] {
  const begin = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  const offsets: number[] = [];
  for (let i = begin; i < end; i++) {
    const isSpace = /\s/.test(text.charAt(i));
    if (!isSpace || !/\s/.test(text.charAt(i - 1))) offsets.push(i);
  }
  return offsets;
}
