/** What a code point is to the analyzer. `OTHER` separates words; everything else is part of one. */
export const OTHER = 0;
export const LOWER = 1;
export const UPPER = 2;
/** A digit of any script, or another number. */
export const NUMBER = 3;
/** A letter without case. */
export const LETTER = 4;
/** A combining mark. */
export const MARK = 5;
/** A letter of a script that is written without spaces; Hangul too, whose words carry endings, matches better so. */
export const UNSPACED = 6;

const UNSPACED_LETTER =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u;

const PAGE = 256;

/** One page of classes per 256 code points, filled when first met: a regular expression per character is too slow. */
const pages: (Uint8Array | undefined)[] = [];

/** The class of a code point. No letter of an unspaced script has case, so such letters need no folding. */
export function classOf(codePoint: number): number {
  const page = pages[codePoint >>> 8] ?? fillPage(codePoint >>> 8);
  return page[codePoint & 0xff] ?? OTHER;
}

function fillPage(number: number): Uint8Array {
  const page = new Uint8Array(PAGE);
  for (let i = 0; i < PAGE; i++) page[i] = classify(String.fromCodePoint(number * PAGE + i));
  pages[number] = page;
  return page;
}

function classify(character: string): number {
  if (/^\p{M}$/u.test(character)) return MARK;
  if (/^\p{N}$/u.test(character)) return NUMBER;
  if (!/^\p{L}$/u.test(character)) return OTHER;
  if (UNSPACED_LETTER.test(character)) return UNSPACED;
  if (/^\p{Ll}$/u.test(character)) return LOWER;
  return /^\p{Lu}$/u.test(character) ? UPPER : LETTER;
}
