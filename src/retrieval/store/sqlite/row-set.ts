/** A set of row numbers from 0 to `rows` - 1, one bit for each. */
export class RowSet {
  readonly rows: number;
  readonly #bits: Uint8Array;
  #size: number;

  constructor(rows: number, bits: Uint8Array = new Uint8Array(Math.ceil(rows / 8))) {
    if (bits.length !== Math.ceil(rows / 8)) throw new Error("Invalid set of rows.");
    this.rows = rows;
    this.#bits = bits;
    this.#size = 0;
    for (let n = 0; n < rows; n++) if (this.has(n)) this.#size++;
  }

  static fromBase64(rows: number, text: string): RowSet {
    return new RowSet(rows, text === "" ? undefined : new Uint8Array(Buffer.from(text, "base64")));
  }

  get size(): number {
    return this.#size;
  }

  has(n: number): boolean {
    return ((this.#bits[n >> 3] ?? 0) & (1 << (n & 7))) !== 0;
  }

  /** This set and these rows; the set itself stays as it is. */
  with(added: Iterable<number>): RowSet {
    const bits = this.#bits.slice();
    for (const n of added) bits[n >> 3] = (bits[n >> 3] ?? 0) | (1 << (n & 7));
    return new RowSet(this.rows, bits);
  }

  toBase64(): string {
    return this.#size === 0 ? "" : Buffer.from(this.#bits).toString("base64");
  }
}
