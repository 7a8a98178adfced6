/** What the tokenizer does with a code point; the numbers are those of the artefact. */
export const LETTER = 0;
export const REMOVED = 1;
export const SPACE = 2;
export const PUNCTUATION = 3;
/** Stands alone, as a word of its own. */
export const IDEOGRAPH = 4;
/** A non-spacing mark: removed, since accents do not count. */
export const MARK = 5;

/** Folded characters kept at most: text in any one language needs a few thousand. */
const FOLDED_MAX = 65_536;
const ASCII_END = 0x80;

/** A character as it enters words: accents removed, lower case. */
export interface FoldedCharacter {
  readonly class: number;
  /** Usually one character; none where only marks remain, several for some ligatures and Hangul. */
  readonly text: string;
  /** How many code points `text` has. */
  readonly length: number;
  /** True when `text` holds punctuation among other characters, or another character than the original's class says. */
  readonly mixed: boolean;
}

/** Classes and folding of characters, from the artefact's table: engines know different versions of Unicode. */
export class Characters {
  /** Class of each ASCII code point. */
  readonly ascii: Uint8Array;
  readonly #runs: Uint32Array;
  readonly #folded = new Map<number, FoldedCharacter>();

  constructor(runs: Uint32Array) {
    this.#runs = runs;
    this.ascii = Uint8Array.from({ length: ASCII_END }, (_, code) => this.classOf(code));
  }

  classOf(code: number): number {
    let low = 0;
    for (let high = this.#runs.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle] ?? 0) >>> 3 <= code) low = middle;
      else high = middle;
    }
    return (this.#runs[low] ?? 0) & 7;
  }

  fold(code: number): FoldedCharacter {
    const known = this.#folded.get(code);
    if (known !== undefined) return known;
    if (this.#folded.size >= FOLDED_MAX) this.#folded.clear();
    const found = this.#compute(code);
    this.#folded.set(code, found);
    return found;
  }

  #compute(code: number): FoldedCharacter {
    const own = this.classOf(code);
    if (own === REMOVED || own === MARK || own === SPACE) return { class: own, text: "", length: 0, mixed: false };
    // Lower case one by one: over a whole string, JavaScript gives a final sigma its other form.
    const parts = [...String.fromCodePoint(code).normalize("NFD")]
      .filter((part) => this.#classOfPart(part) !== MARK)
      .flatMap((part) => [...part.toLowerCase()]);
    const classes = parts.map((part) => (this.#classOfPart(part) === PUNCTUATION ? PUNCTUATION : LETTER));
    const expected = own === PUNCTUATION ? PUNCTUATION : LETTER;
    const mixed = classes.some((one) => one !== expected) || (own === PUNCTUATION && parts.length !== 1);
    return { class: own, text: parts.join(""), length: parts.length, mixed };
  }

  #classOfPart(part: string): number {
    return this.classOf(part.codePointAt(0) ?? 0);
  }
}
