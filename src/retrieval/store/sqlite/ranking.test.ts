import fc from "fast-check";
import { expect, test } from "vitest";
import { rankedBlocks } from "./ranking.ts";

const numRuns = 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

test("blocks put together are the whole order, best first, ties by place", () => {
  const few = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 900 });
  const many = fc.array(fc.double({ noNaN: true }), { maxLength: 900 });
  fc.assert(
    fc.property(fc.oneof(few, many), (values) => {
      const scores = Float64Array.from(values, (value) => value + 0);
      const [segments, rows] = [new Int32Array(values.length), new Int32Array(values.length)];
      const ranked = [...rankedBlocks({ count: values.length, segments, rows, scores })].flatMap((block) => [...block]);
      const expected = values.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
      expect(ranked).toEqual(expected);
    }),
    { numRuns, seed: 7 },
  );
});

test("a block is sorted without sorting what follows it", () => {
  const count = 200_000;
  const scores = Float64Array.from({ length: count }, (_, i) => (i * 7919) % count);
  const scored = { count, segments: new Int32Array(count), rows: new Int32Array(count), scores };
  const { value: first } = rankedBlocks(scored).next();
  expect([...(first ?? [])].map((place) => scores[place])).toEqual(
    Array.from({ length: first?.length ?? 0 }, (_, i) => count - 1 - i),
  );
});
