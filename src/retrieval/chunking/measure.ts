import { shownText } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import type { Span } from "./span.ts";

/** A stretch with its tokens. */
export interface Piece extends Span {
  readonly tokens: number;
  /** True when `tokens` counts the shown form, so that a chunk of this piece alone need not be counted again. */
  readonly exact: boolean;
  readonly isHeading: boolean;
}

/** Tokens per unit of English prose, until the document itself has told its own. */
const TOKENS_PER_UNIT_START = 0.25;
/** Units counted before the document's own ratio is used. */
const UNITS_OBSERVED_MIN = 2_000;

/** Counts stretches of one document and learns how large a stretch may be before counting it is a waste. */
export class Measure {
  readonly #text: string;
  readonly #counter: TokenCounter;
  #units = 0;
  #tokens = 0;

  constructor(text: string, counter: TokenCounter) {
    this.#text = text;
    this.#counter = counter;
  }

  /** Tokens of a span as a chunk of it would be shown. */
  shown(span: Span): number {
    return this.#count(shownText(this.#text.slice(span.start, span.end)));
  }

  piece(span: Span, exact: boolean, isHeading = false): Piece {
    const { start, end } = span;
    const tokens = exact ? this.shown(span) : this.#count(this.#text.slice(start, end));
    return { start, end, tokens, exact, isHeading };
  }

  /** Units of a stretch that probably has at most so many tokens; a larger one is split before it is counted. */
  unitsFor(tokens: number): number {
    const observed = this.#units >= UNITS_OBSERVED_MIN;
    const ratio = observed ? this.#tokens / this.#units : TOKENS_PER_UNIT_START;
    return Math.ceil(Math.min(Math.max((0.9 * tokens) / Math.max(ratio, 0.01), tokens / 3), tokens * 12));
  }

  #count(text: string): number {
    const tokens = this.#counter.count(text);
    this.#units += text.length;
    this.#tokens += tokens;
    return tokens;
  }
}
