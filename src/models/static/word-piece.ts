import { Characters, IDEOGRAPH, LETTER, MARK, PUNCTUATION, REMOVED, SPACE } from "./characters.ts";
import type { PieceTable } from "./piece-table.ts";

const ASCII_END = 0x80;

export interface WordPieceOptions {
  readonly pieces: PieceTable;
  /** Given for a word that the vocabulary cannot spell or that is longer than `wordCharactersMax` code points. */
  readonly unknownToken: number;
  readonly wordCharactersMax: number;
  /** Classes of characters, as the artefact holds them. */
  readonly characterRuns: Uint32Array;
}

/**
 * The tokenizer of uncased BERT models: clean, set ideographs apart, drop accents, lower case, split at white space and
 * punctuation, then spell each word by the longest pieces of the vocabulary, left to right (Devlin et al. 2019; Wu et
 * al. 2016). Ids equal those of the Python tokenizer without its special tokens; `[SEP]` in a text is plain text.
 *
 * Time is linear in the text: a word beyond the limit is not spelled, and no piece is longer than the vocabulary's longest.
 */
export class WordPieceTokenizer {
  readonly #options: WordPieceOptions;
  readonly #characters: Characters;

  constructor(options: WordPieceOptions) {
    this.#options = options;
    this.#characters = new Characters(options.characterRuns);
  }

  /** Token ids of a text, at most `tokensMax` of them. */
  encode(text: string, tokensMax = Number.POSITIVE_INFINITY): number[] {
    const ids: number[] = [];
    const word = new Word(text, ids, this.#options);
    for (let offset = 0; offset < text.length && ids.length < tokensMax; ) {
      const unit = text.charCodeAt(offset);
      offset = unit < ASCII_END ? this.#readAscii(text, offset, unit, word) : this.#readOther(text, offset, word);
    }
    word.end();
    if (ids.length > tokensMax) ids.length = tokensMax;
    return ids;
  }

  /** Reads a run of ASCII letters and digits at once, or one other ASCII character. Returns the next offset. */
  #readAscii(text: string, offset: number, unit: number, word: Word): number {
    const classes = this.#characters.ascii;
    const found = classes[unit];
    if (found === LETTER) {
      let end = offset + 1;
      // A look past the end or beyond ASCII finds no class.
      while (classes[text.charCodeAt(end)] === LETTER) end++;
      word.addRun(offset, end);
      return end;
    }
    if (found === SPACE) word.end();
    else if (found === PUNCTUATION) word.alone(text.charAt(offset));
    return offset + 1;
  }

  #readOther(text: string, offset: number, word: Word): number {
    const code = text.codePointAt(offset) ?? 0;
    const folded = this.#characters.fold(code);
    const kind = folded.class;
    if (folded.mixed) {
      for (const part of folded.text) {
        if (this.#characters.classOf(part.codePointAt(0) ?? 0) === PUNCTUATION) word.alone(part);
        else word.addFolded(part, 1);
      }
    } else if (kind === SPACE) word.end();
    else if (kind === PUNCTUATION || kind === IDEOGRAPH) word.alone(folded.text);
    else if (kind !== REMOVED && kind !== MARK) word.addFolded(folded.text, folded.length);
    return offset + (code > 0xffff ? 2 : 1);
  }
}

/**
 * The word being read: a range of the text while it is one run of ASCII, a string of its own once anything else joins.
 * Past the limit only its length grows, so that an unbroken text costs no memory.
 */
class Word {
  readonly #text: string;
  readonly #ids: number[];
  readonly #options: WordPieceOptions;
  #start = 0;
  #end = 0;
  #joined = "";
  #characters = 0;

  constructor(text: string, ids: number[], options: WordPieceOptions) {
    this.#text = text;
    this.#ids = ids;
    this.#options = options;
  }

  /** A run of ASCII letters and digits, in either case. */
  addRun(start: number, end: number): void {
    if (this.#characters === 0) {
      this.#start = start;
      this.#end = end;
      this.#characters = end - start;
    } else this.addFolded(this.#text.slice(start, end), end - start);
  }

  addFolded(part: string, characters: number): void {
    const before = this.#characters;
    this.#characters += characters;
    if (this.#characters > this.#options.wordCharactersMax) return;
    if (this.#joined === "" && before > 0) this.#joined = this.#text.slice(this.#start, this.#end);
    this.#joined += part;
  }

  /** A character that is a word of its own. */
  alone(character: string): void {
    this.end();
    this.#spell(character, 0, character.length);
  }

  end(): void {
    if (this.#characters === 0) return;
    if (this.#characters > this.#options.wordCharactersMax) this.#ids.push(this.#options.unknownToken);
    else if (this.#joined === "") this.#spell(this.#text, this.#start, this.#end);
    else this.#spell(this.#joined, 0, this.#joined.length);
    this.#joined = "";
    this.#characters = 0;
  }

  #spell(text: string, start: number, end: number): void {
    if (!this.#options.pieces.spell(text, start, end, this.#ids)) this.#ids.push(this.#options.unknownToken);
  }
}
