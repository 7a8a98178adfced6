import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bm25Vector } from "./bm25-vector.ts";

interface Golden {
  readonly cases: readonly {
    readonly text: string;
    readonly options?: {
      readonly k?: number;
      readonly b?: number;
      readonly avg_doc_length?: number;
      readonly token_max_length?: number;
      readonly stopwords?: readonly string[];
    };
    readonly indices: readonly number[];
    readonly values: readonly number[];
  }[];
}

/** Made by python/chroma/bm25_golden.py with Chroma's own function. */
const golden: Golden = JSON.parse(readFileSync(new URL("fixtures/bm25-golden.json", import.meta.url), "utf8"));

describe("bm25Vector", () => {
  test("gives Chroma's own numbers for every golden text, to the last digit", () => {
    expect(golden.cases.length).toBeGreaterThan(150);
    expect(golden.cases.filter(({ indices }) => indices.length > 10).length).toBeGreaterThan(100);
    for (const { text, options = {}, indices, values } of golden.cases) {
      const { avg_doc_length: averageTokens, token_max_length: tokenCharactersMax, stopwords: stopWords } = options;
      const { k, b } = options;
      const vector = bm25Vector(text, { k, b, averageTokens, tokenCharactersMax, stopWords });
      expect(vector, JSON.stringify({ text, options })).toEqual({ indices, values });
    }
  });

  test("is empty where no word is left", () => {
    expect(bm25Vector("")).toEqual({ indices: [], values: [] });
    expect(bm25Vector("What is it? Who was THAT?!")).toEqual({ indices: [], values: [] });
  });
});
