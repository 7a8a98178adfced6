import type { Passage } from "../../../src/core/types.ts";

/** Shorter words of a question tell nothing about where its answer stands. */
const WORD_UNITS_MIN = 4;
/** Places that are marked in one text at most; more would hide it. */
const MARKS_MAX = 400;
const COMMON = new Set(
  "about also does from have into more most over such than that their them then there these they this those what when where which while will with would your".split(
    " ",
  ),
);

export interface Segment {
  readonly text: string;
  /** `quote`: what the policy justified the document by; `word`: a word of the question. */
  readonly mark?: "quote" | "word";
}

/** The words of a question that are worth marking, lower case. */
export function queryWords(query: string): ReadonlySet<string> {
  const words = query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => word.length >= WORD_UNITS_MIN && !COMMON.has(word)));
}

/** Cuts a passage into plain and marked parts; joined they are the passage's text to the character. */
export function segmentsOf(passage: Passage, words: ReadonlySet<string>, quote?: Passage): readonly Segment[] {
  const { text, start } = passage;
  const from = Math.max(0, (quote?.start ?? 0) - start);
  const to = Math.min(text.length, (quote?.end ?? 0) - start);
  if (quote === undefined || to <= from) return wordSegments(text, words);
  return [
    ...wordSegments(text.slice(0, from), words),
    { text: text.slice(from, to), mark: "quote" as const },
    ...wordSegments(text.slice(to), words),
  ].filter((segment) => segment.text !== "");
}

function wordSegments(text: string, words: ReadonlySet<string>): Segment[] {
  const segments: Segment[] = [];
  let plainFrom = 0;
  let marks = 0;
  for (const match of text.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (!words.has(match[0].toLowerCase()) || ++marks > MARKS_MAX) continue;
    if (match.index > plainFrom) segments.push({ text: text.slice(plainFrom, match.index) });
    segments.push({ text: match[0], mark: "word" });
    plainFrom = match.index + match[0].length;
  }
  if (plainFrom < text.length) segments.push({ text: text.slice(plainFrom) });
  return segments;
}

/** The address of a link, where a uri may be one: only http and https are ever followed. */
export function linkAddress(uri: string): string | undefined {
  try {
    const { protocol, href } = new URL(uri);
    return protocol === "http:" || protocol === "https:" ? href : undefined;
  } catch {
    return undefined;
  }
}
