import { oneLine } from "../core/text.ts";

const LINE_UNITS_MAX = 160;
const FRONT_MATTER = /^---\n[\s\S]*?\n(?:---|\.\.\.)\n/u;

/** The first line of prose in a text; where there is none, its first heading that does not repeat the title; else empty. */
export function firstLine(text: string, title: string): string {
  const plainTitle = title.trim().toLowerCase();
  let heading = "";
  let fenced = false;
  for (const raw of text.replace(FRONT_MATTER, "").split("\n")) {
    const line = raw.trim();
    if (/^(?:```|~~~)/u.test(line)) fenced = !fenced;
    if (fenced || !/[\p{L}\p{N}]/u.test(line) || /^<\/?[a-z][^>]*>/iu.test(line)) continue;
    const bare = line.replace(/^[#>*+\-\s]+/u, "");
    const repeated = bare.replace(/^\[(.*)\]$/u, "$1").toLowerCase() === plainTitle;
    if (repeated) continue;
    if (!line.startsWith("#")) return oneLine(bare, LINE_UNITS_MAX);
    if (heading === "") heading = bare;
  }
  return oneLine(heading, LINE_UNITS_MAX);
}
