import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../core/clock.ts";
import { EXACT_PAIRS_MAX, meanIntervals, signFlipTests } from "./resample.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Roughly normal: the sum of twelve uniform numbers less six (variance 1). */
function normal(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

const sample = (random: () => number, length: number, draw: (random: () => number) => number) =>
  Array.from({ length }, () => draw(random));

describe("meanIntervals", () => {
  test("covers the true mean about as often as it says", () => {
    // Recall of two-document questions: 0, a half or one, with a known mean.
    const draw = (random: () => number) => [0, 0.5, 0.5, 1][Math.floor(random() * 4)] ?? 0;
    const random = seededRandom(11);
    const times = 400 * scale;
    let covered = 0;
    for (let i = 0; i < times; i++) {
      const [interval] = meanIntervals([sample(random, 80, draw)], { resamples: 800, seed: i });
      if (interval !== undefined && interval.low <= 0.5 && interval.high >= 0.5) covered++;
    }
    expect(covered / times).toBeGreaterThan(0.91);
    expect(covered / times).toBeLessThan(0.985);
  });

  test("is about as wide as the normal interval", () => {
    const random = seededRandom(12);
    const column = sample(random, 400, normal);
    const [interval = { low: 0, high: 0 }] = meanIntervals([column]);
    const deviation = Math.sqrt(mean(column.map((value) => (value - mean(column)) ** 2)) / column.length);
    expect((interval.high - interval.low) / (2 * 1.96 * deviation)).toBeCloseTo(1, 1);
    expect(interval.low).toBeLessThan(mean(column));
    expect(interval.high).toBeGreaterThan(mean(column));
  });

  test("bounds are order statistics: with 39 resamples the smallest and the largest mean", () => {
    // floor(40 × 0.025) = 1. Two questions give means of 0, 1/2 and 1.
    const [interval] = meanIntervals([[0, 1]], { resamples: 39, seed: 1 });
    expect(interval).toEqual({ low: 0, high: 1 });
    expect(
      meanIntervals([
        [3, 3, 3],
        [0, 0, 0],
      ]),
    ).toEqual([
      { low: 3, high: 3 },
      { low: 0, high: 0 },
    ]);
    expect(meanIntervals([[]])).toEqual([{ low: 0, high: 0 }]);
  });
});

describe("signFlipTests", () => {
  test("p-values are about uniform where there is no difference", () => {
    const random = seededRandom(13);
    const times = 500 * scale;
    for (const length of [12, 40]) {
      const ps: number[] = [];
      for (let i = 0; i < times; i++) {
        const [result] = signFlipTests([sample(random, length, normal)], { resamples: 400, seed: i });
        ps.push(result?.p ?? Number.NaN);
      }
      for (const level of [0.05, 0.25, 0.5, 0.75]) {
        const share = ps.filter((p) => p <= level).length / times;
        // Three standard deviations of a binomial share.
        expect(Math.abs(share - level), `${length} questions, ${level}`).toBeLessThan(
          0.005 + 3 * Math.sqrt((level * (1 - level)) / times),
        );
      }
    }
  });

  test("finds a difference that is there", () => {
    const random = seededRandom(14);
    const column = sample(random, 100, (draw) => 0.5 + normal(draw));
    expect(signFlipTests([column])[0]?.p).toBeLessThan(0.01);
  });

  test("hand-computed: all signs alike, ties, zeros, nothing", () => {
    expect(signFlipTests([[1, 1, 1]])).toEqual([{ p: 2 / 8, exact: true }]);
    // Sums of ±1 ±2 ±3 of at least 4 in size: 6, 4, and their negatives.
    expect(signFlipTests([[-1, 2, 3]])).toEqual([{ p: 4 / 8, exact: true }]);
    // Thirds and sixths that tie but for rounding.
    expect(signFlipTests([[1 / 3, -1 / 6, -1 / 6, 1 / 3]])[0]?.p).toBe(signFlipTests([[2, -1, -1, 2]])[0]?.p);
    expect(signFlipTests([[0, 0, 0]])).toEqual([{ p: 1, exact: true }]);
    expect(signFlipTests([[]])).toEqual([{ p: 1, exact: true }]);
    // Zeros do not count towards the limit of the exact test.
    const padded = [...Array(100).fill(0), 1, 1, 1];
    expect(signFlipTests([padded])).toEqual([{ p: 2 / 8, exact: true }]);
  });

  test("sampling agrees with enumeration just above its limit", () => {
    const random = seededRandom(15);
    const column = sample(random, EXACT_PAIRS_MAX, (draw) => 0.4 + normal(draw));
    const [exact] = signFlipTests([column]);
    // One more difference, too small to matter, makes it sampled.
    const [sampled] = signFlipTests([[...column, 1e-6]], { resamples: 20_000 });
    expect([exact?.exact, sampled?.exact]).toEqual([true, false]);
    expect(Math.abs((exact?.p ?? 0) - (sampled?.p ?? 1))).toBeLessThan(0.015);
  });
});

describe("both", () => {
  const column = fc.array(fc.constantFrom(-1, -0.5, -1 / 3, 0, 0.25, 1 / 3, 0.5, 1), { minLength: 1, maxLength: 40 });
  const numRuns = 60 * scale;

  test("swapping the sides mirrors the interval and keeps p; the seed decides", () => {
    fc.assert(
      fc.property(column, fc.nat(1000), (differences, seed) => {
        const options = { resamples: 200, seed };
        const negated = differences.map((value) => -value);
        const [interval] = meanIntervals([differences], options);
        const [mirrored] = meanIntervals([negated], options);
        expect(mirrored?.low).toBeCloseTo(-(interval?.high ?? Number.NaN), 12);
        expect(mirrored?.high).toBeCloseTo(-(interval?.low ?? Number.NaN), 12);
        expect(signFlipTests([negated], options)).toEqual(signFlipTests([differences], options));
        expect(meanIntervals([differences], options)).toEqual([interval]);
        const bounds = [Math.min(...differences), Math.max(...differences)];
        expect(interval?.low).toBeGreaterThanOrEqual((bounds[0] ?? 0) - 1e-12);
        expect(interval?.high).toBeLessThanOrEqual((bounds[1] ?? 0) + 1e-12);
      }),
      { numRuns, seed: 61 },
    );
  });

  test("a column's result does not depend on the columns beside it", () => {
    const random = seededRandom(16);
    const [a, b] = [sample(random, 50, normal), sample(random, 50, normal)];
    expect(meanIntervals([a, b])).toEqual([...meanIntervals([a]), ...meanIntervals([b])]);
    expect(signFlipTests([a, b])).toEqual([...signFlipTests([a]), ...signFlipTests([b])]);
  });

  test("another seed gives another sample", () => {
    const differences = sample(seededRandom(17), 50, normal);
    expect(meanIntervals([differences], { seed: 1 })).not.toEqual(meanIntervals([differences], { seed: 2 }));
    expect(signFlipTests([differences], { seed: 1 })).not.toEqual(signFlipTests([differences], { seed: 2 }));
  });

  test("ten measures of a thousand questions take a few seconds at most", () => {
    const random = seededRandom(18);
    const columns = Array.from({ length: 10 }, () => sample(random, 1000, normal));
    // Of the processor, not of the clock: other tests run beside this one. Measured 0.9 s.
    const start = process.cpuUsage();
    meanIntervals(columns);
    signFlipTests(columns);
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(8);
  });
});
