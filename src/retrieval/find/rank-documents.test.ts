import { describe, expect, test } from "vitest";
import type { Hit } from "../../core/types.ts";
import { storeRow } from "../../testing/store-row.ts";
import { rankDocuments } from "./rank-documents.ts";

const hit = (documentId: string, index: number, score: number, corpus = "c"): Hit => ({
  corpus,
  score,
  chunk: storeRow(`${documentId}:${index}`, "x", { documentId, index }).chunk,
});

describe("rankDocuments", () => {
  test("by the best chunk, then by count, then by id", () => {
    const ranked = rankDocuments([
      hit("low", 0, 0.5),
      hit("b", 0, 0.9),
      hit("a", 0, 0.9),
      hit("many", 1, 0.2),
      hit("many", 0, 0.9),
    ]);
    expect(ranked.map(({ documentId }) => documentId)).toEqual(["many", "a", "b", "low"]);
    expect(ranked[0]).toMatchObject({ score: 0.9, hits: [{ score: 0.9 }, { score: 0.2 }] });
  });

  test("documents of one id in two corpora stay apart", () => {
    const ranked = rankDocuments([hit("a", 0, 1, "two"), hit("a", 0, 1, "one")]);
    expect(ranked.map(({ corpus }) => corpus)).toEqual(["one", "two"]);
    expect(rankDocuments([])).toEqual([]);
  });
});
