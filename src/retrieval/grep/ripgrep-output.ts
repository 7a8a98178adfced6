const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Reads what `rg -o -b --null-data` prints: `offset:match` NUL, again and again. The matched text is only measured, so
 * a match of any size costs no memory. Bytes come in pieces, cut anywhere.
 */
export class RipgrepOutputReader {
  #offset = 0;
  #length = 0;
  #inMatch = false;
  readonly #onMatch: (start: number, end: number) => boolean;

  /** `onMatch` gets the byte range of each match that is not empty, and returns false to stop. */
  constructor(onMatch: (start: number, end: number) => boolean) {
    this.#onMatch = onMatch;
  }

  /** Returns false when `onMatch` said stop. Throws on output of another shape. */
  push(bytes: Uint8Array): boolean {
    let i = 0;
    while (i < bytes.length) {
      if (this.#inMatch) {
        const end = bytes.indexOf(0, i);
        this.#length += (end === -1 ? bytes.length : end) - i;
        if (end === -1) return true;
        i = end + 1;
        if (!this.#endMatch()) return false;
      } else {
        const byte = bytes[i++] ?? 0;
        if (byte === COLON) this.#inMatch = true;
        else if (byte >= ZERO && byte <= NINE) this.#offset = this.#offset * 10 + byte - ZERO;
        else throw new Error("ripgrep printed something that is not a match.");
      }
    }
    return true;
  }

  #endMatch(): boolean {
    const [start, length] = [this.#offset, this.#length];
    this.#offset = 0;
    this.#length = 0;
    this.#inMatch = false;
    return length === 0 || this.#onMatch(start, start + length);
  }
}
