/** A term is cut here, at a code point boundary: what is longer is data, not a word. */
export const TERM_UNITS_MAX = 64;

/** Invisible characters inside words: soft hyphen, joiners, byte order mark. */
const INVISIBLE = /\u00ad|\u200c|\u200d|\u2060|\ufeff/g;

/** No writing system stacks more; Unicode's stream-safe format has the same limit. */
const EXCESS_MARKS = /(\p{M}{30})\p{M}+/gu;

/** Compatibility forms unified (NFKC). Excess marks go first, because sorting a long run of them is quadratic. */
export function normalizeText(text: string): string {
  return isAscii(text) ? text : text.replace(INVISIBLE, "").replace(EXCESS_MARKS, "$1").normalize("NFKC");
}

/** Latin letters that Unicode does not decompose. */
const PLAIN_LATIN = new Map([
  ["ß", "ss"],
  ["æ", "ae"],
  ["œ", "oe"],
  ["ø", "o"],
  ["đ", "d"],
  ["ð", "d"],
  ["þ", "th"],
  ["ł", "l"],
  ["ħ", "h"],
  ["ı", "i"],
]);

/** Lower case, without diacritics on Latin letters (`й` and `が` keep theirs), at most `TERM_UNITS_MAX` units. */
export function foldWord(word: string): string {
  // Cut first, so that folding a megabyte of one word costs nothing; folding grows a word only a little.
  const lower = cutTerm(word).toLowerCase();
  if (isAscii(lower)) return lower;
  const plain = lower
    .normalize("NFD")
    .replace(/(\p{Script=Latin})[\u0300-\u036f]+/gu, "$1")
    .normalize("NFC")
    .replace(/[ßæœøđðþłħı]/g, (letter) => PLAIN_LATIN.get(letter) ?? letter);
  return cutTerm(plain);
}

export function cutTerm(word: string): string {
  if (word.length <= TERM_UNITS_MAX) return word;
  const last = word.charCodeAt(TERM_UNITS_MAX - 1);
  return word.slice(0, last >= 0xd800 && last <= 0xdbff ? TERM_UNITS_MAX - 1 : TERM_UNITS_MAX);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}
