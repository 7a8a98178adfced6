import { cutAtWord, quotables } from "../core/passages.ts";
import { oneLine } from "../core/text.ts";

const LINE_UNITS_MAX = 160;
/** Words of a sentence that tells what a document is about. */
const SENTENCE_WORDS_MIN = 4;
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

/** The first sentence of a text that says something beside its title, without marks; where there is none, its first line. */
export function firstSentence(text: string, title: string): string {
  const plainTitle = title.trim().toLowerCase();
  const isTelling = (sentence: string): boolean =>
    sentence.split(" ").length >= SENTENCE_WORDS_MIN && sentence.toLowerCase() !== plainTitle;
  const units = quotables(text).filter((unit) => unit.kind !== "heading" && isTelling(unit.text));
  const found = units.find(({ kind }) => kind === "sentence") ?? units[0];
  return found === undefined ? firstLine(text, title) : cutAtWord(found.text, LINE_UNITS_MAX);
}
