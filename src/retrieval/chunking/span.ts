/** A stretch of a document: UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const BLANK = /^\s*$/;

/**
 * Spans that tile `[start, end)`, cut at the given offsets. White space never stands alone: it belongs to what comes
 * before it, at the very start to what comes after. Offsets outside or out of order are left out.
 */
export function tile(text: string, span: Span, cuts: Iterable<number>): Span[] {
  const spans: Span[] = [];
  let start = span.start;
  const close = (end: number) => {
    const previous = spans.at(-1);
    if (previous !== undefined && isBlank(text, start, end)) spans[spans.length - 1] = { start: previous.start, end };
    else if (previous !== undefined && spans.length === 1 && isBlank(text, previous.start, previous.end)) {
      spans[0] = { start: previous.start, end };
    } else spans.push({ start, end });
    start = end;
  };
  for (const cut of cuts) if (cut > start && cut < span.end) close(cut);
  if (span.end > start) close(span.end);
  return spans;
}

/** True when the span holds white space only. Looks at the first sign that is none. */
export function isBlank(text: string, start: number, end: number): boolean {
  for (let offset = start; offset < end; offset++) {
    const unit = text.charCodeAt(offset);
    if (unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)) continue;
    if (unit < 0x80 || !BLANK.test(text.charAt(offset))) return false;
  }
  return true;
}

/** Offset at which the line after the one that holds `offset` starts; the end of the text when there is none. */
export function nextLine(text: string, offset: number): number {
  const found = text.indexOf("\n", offset);
  return found === -1 ? text.length : found + 1;
}

/** The start of every line within the span, its own start included. */
export function* lineStarts(text: string, span: Span): Generator<number> {
  for (let offset = span.start; offset < span.end; offset = nextLine(text, offset)) yield offset;
}

/** A cut at `offset`, moved back when it would split a surrogate pair. */
export function atCodePoint(text: string, offset: number): number {
  const before = text.charCodeAt(offset - 1);
  const after = text.charCodeAt(offset);
  const splits = before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
  return splits ? offset - 1 : offset;
}
