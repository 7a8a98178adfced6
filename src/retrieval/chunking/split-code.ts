import { lineStarts, type Span, tile } from "./span.ts";
import { isBlankLine } from "./split-prose.ts";

/** Rounds of splitting at ever deeper indentation; what is still too large then is split at any line. */
export const CODE_DEPTH_MAX = 8;
/** Indentation is looked at up to this column. */
const INDENT_MAX = 200;
const TAB_WIDTH = 4;

interface CodeLine {
  readonly start: number;
  readonly indent: number;
  readonly afterBlank: boolean;
  /** Closes what came before (`}`, `)`, `end`), so nothing begins here. */
  readonly closing: boolean;
}

/**
 * Cuts code where something new begins: at the outermost lines that follow a blank line, else at the outermost lines.
 * Empty when every line is deeper than the first, or there is one line only.
 */
export function splitCode(text: string, span: Span): Span[] {
  const lines = codeLines(text, span);
  const starts = lines.filter((line) => line.start > span.start && !line.closing);
  const cuts = outermost(starts.filter((line) => line.afterBlank)) ?? outermost(starts) ?? [];
  const spans = tile(text, span, cuts);
  return spans.length > 1 ? spans : [];
}

export function splitLines(text: string, span: Span): Span[] {
  return tile(text, span, lineStarts(text, span));
}

function outermost(lines: readonly CodeLine[]): number[] | undefined {
  if (lines.length === 0) return undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const line of lines) least = Math.min(least, line.indent);
  return lines.filter((line) => line.indent === least).map((line) => line.start);
}

function codeLines(text: string, span: Span): CodeLine[] {
  const lines: CodeLine[] = [];
  let afterBlank = false;
  for (const start of lineStarts(text, span)) {
    if (isBlankLine(text, start)) {
      afterBlank = true;
      continue;
    }
    let indent = 0;
    let offset = start;
    for (; indent < INDENT_MAX; offset++) {
      const unit = text.charCodeAt(offset);
      if (unit === 0x20) indent++;
      else if (unit === 0x09) indent += TAB_WIDTH;
      else break;
    }
    CLOSING.lastIndex = offset;
    lines.push({ start, indent, afterBlank, closing: CLOSING.test(text) });
    afterBlank = false;
  }
  return lines;
}

const CLOSING = /[)\]}>]|`{3}|~{3}|(?:end|fi|done|esac|else|elif|except|finally)\b/y;
