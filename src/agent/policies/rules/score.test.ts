import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RankedEntry, ShownChunk } from "../../context/rendered.ts";
import { Pool } from "./pool.ts";
import { readPrior } from "./prior.ts";
import { readQuestion } from "./question.ts";
import { predict } from "./ranker.ts";
import { EVIDENCE, RANKER_FEATURES, scoreDocuments } from "./score.ts";
import { DEFAULT_RULES } from "./settings.ts";
import { spread } from "./spread.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const QUESTION = "how long are idle sockets kept before the pool closes them";
const WORDS = "idle socket pool close keep limit second timer client server wait reuse open the of a".split(" ");

const shown = (document: number, text: string, title = ""): ShownChunk => ({
  key: `k${document}`,
  shownId: `d${document}.1`,
  shownDocumentId: `d${document}`,
  index: 0,
  title,
  headings: [],
  text,
});
const entry = (document: number, score: number): RankedEntry => ({
  key: `k${document}`,
  shownId: `d${document}.1`,
  shownDocumentId: `d${document}`,
  score,
});

function scored(chunks: readonly ShownChunk[], ranking: readonly RankedEntry[], text = QUESTION) {
  const question = readQuestion(text);
  const pool = new Pool(chunks);
  const prior = readPrior({ query: text, ranking }, { searches: [] });
  const scores = scoreDocuments({
    question,
    pool,
    prior,
    reach: spread(question, pool),
    ranker: DEFAULT_RULES.weights,
  });
  const rank = (id: string): number => prior.rankOf(id) ?? Number.MAX_SAFE_INTEGER;
  return [...scores].sort((a, b) => b[1].score - a[1].score || rank(a[0]) - rank(b[0])).map(([id]) => id);
}

describe("scoreDocuments", () => {
  it("keeps the order of the question's own ranking where nothing links documents", () => {
    const text = fc.array(fc.constantFrom(...WORDS), { minLength: 3, maxLength: 60 }).map((words) => words.join(" "));
    const scores = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), scores, (texts, given) => {
        const sorted = [...given].sort((a, b) => b - a);
        const ranking = sorted.map((score, i) => entry(i, score));
        const order = scored(
          texts.map((each, i) => shown(i, each)),
          ranking,
        );
        const ranked = order.filter((id) => ranking.some(({ shownDocumentId }) => shownDocumentId === id));
        expect(ranked).toEqual(ranking.map(({ shownDocumentId }) => shownDocumentId));
      }),
      { numRuns: 100 * SCALE, seed: 31 },
    );
  });

  it("lifts the end of a chain over what the question ranks before it", () => {
    const question = "Who governs the seat of the Walimdorf Museum?";
    const chunks = [
      shown(1, "The Walimdorf Museum has its seat in Relam Tarn.", "Walimdorf Museum"),
      shown(2, "Beata Brelumar governs Relam Tarn.", "Relam Tarn"),
      ...Array.from({ length: 12 }, (_, i) => shown(i + 3, `A museum of the seat number ${i}, nothing else.`)),
    ];
    const ranking = [1, ...Array.from({ length: 12 }, (_, i) => i + 3)].map((id, i) => entry(id, 1 - i / 20));
    const order = scored(chunks, ranking, question);
    expect(order.indexOf("d2")).toBeLessThan(6);
    expect(order[0]).toBe("d1");
  });
});

describe("the shipped ranker", () => {
  it("has the features that rows are made of", () => {
    expect(DEFAULT_RULES.weights.features).toEqual([...RANKER_FEATURES]);
  });

  it("is never lowered by more evidence or a better standing", () => {
    const value = fc.double({ min: 0, max: 1.5, noNaN: true });
    const row = fc.tuple(...RANKER_FEATURES.map(() => value));
    const rising = ["standing", "scoreShare", ...EVIDENCE].map((name) => RANKER_FEATURES.indexOf(name as never));
    fc.assert(
      fc.property(row, fc.constantFrom(...rising), value, (given, at, more) => {
        const raised = given.map((each, i) => (i === at ? each + more : each));
        const { weights } = DEFAULT_RULES;
        expect(predict(weights, raised)).toBeGreaterThanOrEqual(predict(weights, given) - 1e-9);
      }),
      { numRuns: 1_000 * SCALE, seed: 32 },
    );
  });
});
