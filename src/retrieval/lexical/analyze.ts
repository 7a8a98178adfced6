import { stemWord } from "./stem.ts";
import { eachTerm } from "./words.ts";

/**
 * Names the exact mapping from text to terms. It is stored with an index and must change with any change of the
 * mapping, because terms of two mappings do not meet.
 */
export const ANALYZER_NAME = "winnow-en-1";

/**
 * The terms of a text in order, repeats included. Terms are lower case, Latin letters without diacritics, English
 * inflection removed, at most 64 units, never with white space. Identifiers (`getUserName`, `ERR_1234-AB`, `v1.2.3`)
 * give their parts and the joined whole; scripts without spaces give pairs of characters. Deterministic, and linear in
 * the length of the text. Works for any input; never throws.
 */
export function analyzeText(text: string): string[] {
  const terms: string[] = [];
  eachTerm(text, (term) => terms.push(stemmed(term)));
  return terms;
}

/**
 * The terms of a query: those of `analyzeText` without English stop words, unless it has nothing else. Texts keep
 * their stop words, so a query such as "to be or not to be" still finds.
 */
export function analyzeQuery(text: string): string[] {
  const all: string[] = [];
  const telling: string[] = [];
  eachTerm(text, (term) => {
    const stem = stemmed(term);
    all.push(stem);
    if (!STOP_WORDS.has(term)) telling.push(stem);
  });
  return telling.length > 0 ? telling : all;
}

/** Stemming costs more than a look-up, and most words of a corpus come again. */
const STEMS_MAX = 50_000;
let stems = new Map<string, string>();

function stemmed(term: string): string {
  const known = stems.get(term);
  if (known !== undefined) return known;
  const stem = stemWord(term);
  if (stems.size >= STEMS_MAX) stems = new Map();
  stems.set(term, stem);
  return stem;
}

/**
 * Words that carry no content in a question. Short on purpose: `may`, `will`, `us`, `it` may be names, and what is
 * frequent in a corpus weighs little anyway.
 */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "a an and are as at be been being but by can could did do does for from had has have he her him his how i if in " +
    "into is its me my of on or our she should so such than that the their them then there these they this those to " +
    "was we were what when where which who whom whose why with would you your"
  ).split(" "),
);
