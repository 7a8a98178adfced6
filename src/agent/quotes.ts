import { escapeLookalikes } from "./context/blocks.ts";
import type { Context } from "./context/context.ts";

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

/**
 * Key of the chunk in which a quote begins: verbatim but for white space, in any chunk of the document that the run has
 * shown, pruned since or not, or across two that follow one another. Undefined when it was not shown.
 */
export function findQuote(
  quote: string,
  document: { readonly corpus: string; readonly id: string },
  context: Context,
): string | undefined {
  if (!isQuote(quote)) return undefined;
  const wanted = folded(quote.replace(AROUND, ""));
  const chunks = [...context.allChunks().values()]
    .filter((chunk) => chunk.corpus === document.corpus && chunk.documentId === document.id)
    .sort((a, b) => a.index - b.index);
  // As stored and as shown: a line that reads like ours is shown with a backslash.
  for (const asShown of [(text: string) => text, escapeLookalikes]) {
    let text = "";
    const ends: { readonly key: string; readonly end: number }[] = [];
    for (const [i, chunk] of chunks.entries()) {
      const follows = i > 0 && chunks[i - 1]?.index === chunk.index - 1;
      text += `${follows ? " " : GAP}${folded(asShown(chunk.text).trim())}`;
      ends.push({ key: chunk.key, end: text.length });
    }
    const at = text.indexOf(wanted);
    if (at >= 0) return ends.find(({ end }) => at < end)?.key;
  }
  return undefined;
}
