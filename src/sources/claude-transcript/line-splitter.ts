const LINE_END = 0x0a;

export interface LineSink {
  /** `complete` is false for a last line without its line end, which may still be being written. */
  line(text: string, number: number, complete: boolean): void;
  /** A line over the limit, of which nothing was kept. */
  tooLong(number: number): void;
}

/**
 * Bytes to lines in UTF-8, holding no more than one line. Bytes that are not UTF-8 become replacement characters; what
 * is wrong with a line is for its reader to judge.
 */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #lineBytesMax: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #overflown = false;
  #number = 1;

  constructor(sink: LineSink, lineBytesMax: number) {
    this.#sink = sink;
    this.#lineBytesMax = lineBytesMax;
  }

  /** Takes the next bytes; they may be overwritten afterwards. */
  push(part: Uint8Array): void {
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    let from = 0;
    for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, from)) {
      this.#keep(bytes.subarray(from, end));
      this.#flush(true);
      from = end + 1;
    }
    // A copy: the caller reuses its buffer.
    if (from < bytes.length) this.#keep(Buffer.from(bytes.subarray(from)));
  }

  end(): void {
    if (this.#pendingBytes > 0 || this.#overflown) this.#flush(false);
  }

  #keep(bytes: Buffer): void {
    if (this.#overflown) return;
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > this.#lineBytesMax) {
      this.#overflown = true;
      this.#pending = [];
    } else if (bytes.length > 0) this.#pending.push(bytes);
  }

  #flush(complete: boolean): void {
    const [only] = this.#pending;
    if (this.#overflown) this.#sink.tooLong(this.#number);
    else if (only !== undefined) {
      const line = this.#pending.length === 1 ? only : Buffer.concat(this.#pending);
      this.#sink.line(line.toString("utf8"), this.#number, complete);
    }
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#overflown = false;
    this.#number++;
  }
}
