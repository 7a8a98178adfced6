import { describe, expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import { parseFilter } from "../../core/filter-parse.ts";
import { memoryStore } from "../../testing/memory-store.ts";
import { storeRow } from "../../testing/store-row.ts";
import { chunkKey, type FindQuery } from "../corpus-reader.ts";
import { analyzeText } from "../lexical/analyze.ts";
import type { StoreReader, StoreRow } from "../store/store.ts";
import { DEFAULT_FEEDBACK } from "./feedback.ts";
import { type FindSource, findChunks } from "./find-chunks.ts";
import { DEFAULT_FUSION, type RankFusion } from "./fusion-settings.ts";
import type { ScorePassages } from "./score-passages.ts";

const row = (id: string, text: string, more: Parameters<typeof storeRow>[2] = {}): StoreRow => ({
  ...storeRow(id, text, more),
  terms: analyzeText(text),
});

const ROWS = [
  row("river", "The river runs through the valley", { vector: [0, 1, 0], metadata: { year: 2001 } }),
  row("stream", "A stream runs dry", { vector: [0.1, 1, 0], metadata: { year: 2002 } }),
  row("car", "The car runs", { vector: [1, 0, 0], metadata: { year: 2003 } }),
  row("tree", "A tree grows", { vector: [0, 0, 1], metadata: { year: 2004 } }),
];

async function source(rows: readonly StoreRow[] = ROWS, vectors = true): Promise<FindSource> {
  const store = memoryStore(vectors ? { vectorDimension: 3 } : {});
  const writer = await store.createWriter("t");
  await writer.append(rows);
  const reader = await store.openReader(await writer.commit());
  return {
    corpus: "c",
    store: reader,
    ...(vectors
      ? { embedder: { name: "test", dimension: 3 }, embedQuery: async () => Float32Array.of(0, 1, 0.2) }
      : {}),
  };
}

const query = (more: Partial<FindQuery>): FindQuery => ({
  text: "running river",
  mode: "hybrid",
  chunksMax: 10,
  ...more,
});
const ids = (answer: { readonly hits: readonly { readonly chunk: { readonly id: string } }[] }) =>
  answer.hits.map(({ chunk }) => chunk.id);

describe("a store that works on so many things at once", () => {
  /** The same source, whose queries are noted, and its turns when they begin and end. */
  async function inTurns(embed?: () => Promise<Float32Array>): Promise<{ source: FindSource; noted: string[] }> {
    const plain = await source();
    const noted: string[] = [];
    const noting: StoreReader = {
      ...plain.store,
      capabilities: plain.store.capabilities,
      lexical: async (asked) => {
        noted.push("lexical");
        return plain.store.lexical(asked);
      },
      dense: async (asked) => {
        noted.push("dense");
        return plain.store.dense(asked);
      },
      chunks: async (asked, signal) => {
        noted.push("chunks");
        return plain.store.chunks(asked, signal);
      },
    };
    const outside = (): never => {
      throw new Error("asked outside of a turn");
    };
    const store: StoreReader = {
      ...noting,
      lexical: outside,
      dense: outside,
      chunks: outside,
      async turn(_signal, work) {
        noted.push("begins");
        const answer = await work(noting);
        noted.push("ends");
        return answer;
      },
    };
    const embedQuery = async (): Promise<Float32Array> => {
      noted.push("embeds");
      return embed === undefined ? Float32Array.of(0, 1, 0.2) : embed();
    };
    return { source: { ...plain, store, embedQuery }, noted };
  }

  test("gets all of a query in one turn, which is not taken up by making its vector", async () => {
    const { source: turns, noted } = await inTurns();
    const answer = await findChunks(turns, query({}));
    expect(ids(answer)).toEqual(ids(await findChunks(await source(), query({}))));
    expect([noted.slice(0, 2), noted.at(-1)]).toEqual([["embeds", "begins"], "ends"]);
    expect(noted.filter((name) => name === "begins")).toHaveLength(1);
    expect(noted).toContain("lexical");
    expect(noted).toContain("dense");
  });

  test("an embedder that fails leaves the lexical half and its notice, in a turn too", async () => {
    const { source: turns, noted } = await inTurns(() => Promise.reject(new WinnowError("embedder_failed", "Down.")));
    const answer = await findChunks(turns, query({}));
    expect(answer.notices.map(({ code }) => code)).toEqual(["lexical_only"]);
    expect(noted).not.toContain("dense");
    expect(answer.hits.length).toBeGreaterThan(0);
    await expect(findChunks(turns, query({ mode: "dense" }))).rejects.toMatchObject({ code: "embedder_failed" });
  });
});

describe("findChunks", () => {
  test("hybrid fuses both rankings and keeps their ranks", async () => {
    const answer = await findChunks(await source(), query({}));
    expect(answer.notices).toEqual([]);
    expect(answer.hits[0]).toMatchObject({ corpus: "c", chunk: { id: "river" }, lexicalRank: 1, denseRank: 1 });
    // The best of both halves has all of both.
    expect(answer.hits[0]?.score).toBeCloseTo(1, 12);
    const tree = answer.hits.find(({ chunk }) => chunk.id === "tree");
    expect(tree).toMatchObject({ denseRank: 3 });
    expect(tree).not.toHaveProperty("lexicalRank");
  });

  test("lexical and dense keep the scores of their kind", async () => {
    const lexical = await findChunks(await source(), query({ mode: "lexical" }));
    expect(ids(lexical)).toEqual(["river", "car", "stream"]);
    expect(lexical.hits.every((hit) => hit.denseRank === undefined && hit.score > 0.1)).toBe(true);
    const dense = await findChunks(await source(), query({ mode: "dense" }));
    expect(ids(dense).slice(0, 2)).toEqual(["river", "stream"]);
    expect(dense.hits[0]?.score).toBeCloseTo(1 / Math.hypot(1, 0.2), 5);
  });

  test("without vectors hybrid says that it is lexical, and dense is refused", async () => {
    const answer = await findChunks(await source(ROWS, false), query({}));
    expect(ids(answer)[0]).toBe("river");
    expect(answer.notices.map(({ code }) => code)).toEqual(["lexical_only"]);
    await expect(findChunks(await source(ROWS, false), query({ mode: "dense" }))).rejects.toMatchObject({
      code: "invalid_argument",
    });
  });

  test("weights decide between the halves; an absent rank counts for what a half lacks", async () => {
    const ranks: RankFusion = { k: 3, lexicalWeight: 1, denseWeight: 0.15, absentRank: null };
    const first = async (fusion: Partial<RankFusion>) => {
      const found = await source([
        row("word", "river", { vector: [1, 0, 0] }),
        row("near", "sea", { vector: [0, 1, 0] }),
      ]);
      return findChunks(found, query({ text: "river", fusion: { ...ranks, ...fusion } }));
    };
    expect(ids(await first({ lexicalWeight: 1, denseWeight: 0.1 }))[0]).toBe("word");
    expect(ids(await first({ lexicalWeight: 0.1, denseWeight: 1, k: 1 }))[0]).toBe("near");
    const { hits } = await first({ lexicalWeight: 1, denseWeight: 1, k: 60, absentRank: 20 });
    expect(hits.find(({ chunk }) => chunk.id === "near")?.score).toBeCloseTo(1 / 61 + 1 / 80, 12);
  });

  test("the second stage reads the first candidates of both halves and may change their order", async () => {
    const asked: string[][] = [];
    const scorePassages: ScorePassages = async (text, passages) => {
      asked.push([text, ...passages]);
      return passages.map((passage) => (passage.includes("stream") ? 1 : 0));
    };
    const fusion = { ...DEFAULT_FUSION, interaction: { share: 0.9, candidates: 2 } };
    const answer = await findChunks({ ...(await source()), scorePassages }, query({ fusion }));
    expect(asked).toHaveLength(1);
    expect(asked[0]?.[0]).toBe(query({}).text);
    expect(asked[0]?.length).toBeLessThanOrEqual(5);
    expect(ids(answer)[0]).toBe("stream");
    expect(ids(await findChunks({ ...(await source()), scorePassages }, query({ fusion, mode: "lexical" })))[0]).toBe(
      "river",
    );
  });

  test("a second stage that fails leaves the first and says so; a cancelled one ends the search", async () => {
    const failing: ScorePassages = async () => Promise.reject(new WinnowError("embedder_failed", "Damaged."));
    const answer = await findChunks({ ...(await source()), scorePassages: failing }, query({}));
    expect(answer.notices.map(({ code }) => code)).toEqual(["first_stage_only"]);
    expect(ids(answer)).toEqual(ids(await findChunks(await source(), query({}))));
    const controller = new AbortController();
    const cancelled: ScorePassages = async (_text, _passages, signal) => {
      controller.abort(new WinnowError("cancelled", "Stop."));
      throw signal?.reason;
    };
    await expect(
      findChunks({ ...(await source()), scorePassages: cancelled }, query({ signal: controller.signal })),
    ).rejects.toMatchObject({ code: "cancelled" });
  });

  test("an embedder that fails leaves the lexical half and says so; another embedder than the corpus's is refused", async () => {
    const failing = async (code: "embedder_failed" | "corpus_mismatch"): Promise<FindSource> => ({
      ...(await source()),
      embedQuery: async () => Promise.reject(new WinnowError(code, "No vector today.", { hint: "Come back." })),
    });
    const answer = await findChunks(await failing("embedder_failed"), query({}));
    expect(ids(answer)[0]).toBe("river");
    expect(answer.hits.every(({ denseRank }) => denseRank === undefined)).toBe(true);
    expect(answer.notices).toMatchObject([
      { code: "lexical_only", message: expect.stringContaining("No vector today. Come back.") },
    ]);
    const dense = findChunks(await failing("embedder_failed"), query({ mode: "dense" }));
    await expect(dense).rejects.toMatchObject({ code: "embedder_failed" });
    await expect(findChunks(await failing("corpus_mismatch"), query({}))).rejects.toMatchObject({
      code: "corpus_mismatch",
    });
  });

  test("a query that says nothing to the embedder has no dense half", async () => {
    const silent = { ...(await source()), embedQuery: async () => new Float32Array(3) };
    expect((await findChunks(silent, query({ mode: "dense" }))).hits).toEqual([]);
    expect(ids(await findChunks(silent, query({})))).toEqual(["river", "car", "stream"]);
  });

  test("feedback finds what shares words with the best chunks only", async () => {
    const rows = [
      row("a", "heron wades marsh reeds"),
      row("b", "heron nests marsh reeds"),
      row("c", "marsh reeds sway"),
      row("d", "city traffic"),
    ];
    const plain = await findChunks(await source(rows, false), query({ text: "heron", mode: "lexical" }));
    expect(ids(plain).sort()).toEqual(["a", "b"]);
    const asked = query({ text: "heron", mode: "lexical", feedback: DEFAULT_FEEDBACK });
    const fed = await findChunks(await source(rows, false), asked);
    expect(ids(fed)).toHaveLength(3);
    expect(ids(fed).at(-1)).toBe("c");
    expect(ids(await findChunks(await source(rows, false), { ...asked, text: "absent" }))).toEqual([]);
  });

  test("exclusion knows its own corpus; filters and documents count for both sides", async () => {
    const exclude = new Set([chunkKey("c", "river"), chunkKey("other", "stream"), chunkKey("cc", "car")]);
    expect(ids(await findChunks(await source(), query({ exclude }))).sort()).toEqual(["car", "stream", "tree"]);
    const excludeDocuments = new Set(["car.md", "tree.md"]);
    expect(ids(await findChunks(await source(), query({ excludeDocuments }))).sort()).toEqual(["river", "stream"]);
    const where = parseFilter(["year>=2003"]);
    expect(ids(await findChunks(await source(), query({ where }))).sort()).toEqual(["car", "tree"]);
  });

  test("a query without words, and a query that is a document", async () => {
    const empty = await findChunks(await source(), query({ text: "… ?!", mode: "lexical" }));
    expect(empty).toMatchObject({ hits: [], notices: [{ code: "no_terms" }] });
    const long = await findChunks(await source(), query({ text: `river ${"word ".repeat(5_000)}`, mode: "lexical" }));
    expect(ids(long)).toEqual(["river"]);
    expect(long.notices.map(({ code }) => code)).toEqual(["query_cut"]);
  });

  test("at most chunksMax, among enough candidates; bad counts are refused", async () => {
    const many = Array.from({ length: 50 }, (_, i) => row(`r${i}`, `river ${"pad ".repeat(i)}`));
    const answer = await findChunks(await source(many, false), query({ mode: "lexical", chunksMax: 7 }));
    expect(ids(answer)).toEqual(["r0", "r1", "r2", "r3", "r4", "r5", "r6"]);
    const whole = await findChunks(await source(many, false), query({ mode: "lexical", chunksMax: 1_000 }));
    expect(whole.hits).toHaveLength(50);
    for (const chunksMax of [0, -1, 1.5, 1_001, Number.NaN]) {
      await expect(findChunks(await source(), query({ chunksMax }))).rejects.toMatchObject({
        code: "invalid_argument",
      });
    }
  });

  test("an aborted query rejects", async () => {
    const signal = AbortSignal.abort();
    await expect(findChunks(await source(), query({ signal }))).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("lists of links and the like", () => {
  const links = Array.from({ length: 8 }, (_, i) => `- [River that runs through valley ${i}](river-${i}.md)`).join(
    "\n",
  );
  const rows = [row("links", `Where the river runs\n\n${links}`, { vector: [0, 1, 0.2] }), ...ROWS];
  const asked = "Where does the river run through?";

  test("stand behind what a question may be answered by, in every mode, and others move up", async () => {
    for (const mode of ["hybrid", "lexical", "dense"] as const) {
      const found = await findChunks(await source(rows), query({ text: asked, mode, chunksMax: 5 }));
      expect(ids(found)[0]).toBe("river");
      expect(ids(found)).toContain("links");
      const one = await findChunks(await source(rows), query({ text: asked, mode, chunksMax: 1 }));
      expect(ids(one)).toEqual(["river"]);
    }
  });

  test("stay where they are when a name is looked up", async () => {
    expect(ids(await findChunks(await source(rows), query({ text: "river-4.md", mode: "lexical" })))[0]).toBe("links");
  });
});
