import { classOf, LOWER, MARK, OTHER, UNSPACED, UPPER } from "./character-class.ts";
import { cutTerm, foldWord, normalizeText, TERM_UNITS_MAX } from "./fold.ts";

/** A word with more case parts than this is noise (encoded data); it stays one term. */
export const CASE_PARTS_MAX = 8;

/** An identifier with more words than this is a path or a list; its words count, the joined whole does not. */
export const JOINED_WORDS_MAX = 8;

/** Signs that connect words to one identifier, when they stand alone between two words. */
const JOINERS = "_-.'\u2019,\u2010\u2011";

type Emit = (term: string) => void;

/** A run of letters, numbers and marks. */
interface Word {
  readonly text: string;
  /** Bit set of the classes it contains. */
  readonly classes: number;
  /** Whether case changes inside it as in `getUser` or `HTTPServer`. */
  readonly cased: boolean;
  readonly end: number;
}

/**
 * Calls `emit` with every term of `text` in order, repeats included: lower case, folded, not stemmed, never empty,
 * without white space, at most `TERM_UNITS_MAX` units. Linear in the length of `text`, whatever it is.
 */
export function eachTerm(text: string, emit: Emit): void {
  const source = normalizeText(text);
  let words: Word[] = [];
  let signs = "";
  let overflowing = false;
  let lastEnd = -1;
  for (let start = nextWord(source, 0); start !== -1; start = nextWord(source, lastEnd)) {
    const word = readWord(source, start);
    const sign = lastEnd !== -1 && start - lastEnd === 1 ? source.charAt(lastEnd) : "";
    const joined = sign !== "" && JOINERS.includes(sign);
    if (joined && words.length === JOINED_WORDS_MAX) {
      for (const each of words) emitWord(each, emit);
      words = [];
      signs = "";
      overflowing = true;
    } else if (!joined) {
      emitGroup(words, signs, emit);
      words = [];
      signs = "";
      overflowing = false;
    } else if (words.length > 0) {
      signs += sign === "\u2019" ? "'" : sign;
    }
    if (overflowing) emitWord(word, emit);
    else words.push(word);
    emitLanguageName(source, word, emit);
    lastEnd = word.end;
  }
  emitGroup(words, signs, emit);
}

/** Where the next word starts, or -1. */
function nextWord(source: string, from: number): number {
  for (let i = Math.max(0, from); i < source.length; i++) {
    const codePoint = source.codePointAt(i) ?? 0;
    if (classOf(codePoint) !== OTHER) return i;
    if (codePoint > 0xffff) i++;
  }
  return -1;
}

function readWord(source: string, start: number): Word {
  let classes = 0;
  let cased = false;
  let beforeLast = OTHER;
  let last = OTHER;
  let end = start;
  while (end < source.length) {
    const codePoint = source.codePointAt(end) ?? 0;
    const kind = classOf(codePoint);
    if (kind === OTHER) break;
    if ((last === LOWER && kind === UPPER) || (beforeLast === UPPER && last === UPPER && kind === LOWER)) cased = true;
    classes |= 1 << kind;
    beforeLast = last;
    last = kind;
    end += codePoint > 0xffff ? 2 : 1;
  }
  return { text: source.slice(start, end), classes, cased, end };
}

/** `c++`, `c#`, `f#`: without the signs these would be single letters. */
function emitLanguageName(source: string, word: Word, emit: Emit): void {
  if (word.text.length > 2) return;
  if (source.startsWith("++", word.end)) emit(`${foldWord(word.text)}++`);
  else if (source.charAt(word.end) === "#") emit(`${foldWord(word.text)}#`);
}

/** Emits the terms of words that single signs connect: `v1.2.3`, `ERR_1234-AB`, `1,000`, `O'Brien`, `performer's`. */
function emitGroup(words: readonly Word[], signs: string, emit: Emit): void {
  let start = 0;
  for (let i = 0; i < words.length; i++) {
    // A comma only joins the digit groups of one number; elsewhere it separates.
    const joined = i + 1 < words.length && (signs.charAt(i) !== "," || joinsDigitGroups(words, signs, i, start));
    if (joined) continue;
    emitIdentifier(
      start === 0 && i === words.length - 1 ? words : words.slice(start, i + 1),
      signs.slice(start, i),
      emit,
    );
    start = i + 1;
  }
}

function joinsDigitGroups(words: readonly Word[], signs: string, i: number, start: number): boolean {
  const [left = "", right = ""] = [words[i]?.text, words[i + 1]?.text];
  const first = i === start || signs.charAt(i - 1) !== ",";
  return /^[0-9]{3}$/.test(right) && (first ? /^[0-9]{1,3}$/.test(left) : /^[0-9]{3}$/.test(left));
}

function emitIdentifier(words: readonly Word[], signs: string, emit: Emit): void {
  const [first] = words;
  if (first === undefined) return;
  if (words.length === 1) {
    emitWord(first, emit);
    return;
  }
  if (signs.endsWith("'") && /^s$/i.test(words.at(-1)?.text ?? "")) {
    emitIdentifier(words.slice(0, -1), signs.slice(0, -1), emit);
    return;
  }
  const whole = foldWord(join(words, signs));
  // The groups of `1,234,567` mean nothing alone.
  if (!/^[,.]*,[,.]*$/.test(signs)) {
    for (const word of words) emitWord(word, emit);
  }
  emit(whole);
  // `v1.2.3` is also asked for as `1.2.3`.
  if (/^v[0-9]+\./.test(whole)) emit(whole.slice(1));
}

/**
 * The joined whole. Signs between digits stay (`1.2.3` is not 123), all others go, so that `get_user`, `get-user` and
 * `getUser` meet; a comma inside a number goes as well.
 */
function join(words: readonly Word[], signs: string): string {
  let whole = "";
  for (const [i, { text }] of words.entries()) {
    const sign = i === 0 ? "" : signs.charAt(i - 1);
    const betweenDigits = sign !== "," && /[0-9]$/.test(whole) && /^[0-9]/.test(text);
    whole += (betweenDigits ? sign : "") + cutTerm(text);
  }
  return whole;
}

function emitWord(word: Word, emit: Emit): void {
  if ((word.classes & (1 << UNSPACED)) !== 0) emitUnspaced(word.text, emit);
  else emitSpaced(word.text, word.cased, emit);
}

/** Emits a word and, where its case says so, its parts: `getUserName`, `HTTPServer`. */
function emitSpaced(text: string, cased: boolean, emit: Emit): void {
  if (cased && text.length <= TERM_UNITS_MAX) {
    const parts = text.split(/(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u);
    if (parts.length <= CASE_PARTS_MAX) {
      for (const part of parts) emit(foldWord(part));
    }
  }
  emit(foldWord(text));
}

/** Unspaced scripts as overlapping pairs of characters, a lone one as itself; other scripts among them as words. */
function emitUnspaced(text: string, emit: Emit): void {
  let previous = "";
  let pairs = 0;
  let position = 0;
  while (position < text.length) {
    const unspaced = classOf(text.codePointAt(position) ?? 0) === UNSPACED;
    const end = unspaced ? characterEnd(text, position) : spacedEnd(text, position);
    const piece = text.slice(position, end);
    if (unspaced) {
      if (previous !== "") {
        emit(cutTerm(previous + piece));
        pairs++;
      }
      previous = piece;
    } else {
      if (previous !== "" && pairs === 0) emit(cutTerm(previous));
      [previous, pairs] = ["", 0];
      emitSpaced(piece, false, emit);
    }
    position = end;
  }
  if (previous !== "" && pairs === 0) emit(cutTerm(previous));
}

/** End of the character at `position`, its combining marks included. */
function characterEnd(text: string, position: number): number {
  let end = position;
  do end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  while (end < text.length && classOf(text.codePointAt(end) ?? 0) === MARK);
  return end;
}

/** End of the run of other scripts that starts at `position`. */
function spacedEnd(text: string, position: number): number {
  let end = position;
  do end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  while (end < text.length && classOf(text.codePointAt(end) ?? 0) !== UNSPACED);
  return end;
}
