import fc from "fast-check";
import { expect, test } from "vitest";
import { compareTerms, decodePostings, encodePostings } from "./postings.ts";

const numRuns = 300 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

function decoded(bytes: Uint8Array): number[] {
  const pairs: number[] = [];
  decodePostings(bytes, (row, count) => pairs.push(row, count));
  return pairs;
}

test("rows and counts come back as they went in", () => {
  const holder = fc.tuple(fc.oneof(fc.nat(), fc.nat({ max: 300 })), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
  fc.assert(
    fc.property(fc.uniqueArray(holder, { selector: ([row]) => row, maxLength: 60 }), (holders) => {
      const pairs = holders.sort(([a], [b]) => a - b).flat();
      expect(decoded(encodePostings(pairs))).toEqual(pairs);
    }),
    { numRuns, seed: 5 },
  );
});

test("bytes that were cut off or have no end are refused", () => {
  const bytes = encodePostings([3, 1, 70_000, 500]);
  for (const end of [1, bytes.length - 1]) expect(() => decoded(bytes.slice(0, end))).toThrow("Invalid postings");
  expect(() => decoded(new Uint8Array(9).fill(255))).toThrow("Invalid postings");
});

test("terms are ordered as their UTF-8 bytes are", () => {
  const text = fc.string({ unit: "grapheme-composite", maxLength: 4 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareTerms(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns, seed: 6 },
  );
  expect(compareTerms("\uffee", "\u{1f600}")).toBeLessThan(0);
});
