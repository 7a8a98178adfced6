/**
 * Which rows hold a term and how often: pairs of a distance to the row before and a count, each a number of base 128
 * with its lowest digit first and the eighth bit set on all digits but the last.
 */
const DIGIT_BITS = 7;
const MORE = 1 << DIGIT_BITS;
const DIGITS_MAX = 5;

/** Row numbers, ascending, each followed by its count. */
export type RowCounts = readonly number[];

export function encodePostings(pairs: RowCounts): Uint8Array {
  const bytes: number[] = [];
  let before = -1;
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const row = pairs[i] ?? 0;
    pushNumber(bytes, row - before - 1);
    pushNumber(bytes, pairs[i + 1] ?? 0);
    before = row;
  }
  return Uint8Array.from(bytes);
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= MORE; rest = Math.floor(rest / MORE)) bytes.push((rest % MORE) + MORE);
  bytes.push(rest);
}

/** Calls `take` for each row and its count. Throws where the bytes are not what `encodePostings` wrote. */
export function decodePostings(bytes: Uint8Array, take: (row: number, count: number) => void): void {
  let at = 0;
  const next = (): number => {
    let [value, scale] = [0, 1];
    for (let digits = 1; ; digits++) {
      const byte = bytes[at++];
      if (byte === undefined || digits > DIGITS_MAX) throw new Error("Invalid postings.");
      value += (byte & (MORE - 1)) * scale;
      if (byte < MORE) return value;
      scale *= MORE;
    }
  };
  for (let row = -1; at < bytes.length; ) {
    row += next() + 1;
    take(row, next());
  }
}

/** The order of SQLite's text: by code points, where JavaScript compares UTF-16 units. */
export function compareTerms(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rankOf(x) - rankOf(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all that one unit holds. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
