import { lineNumbers, truncate } from "../../core/text.ts";
import { type GrepMatch, LINE_UNITS_MAX } from "./grep.ts";

/** How much of a long line is shown before the match. */
const LEAD_UNITS = 80;

/** Turns byte bounds (ascending, at character boundaries) into UTF-16 bounds. */
export function unitBounds(bytes: Buffer, bounds: readonly number[]): number[] {
  let byte = 0;
  let unit = 0;
  return bounds.map((bound) => {
    // Overlaps do not occur; an end and the next start may be equal.
    unit += bytes.toString("utf8", byte, bound).length;
    byte = bound;
    return unit;
  });
}

/** Matches with line and shown text. `bounds` alternates starts and ends in UTF-16 units, ascending. */
export function locateMatches(documentId: string, text: string, bounds: readonly number[]): GrepMatch[] {
  const starts = bounds.filter((_, i) => i % 2 === 0);
  const lines = lineNumbers(text, starts);
  return starts.map((start, i) => ({
    documentId,
    start,
    end: bounds[2 * i + 1] ?? start,
    line: lines[i] ?? 1,
    lineText: lineAround(text, start),
  }));
}

/** The line that holds `offset`, without its line end; of a long line the part around `offset`. */
function lineAround(text: string, offset: number): string {
  // Bounded from both sides, so that many matches on one huge line do not each scan it.
  const before = text.slice(Math.max(0, offset - LINE_UNITS_MAX), offset);
  const after = text.slice(offset, offset + LINE_UNITS_MAX + 1);
  const lead = before.slice(before.lastIndexOf("\n") + 1);
  const lineEnd = after.indexOf("\n");
  const rest = lineEnd === -1 ? after : after.slice(0, lineEnd);
  if (lead.length + rest.length <= LINE_UNITS_MAX) return lead + rest;
  if (lead.length <= LEAD_UNITS) return truncate(lead + rest, LINE_UNITS_MAX);
  const shown = lead.slice(-LEAD_UNITS).replace(/^[\udc00-\udfff]/, "");
  return truncate(`…${shown}${rest}`, LINE_UNITS_MAX);
}
