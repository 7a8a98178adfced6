import { Characters, IDEOGRAPH, LETTER, MARK, PUNCTUATION, REMOVED, SPACE } from "./characters.ts";

const CONTINUATION = "##";
const ASCII_END = 0x80;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

export interface WordPieceTable {
  /** Row number to token; continuations start with `##`. */
  readonly vocabulary: readonly string[];
  /** Given for a word that the vocabulary cannot spell or that is longer than `wordCharactersMax` code points. */
  readonly unknownToken: number;
  readonly wordCharactersMax: number;
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
  readonly #table: WordPieceTable;
  readonly #characters: Characters;
  readonly #first = new Map<string, number>();
  readonly #next = new Map<string, number>();
  #pieceUnitsMax = 1;

  constructor(table: WordPieceTable) {
    this.#table = table;
    this.#characters = new Characters(table.characterRuns);
    for (const [id, token] of table.vocabulary.entries()) this.#addPiece(id, token);
  }

  #addPiece(id: number, token: string): void {
    const continues = token.length > CONTINUATION.length && token.startsWith(CONTINUATION);
    const piece = continues ? token.slice(CONTINUATION.length) : token;
    (continues ? this.#next : this.#first).set(piece, id);
    if (piece.length > this.#pieceUnitsMax) this.#pieceUnitsMax = piece.length;
  }

  /** Token ids of a text, at most `tokensMax` of them. */
  encode(text: string, tokensMax = Number.POSITIVE_INFINITY): number[] {
    const ids: number[] = [];
    const word = new Word(this, ids, this.#table);
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
      let upper = false;
      let end = offset;
      for (let at = unit; at < ASCII_END && classes[at] === LETTER; at = text.charCodeAt(end)) {
        if (at >= UPPER_A && at <= UPPER_Z) upper = true;
        end++;
      }
      word.add(text, offset, end, upper);
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

  /** Appends the pieces of one word, or the unknown token when it cannot be spelled to its end. */
  spell(word: string, ids: number[]): void {
    const whole = this.#first.get(word);
    if (whole !== undefined) {
      ids.push(whole);
      return;
    }
    const before = ids.length;
    for (let start = 0; start < word.length; ) {
      const pieces = start === 0 ? this.#first : this.#next;
      let end = Math.min(word.length, start + this.#pieceUnitsMax);
      let id: number | undefined;
      for (; end > start; end--) {
        id = pieces.get(word.slice(start, end));
        if (id !== undefined) break;
      }
      if (id === undefined) {
        ids.length = before;
        ids.push(this.#table.unknownToken);
        return;
      }
      ids.push(id);
      start = end;
    }
  }
}

/** The word being read. Past the limit only its length grows, so that an unbroken text costs no memory. */
class Word {
  readonly #tokenizer: WordPieceTokenizer;
  readonly #ids: number[];
  readonly #charactersMax: number;
  readonly #unknownToken: number;
  #text = "";
  #characters = 0;

  constructor(tokenizer: WordPieceTokenizer, ids: number[], table: WordPieceTable) {
    this.#tokenizer = tokenizer;
    this.#ids = ids;
    this.#charactersMax = table.wordCharactersMax;
    this.#unknownToken = table.unknownToken;
  }

  add(text: string, start: number, end: number, upper: boolean): void {
    this.#characters += end - start;
    if (this.#characters > this.#charactersMax) return;
    const part = upper ? text.slice(start, end).toLowerCase() : text.slice(start, end);
    this.#text = this.#text === "" ? part : this.#text + part;
  }

  addFolded(part: string, characters: number): void {
    this.#characters += characters;
    if (this.#characters <= this.#charactersMax) this.#text += part;
  }

  /** A character that is a word of its own. */
  alone(character: string): void {
    this.end();
    this.#tokenizer.spell(character, this.#ids);
  }

  end(): void {
    if (this.#characters === 0) return;
    if (this.#characters > this.#charactersMax) this.#ids.push(this.#unknownToken);
    else this.#tokenizer.spell(this.#text, this.#ids);
    this.#text = "";
    this.#characters = 0;
  }
}
