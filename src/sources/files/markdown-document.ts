import { oneLine } from "../../core/text.ts";

export const TITLE_UNITS_MAX = 300;
/** Lines searched for a first heading. */
const TITLE_LINES_MAX = 2_000;

/** Inline marks are not part of a title: `**Setup** of [x](y)` reads "Setup of x". */
function plainTitle(heading: string): string {
  const text = heading
    .replace(/!?\[([^\]\n]{0,300})\]\([^)\n]{0,1000}\)/g, "$1")
    .replace(/[*`]|(?<![\p{L}\p{N}])_{1,2}|_{1,2}(?![\p{L}\p{N}])/gu, "");
  return oneLine(text, TITLE_UNITS_MAX);
}

/** The first heading outside code fences, plain, or undefined. `start` is where the text behind front matter begins. */
export function firstHeading(text: string, start: number): string | undefined {
  let fence: string | undefined;
  let previous = "";
  let position = start;
  for (let line = 0; line < TITLE_LINES_MAX && position < text.length; line++) {
    const end = text.indexOf("\n", position);
    const stop = end === -1 ? text.length : end;
    const current = text.slice(position, Math.min(stop, position + 2_000));
    position = stop + 1;
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(current)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined;
      continue;
    }
    if (mark !== undefined) {
      fence = mark;
      previous = "";
      continue;
    }
    const heading = headingOf(current, previous);
    if (heading !== undefined && heading !== "") return heading;
    previous = current;
  }
  return undefined;
}

function headingOf(line: string, previous: string): string | undefined {
  const marked = /^ {0,3}#{1,6}[ \t]+(.*)$/.exec(line)?.[1];
  if (marked !== undefined) return plainTitle(marked.trimEnd().replace(/(?:^|[ \t])#+$/, ""));
  const underlined = /^ {0,3}(?:=+|--+)[ \t]*$/.test(line) && /^ {0,3}[^\s>#*+|-]/.test(previous);
  return underlined ? plainTitle(previous) : undefined;
}
