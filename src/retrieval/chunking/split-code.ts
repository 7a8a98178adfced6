import { lineStarts, nextLine, type Span, tile } from "./span.ts";
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
    const end = Math.min(nextLine(text, start), start + INDENT_MAX + 10);
    lines.push({ ...measureLine(text.slice(start, end)), start, afterBlank });
    afterBlank = false;
  }
  return lines;
}

function measureLine(line: string): Pick<CodeLine, "indent" | "closing"> {
  let indent = 0;
  let offset = 0;
  for (; offset < line.length && indent < INDENT_MAX; offset++) {
    if (line[offset] === " ") indent++;
    else if (line[offset] === "\t") indent += TAB_WIDTH;
    else break;
  }
  return {
    indent,
    closing: /^(?:[)\]}>]|`{3}|~{3}|end\b|fi\b|done\b|esac\b|else\b|elif\b|except\b|finally\b)/.test(
      line.slice(offset),
    ),
  };
}
