import { type Asked, bestPassage, passageOf } from "../agent/reason.ts";
import { oneLine } from "../core/text.ts";
import { coverageOf } from "./asked-over.ts";

/** A passage of sentences may have so much less of the query than the part of the text that has most of it. */
const SENTENCES_SHARE_MIN = 0.75;
/** Content words shorter than this tell nothing about where to look. */
const WORD_UNITS_MIN = 3;

/**
 * The part of a text, as one line of at most `unitsMax` units, that has most of the query's words; the beginning where
 * none occurs.
 */
export function excerpt(text: string, query: string, unitsMax: number): string {
  const flat = withoutFrontMatter(text).replace(/\s+/g, " ").trim();
  if (flat.length <= unitsMax) return flat;
  const lower = flat.toLowerCase();
  const words = new Set(
    (query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length >= WORD_UNITS_MIN),
  );
  const places: { at: number; word: string }[] = [];
  for (const word of words) {
    for (let at = lower.indexOf(word); at !== -1 && places.length < 2_000; at = lower.indexOf(word, at + word.length)) {
      places.push({ at, word });
    }
  }
  places.sort((a, b) => a.at - b.at);
  let best = { start: 0, count: 0 };
  for (const [i, { at }] of places.entries()) {
    const inside = new Set<string>();
    for (let j = i; j < places.length && (places[j]?.at ?? 0) < at + unitsMax - 20; j++)
      inside.add(places[j]?.word ?? "");
    if (inside.size > best.count) best = { start: at, count: inside.size };
  }
  const start = best.start < 40 ? 0 : flat.lastIndexOf(" ", Math.max(0, best.start - 20)) + 1;
  return start === 0 ? oneLine(flat, unitsMax) : `…${oneLine(flat.slice(start), unitsMax - 1)}`;
}

/**
 * What a list shows of a passage: the sentence that it was listed for (`why`), else its best sentence for the query with those that follow, without marks and code; where
 * the query's words stand in code or in pieces of sentences, the part that has most of them, as it stands.
 */
export function shownPassage(
  text: string,
  query: string,
  { asked, why, unitsMax }: { readonly asked: Asked; readonly why: string; readonly unitsMax: number },
): string {
  const told = passageOf(text, why, unitsMax);
  if (told !== "") return told;
  const part = excerpt(text, query, unitsMax);
  const sentences = bestPassage(text, [], asked, unitsMax);
  const isEnough = coverageOf(sentences, asked) >= SENTENCES_SHARE_MIN * coverageOf(part, asked);
  return sentences !== "" && isEnough ? sentences : part;
}

/** Front matter is metadata, which stands elsewhere; a chunk may also begin with the rest of one. */
function withoutFrontMatter(text: string): string {
  if (!text.startsWith("---\n")) return text;
  const end = text.indexOf("\n---\n", 3);
  const rest = end < 0 ? "" : text.slice(end + "\n---\n".length);
  return rest.trim() === "" ? text : rest;
}
