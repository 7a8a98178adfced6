import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuseInteraction, fuseScores, type ScoredId } from "./fuse-scores.ts";

const SETTINGS = { denseShare: 0.2, pool: 200 };
const list = (prefix: string): fc.Arbitrary<ScoredId[]> =>
  fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 30 }).chain((numbers) =>
    fc
      .array(fc.double({ min: 0.01, max: 30, noNaN: true }), { minLength: numbers.length, maxLength: numbers.length })
      .map((scores) => {
        const sorted = [...scores].sort((a, b) => b - a);
        return numbers.map((number, i) => ({ id: `${prefix}${number}`, score: sorted[i] ?? 0 }));
      }),
  );

describe("fuseScores", () => {
  test("words count as shares of the best, meaning by its place among the nearest", () => {
    const lexical = [
      { id: "a", score: 10 },
      { id: "b", score: 5 },
    ];
    const dense = [
      { id: "b", score: 0.9 },
      { id: "c", score: 0.7 },
      { id: "d", score: 0.5 },
    ];
    const fused = fuseScores(lexical, dense, SETTINGS);
    expect(fused.map(({ id, score }) => [id, Number(score.toFixed(6))])).toEqual([
      ["a", 0.8],
      ["b", 0.6],
      ["c", 0.1],
      ["d", 0],
    ]);
    expect(fused.find(({ id }) => id === "b")?.ranks).toEqual([2, 1]);
  });

  test("what lies behind the pool counts for nothing, never for less", () => {
    const dense = ["a", "b", "c"].map((id, i) => ({ id, score: 1 - i / 10 }));
    const fused = fuseScores([], dense, { denseShare: 0.5, pool: 2 });
    expect(fused.map(({ score }) => score)).toEqual([0.5, 0, 0]);
  });

  test("each id once, scores from 0 to 1, and without meaning the order of words", () => {
    fc.assert(
      fc.property(list(""), list(""), fc.double({ min: 0, max: 1, noNaN: true }), (lexical, dense, denseShare) => {
        const fused = fuseScores(lexical, dense, { denseShare, pool: 200 });
        expect(new Set(fused.map(({ id }) => id)).size).toBe(fused.length);
        expect(fused.length).toBe(new Set([...lexical, ...dense].map(({ id }) => id)).size);
        for (const { score } of fused) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1 + 1e-9);
        }
        const words = fuseScores(lexical, [], { denseShare, pool: 200 });
        for (const [i, { score }] of words.slice(1).entries()) expect(score).toBeLessThanOrEqual(words[i]?.score ?? 0);
      }),
      { numRuns: 100 },
    );
  });
});

describe("fuseInteraction", () => {
  test("moves what was read by its share, and leaves what was not behind its like", () => {
    const first = fuseScores(
      ["a", "b", "c"].map((id, i) => ({ id, score: 3 - i })),
      [],
      SETTINGS,
    );
    const second = fuseInteraction(
      first,
      [
        { id: "b", score: 0.4 },
        { id: "a", score: 0.1 },
      ],
      0.5,
    );
    expect(second.map(({ id }) => id)).toEqual(["b", "a", "c"]);
    expect(fuseInteraction(first, [], 0.5).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });
});
