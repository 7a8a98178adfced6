import { withoutKey } from "../service-message.ts";

/** Shorter ones are words such as `ollama` that local servers ask for: no secrets, and they stand in honest text. */
const SECRET_UNITS_MIN = 12;

/** The key, where it is one that must not appear in what a model seems to say. */
export function secretOf(key: string | undefined): string | undefined {
  return key !== undefined && key.length >= SECRET_UNITS_MIN ? key : undefined;
}

/** Passes a stream of text on without the key, wherever it is split: the end that may begin it is held back. */
export class KeyFilter {
  readonly #key: string | undefined;
  readonly #pass: (text: string) => void;
  #held = "";

  constructor(key: string | undefined, pass: (text: string) => void) {
    this.#key = secretOf(key);
    this.#pass = pass;
  }

  push(piece: string): void {
    const text = withoutKey(this.#held + piece, this.#key);
    const split = text.length - this.#overlap(text);
    this.#held = text.slice(split);
    if (split > 0) this.#pass(text.slice(0, split));
  }

  end(): void {
    if (this.#held !== "") this.#pass(this.#held);
    this.#held = "";
  }

  /** Length of the longest end of the text that begins the key. */
  #overlap(text: string): number {
    const key = this.#key;
    if (key === undefined) return 0;
    for (let units = Math.min(text.length, key.length - 1); units > 0; units--) {
      if (text.endsWith(key.slice(0, units))) return units;
    }
    return 0;
  }
}
