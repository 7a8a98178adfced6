import { shownText } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import { isBlank, type Span } from "./span.ts";

/** A stretch with the tokens of its text as it stands, white space at its ends included. */
export interface Piece extends Span {
  readonly tokens: number;
  readonly isHeading: boolean;
}

/** Tokens per unit of English prose, until the document itself has told its own. */
const TOKENS_PER_UNIT_START = 0.25;
/** Units counted before the document's own ratio is used. */
const UNITS_OBSERVED_MIN = 2_000;
/** White space around a seam up to which the counter surely makes no cut inside it. */
const SEAM_SPACE_MAX = 100;

/**
 * Counters whose pre-splitting always ends at the last line end of a run of white space, so that counts add up across
 * a seam behind a line end. For others every chunk is counted as a whole.
 */
const ADDITIVE_COUNTERS = new Set(["o200k"]);

/** Counts stretches of one document and learns how large a stretch may be before counting it is a waste. */
export class Measure {
  readonly #text: string;
  readonly #counter: TokenCounter;
  readonly #isAdditive: boolean;
  #units = 0;
  #tokens = 0;

  constructor(text: string, counter: TokenCounter) {
    this.#text = text;
    this.#counter = counter;
    this.#isAdditive = ADDITIVE_COUNTERS.has(counter.name);
  }

  piece(span: Span, isHeading = false): Piece {
    const { start, end } = span;
    return { start, end, tokens: this.#count(this.#text.slice(start, end)), isHeading };
  }

  /** Tokens of neighbouring pieces as one chunk in its shown form. Exact; counts again only what has to be. */
  shown(pieces: readonly Piece[]): number {
    const first = pieces[0];
    const last = pieces.at(-1);
    if (first === undefined || last === undefined) return 0;
    if (pieces.length === 1) return this.#shownPiece(first, true);
    if (!this.#isAdditive || !this.#addsUp(pieces)) return this.#shownSpan(first.start, last.end);
    const inner = pieces.slice(1, -1).reduce((sum, piece) => sum + piece.tokens, 0);
    return this.#withoutLeadingSpace(first) + inner + this.#shownPiece(last, false);
  }

  /** Units of a stretch that probably has at most so many tokens; a larger one is split before it is counted. */
  unitsFor(tokens: number): number {
    const observed = this.#units >= UNITS_OBSERVED_MIN;
    const ratio = observed ? this.#tokens / this.#units : TOKENS_PER_UNIT_START;
    return Math.ceil(Math.min(Math.max((0.9 * tokens) / Math.max(ratio, 0.01), tokens / 3), tokens * 12));
  }

  #shownSpan(start: number, end: number): number {
    return this.#count(shownText(this.#text.slice(start, end)));
  }

  /** The last piece of a chunk ends in a blank line when shown; the first one begins without white space. */
  #shownPiece(piece: Piece, isFirst: boolean): number {
    const text = this.#text.slice(piece.start, piece.end);
    const shown = isFirst ? shownText(text) : `${text.trimEnd()}\n\n`;
    return shown === text ? piece.tokens : this.#count(shown);
  }

  #withoutLeadingSpace(piece: Piece): number {
    const text = this.#text.slice(piece.start, piece.end);
    const trimmed = text.trimStart();
    return trimmed.length === text.length ? piece.tokens : this.#count(trimmed);
  }

  #addsUp(pieces: readonly Piece[]): boolean {
    return pieces.every(
      (piece, index) => (index === 0 || this.#isSeam(piece.start)) && !isBlank(this.#text, piece.start, piece.end),
    );
  }

  /**
   * True when no token can span `offset`: a line end before it, and after it neither a slash (which the vocabulary
   * attaches to line ends) nor white space that holds another line end.
   */
  #isSeam(offset: number): boolean {
    const text = this.#text;
    if (text.charCodeAt(offset - 1) !== 0x0a || text.charCodeAt(offset) === 0x2f) return false;
    let before = offset;
    while (offset - before <= SEAM_SPACE_MAX && /\s/.test(text.charAt(before - 1))) before--;
    let after = offset;
    while (after - before <= SEAM_SPACE_MAX && /\s/.test(text.charAt(after))) {
      if (text.charAt(after) === "\n" || text.charAt(after) === "\r") return false;
      after++;
    }
    return after - before <= SEAM_SPACE_MAX;
  }

  #count(text: string): number {
    const tokens = this.#counter.count(text);
    this.#units += text.length;
    this.#tokens += tokens;
    return tokens;
  }
}
