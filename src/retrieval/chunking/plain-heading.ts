import { oneLine } from "../../core/text.ts";

const HEADING_UNITS_MAX = 200;

/** A heading without its inline marks: `**Setup** of [x](y)` reads "Setup of x". */
export function plainHeading(markup: string): string {
  const text = markup
    .slice(0, 10 * HEADING_UNITS_MAX)
    .replace(/!?\[([^\]\n]{0,300})\]\([^)\n]{0,1000}\)/g, "$1")
    .replace(/[*`]|(?<![\p{L}\p{N}])_{1,2}|_{1,2}(?![\p{L}\p{N}])/gu, "");
  return oneLine(text, HEADING_UNITS_MAX);
}
