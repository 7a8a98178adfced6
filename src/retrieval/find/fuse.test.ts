import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuse } from "./fuse.ts";

const numRuns = 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const list = fc.uniqueArray(fc.constantFrom(..."abcdefghij"), { maxLength: 10 });

describe("fuse", () => {
  test("adds 1 / (60 + rank), ranks from 1; an absent list contributes nothing", () => {
    const fused = fuse([{ ids: ["a", "b"] }, { ids: ["b", "c"] }]);
    expect(fused.map(({ id }) => id)).toEqual(["b", "a", "c"]);
    expect(fused[0]).toMatchObject({ ranks: [2, 1] });
    expect(fused[0]?.score).toBeCloseTo(1 / 62 + 1 / 61, 12);
    expect(fused[1]).toEqual({ id: "a", score: 1 / 61, ranks: [1, undefined] });
  });

  test("a rank for the absent, weights, and another k", () => {
    expect(fuse([{ ids: ["a"] }, { ids: [] }], { absentRank: 20 })[0]?.score).toBeCloseTo(1 / 61 + 1 / 80, 12);
    expect(fuse([{ ids: ["a"] }, { ids: ["b"], weight: 2 }], { k: 0 })).toMatchObject([
      { id: "b", score: 2 },
      { id: "a", score: 1 },
    ]);
  });

  test("ties go by id, not by list", () => {
    expect(fuse([{ ids: ["z"] }, { ids: ["a"] }]).map(({ id }) => id)).toEqual(["a", "z"]);
  });

  test("laws: every id once, one list keeps its order, the order of the lists is irrelevant, better ranks never hurt", () => {
    fc.assert(
      fc.property(list, list, list, (a, b, c) => {
        const lists = [a, b, c].map((ids) => ({ ids }));
        const fused = fuse(lists);
        expect(fused.map(({ id }) => id).sort()).toEqual([...new Set([...a, ...b, ...c])].sort());
        expect(fuse([{ ids: a }]).map(({ id }) => id)).toEqual(a);
        const simple = fused.map(({ id, score }) => ({ id, score }));
        expect(fuse([...lists].reverse()).map(({ id, score }) => ({ id, score }))).toEqual(simple);
        const [first] = a;
        if (first === undefined || !b.includes(first)) return;
        const place = (of: readonly { id: string }[]) => of.findIndex(({ id }) => id === first);
        const promoted = [first, ...b.filter((id) => id !== first)];
        expect(place(fuse([{ ids: a }, { ids: promoted }, { ids: c }]))).toBeLessThanOrEqual(place(fused));
      }),
      { numRuns, seed: 4 },
    );
  });
});
