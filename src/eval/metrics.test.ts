import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allGoldAt,
  answerFound,
  f1,
  ndcgAt,
  precision,
  pruneAccuracy,
  recall,
  recallAt,
  trajectoryRecall,
} from "./metrics.ts";

const numRuns = 300 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const goldOf = (...ids: string[]) => new Map(ids.map((id) => [id, 1]));

describe("hand-computed", () => {
  test.each<[string[], string[], { r: number; p: number; f: number }]>([
    [["a", "b", "c"], ["a", "x"], { r: 1 / 2, p: 1 / 3, f: 0.4 }],
    [["a", "a", "b"], ["a", "b"], { r: 1, p: 1, f: 1 }],
    [[], ["a"], { r: 0, p: 0, f: 0 }],
    [["b"], ["a"], { r: 0, p: 0, f: 0 }],
    [["b"], [], { r: 1, p: 0, f: 0 }],
  ])("%j against %j", (list, gold, { r, p, f }) => {
    expect(recall(list, goldOf(...gold))).toBeCloseTo(r, 12);
    expect(precision(list, goldOf(...gold))).toBeCloseTo(p, 12);
    expect(f1(list, goldOf(...gold))).toBeCloseTo(f, 12);
  });

  test("cut-offs count distinct documents", () => {
    const list = ["x", "x", "a", "b"];
    expect(recallAt(list, goldOf("a", "b"), 2)).toBe(0.5);
    expect(allGoldAt(list, goldOf("a", "b"), 2)).toBe(0);
    expect(allGoldAt(list, goldOf("a", "b"), 3)).toBe(1);
  });

  test("prune accuracy", () => {
    expect(pruneAccuracy(["a", "x", "y", "x"], goldOf("a"))).toBeCloseTo(2 / 3, 12);
    expect(pruneAccuracy(["x"], goldOf("a"))).toBe(1);
    expect(pruneAccuracy([], goldOf("a"))).toBeNull();
  });

  test("nDCG with grades", () => {
    const gold = new Map([
      ["a", 3],
      ["b", 1],
    ]);
    expect(ndcgAt(["b", "x", "a"], gold, 10)).toBeCloseTo((1 + 3 / 2) / (3 + 1 / Math.log2(3)), 12);
    expect(ndcgAt(["a", "b"], gold, 1)).toBe(1);
    expect(ndcgAt(["x"], gold, 5)).toBe(0);
  });

  test.each<[string[], string[], number | null]>([
    [["The capital is São-Paulo."], ["são paulo"], 1],
    [["There are 35 stores"], ["35"], 1],
    [["There are 350 stores"], ["35"], 0],
    [["nothing", "The Stanley Hall"], ["G. Stanley Hall", "Stanley Hall"], 1],
    [[], ["x"], 0],
    [["x"], [], null],
    [["x"], ["…", " "], null],
    [["ＡＢＣ"], ["abc"], 1],
  ])("answer: %j holds %j", (texts, answers, expected) => {
    expect(answerFound(texts, answers)).toBe(expected);
  });
});

describe("against naive re-computation", () => {
  const id = fc.constantFrom(..."abcdefgh");
  const list = fc.array(id, { maxLength: 10 });
  const gold = fc.uniqueArray(fc.tuple(id, fc.integer({ min: 1, max: 3 })), { selector: ([key]) => key, maxLength: 6 });

  test("every measure", () => {
    fc.assert(
      fc.property(list, gold, fc.integer({ min: 1, max: 12 }), (ranked, graded, k) => {
        const relevant = new Map(graded);
        const distinct = ranked.filter((each, i) => ranked.indexOf(each) === i);
        const found = (ids: string[]) => graded.filter(([key]) => ids.includes(key)).length;
        const r = graded.length === 0 ? 1 : found(distinct) / graded.length;
        const p = distinct.length === 0 ? 0 : found(distinct) / distinct.length;
        expect(recall(ranked, relevant)).toBe(r);
        expect(trajectoryRecall([...ranked].reverse(), relevant)).toBe(r);
        expect(precision(ranked, relevant)).toBe(p);
        expect(f1(ranked, relevant)).toBeCloseTo(
          found(distinct) === 0 ? (r + p === 0 ? 0 : (2 * p * r) / (p + r)) : 2 / (1 / p + 1 / r),
          12,
        );
        const top = distinct.slice(0, k);
        expect(recallAt(ranked, relevant, k)).toBe(graded.length === 0 ? 1 : found(top) / graded.length);
        expect(allGoldAt(ranked, relevant, k)).toBe(graded.every(([key]) => top.includes(key)) ? 1 : 0);
        const accuracy = distinct.length === 0 ? null : (distinct.length - found(distinct)) / distinct.length;
        if (accuracy === null) expect(pruneAccuracy(ranked, relevant)).toBeNull();
        else expect(pruneAccuracy(ranked, relevant)).toBeCloseTo(accuracy, 12);
      }),
      { numRuns, seed: 51 },
    );
  });

  test("nDCG is the share of the best of all orders", () => {
    const gains = (ids: string[], relevant: ReadonlyMap<string, number>) =>
      ids.reduce((sum, each, i) => sum + ((relevant.get(each) ?? 0) * Math.LN2) / Math.log(i + 2), 0);
    fc.assert(
      fc.property(list, gold, fc.integer({ min: 1, max: 6 }), (ranked, graded, k) => {
        const relevant = new Map(graded);
        const distinct = [...new Set(ranked)].slice(0, k);
        const best = graded.map(([key]) => key).sort((a, b) => (relevant.get(b) ?? 0) - (relevant.get(a) ?? 0));
        const value = ndcgAt(ranked, relevant, k);
        if (graded.length === 0) expect(value).toBe(1);
        else expect(value).toBeCloseTo(gains(distinct, relevant) / gains(best.slice(0, k), relevant), 10);
        expect(value).toBeLessThanOrEqual(1 + 1e-12);
      }),
      { numRuns, seed: 52 },
    );
  });
});
