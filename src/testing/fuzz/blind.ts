import type { Chance } from "./chance.ts";

/** Longest input that is made, bytes: whatever takes long on one of these would take for ever on a large file. */
export const INPUT_BYTES_MAX = 256 * 1024;
/** How often a piece is repeated at most. */
const REPEATS_MAX = 20_000;
const RUN_BYTES_MAX = 50_000;

/** Bytes that readers of text stumble over. */
const ODD: readonly [Buffer, ...Buffer[]] = [
  Buffer.from([0]),
  Buffer.from([0, 0, 0, 0]),
  Buffer.from([0xff]),
  Buffer.from([0xc3]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0xef, 0xbb, 0xbf]),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xfe, 0xff]),
  Buffer.from([0x85]),
  Buffer.from("\r"),
  Buffer.from("\r\n\r\n"),
  Buffer.from("\u2028\u2029\u0085\v\f"),
  Buffer.from("\u001b[31m\u001b]0;x\u0007\u009b1m"),
  Buffer.from("\u202e\u2066\u200b\ufeff\u00ad"),
  Buffer.from("e\u0301".repeat(50)),
  Buffer.from("🧑‍🤝‍🧑".repeat(20)),
  Buffer.from("999999999999999999999999999999"),
  Buffer.from("-0"),
  Buffer.from("1e999"),
  Buffer.from("0x1F"),
  Buffer.from("NaN"),
  Buffer.from("null"),
  Buffer.from("__proto__"),
  Buffer.from("constructor"),
  Buffer.from("9999-99-99T99:99:99Z"),
];

type Edit = (bytes: Buffer, chance: Chance, others: readonly Buffer[]) => Buffer;

const replaced = (bytes: Buffer, from: number, to: number, piece: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(Math.max(from, to))]);

/** A stretch of the bytes: two places in order. */
function stretch(bytes: Buffer, chance: Chance): [from: number, to: number] {
  const from = chance.below(bytes.length + 1);
  return [from, Math.min(bytes.length, from + chance.size(bytes.length + 1))];
}

const EDITS: readonly [Edit, ...Edit[]] = [
  function flip(bytes, chance) {
    const copy = Buffer.from(bytes);
    for (let left = chance.size(16); left > 0; left--) {
      const at = chance.below(copy.length);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
    }
    return copy;
  },
  function cut(bytes, chance) {
    return bytes.subarray(0, chance.below(bytes.length + 1));
  },
  function behead(bytes, chance) {
    return bytes.subarray(chance.below(bytes.length + 1));
  },
  function remove(bytes, chance) {
    const [from, to] = stretch(bytes, chance);
    return replaced(bytes, from, to, Buffer.alloc(0));
  },
  function insertOdd(bytes, chance) {
    const at = chance.below(bytes.length + 1);
    return replaced(bytes, at, at, chance.of(ODD));
  },
  function overwriteOdd(bytes, chance) {
    const [from, to] = stretch(bytes, chance);
    return replaced(bytes, from, to, chance.of(ODD));
  },
  function prefix(bytes, chance) {
    return Buffer.concat([chance.of(ODD), bytes]);
  },
  function splice(bytes, chance, others) {
    const other = others[chance.below(others.length)] ?? bytes;
    const [from, to] = stretch(other, chance);
    const [start, end] = stretch(bytes, chance);
    return replaced(bytes, start, chance.happens(0.5) ? start : end, other.subarray(from, to));
  },
  function repeat(bytes, chance) {
    const [from, to] = stretch(bytes, chance);
    const unit = bytes.subarray(from, Math.min(to, from + 200));
    const times = chance.bulk(Math.min(REPEATS_MAX, INPUT_BYTES_MAX / Math.max(1, unit.length)));
    return replaced(bytes, from, from, Buffer.alloc(unit.length * times, unit));
  },
  function run(bytes, chance) {
    const at = chance.below(bytes.length + 1);
    return replaced(bytes, at, at, Buffer.alloc(chance.bulk(RUN_BYTES_MAX), bytes[chance.below(bytes.length)] ?? 0x20));
  },
  function oneLine(bytes) {
    return Buffer.from(bytes.filter((byte) => byte !== 0x0a));
  },
  function widen(bytes) {
    return Buffer.from(bytes.toString("latin1"), "utf16le");
  },
];

/** Changes bytes in a way that knows nothing of what they mean. At most `INPUT_BYTES_MAX` come out. */
export function mutateBlindly(bytes: Buffer, chance: Chance, others: readonly Buffer[]): Buffer {
  return Buffer.from(chance.of(EDITS)(bytes, chance, others).subarray(0, INPUT_BYTES_MAX));
}
