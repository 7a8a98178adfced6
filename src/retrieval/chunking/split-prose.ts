import { atCodePoint, lineStarts, type Span, tile } from "./span.ts";

/** Cuts at blank lines. */
export function splitParagraphs(text: string, span: Span): Span[] {
  return tile(text, span, paragraphCuts(text, span));
}

function* paragraphCuts(text: string, span: Span): Generator<number> {
  let afterBlank = false;
  for (const start of lineStarts(text, span)) {
    const blank = isBlankLine(text, start);
    if (!blank && afterBlank) yield start;
    afterBlank = blank;
  }
}

export function isBlankLine(text: string, start: number): boolean {
  for (let offset = start; offset < text.length; offset++) {
    const unit = text.charCodeAt(offset);
    if (unit === 0x0a) return true;
    if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0d) return false;
  }
  return true;
}

/** Share of line ends followed by a small letter above which lines are taken for wrapped prose. */
const WRAPPED_SHARE_MIN = 0.25;

/** Cuts at lines where lines mean something (lists, logs, verse), else behind sentences. */
export function splitSentences(text: string, span: Span): Span[] {
  let lines = 0;
  let continued = 0;
  for (const start of lineStarts(text, span)) {
    lines++;
    if (start > span.start && /^\s{0,8}\p{Ll}/u.test(text.slice(start, start + 10))) continued++;
  }
  const wrapped = lines <= 2 || continued > lines * WRAPPED_SHARE_MIN;
  const byLine = wrapped ? [span] : tile(text, span, lineStarts(text, span));
  if (byLine.length > 1) return byLine;
  return tile(text, span, sentenceCuts(text, span));
}

/**
 * The start of every sentence: behind `.`, `!` or `?`, closing quotes and brackets, and white space, unless a small
 * letter follows or an initial, a number or a common abbreviation precedes; directly behind the full stops of Chinese
 * and Japanese. Our own rules instead of Intl.Segmenter, whose answers change with the version of Node; and no regular
 * expression over the whole span, which could take quadratic time on endless dots.
 */
function* sentenceCuts(text: string, span: Span): Generator<number> {
  for (let offset = span.start; offset < span.end; ) {
    const character = text.charAt(offset);
    const wide = WIDE_STOPS.includes(character);
    if (!wide && !STOPS.includes(character)) {
      offset++;
      continue;
    }
    const stop = offset;
    offset = skipAny(text, offset, span.end, wide ? WIDE_STOPS : STOPS);
    offset = skipAny(text, offset, span.end, CLOSERS);
    const next = skipSpaces(text, offset, span.end);
    const ends = wide || (next > offset && !/^\p{Ll}/u.test(text.slice(next, next + 2)));
    const before = text.slice(Math.max(span.start, stop - 6), stop);
    if (ends && !(character === "." && ABBREVIATION.test(before))) yield next;
    offset = Math.max(next, offset);
  }
}

const STOPS = ".!?";
const WIDE_STOPS = "。！？｡";
const CLOSERS = "\"'”’»)]」』）";
const ABBREVIATION =
  /(?:^|[\s(])(?:|\d{1,3}|\p{Lu}|Mrs?|Ms|Dr|Prof|St|[JS]r|Nos?|Figs?|Eqs?|Sec|Vol|pp|vs|etc|cf|ca)$/u;

function skipAny(text: string, from: number, end: number, signs: string): number {
  let offset = from;
  while (offset < end && signs.includes(text.charAt(offset))) offset++;
  return offset;
}

function skipSpaces(text: string, from: number, end: number): number {
  let offset = from;
  while (offset < end && isSpace(text.charCodeAt(offset))) offset++;
  return offset;
}

/** Cuts at white space into pieces of at most `unitsMax` units; a word longer than that between two code points. */
export function splitWords(text: string, span: Span, unitsMax: number): Span[] {
  return tile(text, span, wordCuts(text, span, unitsMax));
}

function* wordCuts(text: string, span: Span, unitsMax: number): Generator<number> {
  let start = span.start;
  while (span.end - start > unitsMax) {
    const cut = lastWordStart(text, start, start + unitsMax);
    yield cut;
    start = cut;
  }
}

/** Where the last word begins that starts behind the middle of `[start, end)`; else `end`, kept off a surrogate pair. */
function lastWordStart(text: string, start: number, end: number): number {
  const middle = start + Math.floor((end - start) / 2);
  for (let offset = end; offset > middle; offset--) {
    if (isSpace(text.charCodeAt(offset - 1)) && !isSpace(text.charCodeAt(offset))) return offset;
  }
  const cut = atCodePoint(text, end);
  return cut > start ? cut : end + 1;
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit === 0xa0 || unit === 0x3000;
}
