import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import type { Hit, Notice } from "../../core/types.ts";
import { memoryStore } from "../../testing/memory-store.ts";
import { storeRow } from "../../testing/store-row.ts";
import type { CorpusReader, FindAnswer } from "../corpus-reader.ts";
import type { EmbedderIdentity } from "./embed-query.ts";
import { findAcross } from "./find-across.ts";
import { findChunks } from "./find-chunks.ts";

const numRuns = 100 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

type Corpus = Pick<CorpusReader, "name" | "find">;

/** A corpus whose answer is these chunks with these scores. */
function corpusOf(name: string, chunks: readonly (readonly [string, number])[], notices: readonly Notice[] = []) {
  const hits = chunks.map(([id, score]): Hit => ({ corpus: name, chunk: storeRow(id, id).chunk, score }));
  return { name, find: async (): Promise<FindAnswer> => ({ hits, notices }) } satisfies Corpus;
}

const query = { text: "q", mode: "hybrid", chunksMax: 10 } as const;
const ask = (corpus: Corpus) => corpus.find(query);
const keys = ({ hits }: FindAnswer) => hits.map(({ corpus, chunk }) => `${corpus}/${chunk.id}`);

describe("findAcross", () => {
  test("scores do not count between corpora; a single corpus keeps its scores, none gives nothing", async () => {
    const [loud, quiet] = [
      corpusOf("loud", [
        ["x", 900],
        ["a", 800],
      ]),
      corpusOf("quiet", [
        ["m", 0.2],
        ["b", 0.1],
      ]),
    ];
    const both = await findAcross([loud, quiet], query, ask);
    expect(keys(both)).toEqual(["quiet/m", "loud/x", "loud/a", "quiet/b"]);
    expect(both.hits.map(({ score }) => score)).toEqual([1 / 61, 1 / 61, 1 / 62, 1 / 62]);
    expect((await findAcross([loud], query, ask)).hits.map(({ score }) => score)).toEqual([900, 800]);
    expect(await findAcross([], query, ask)).toEqual({ hits: [], notices: [] });
  });

  test("the best of a corpus that knows nothing does not stand beside the answer, unless meaning alone was asked for", async () => {
    const knows = corpusOf("knows", [
      ["berth lock expires", 3],
      ["berth", 2],
    ]);
    const others = ["a", "b", "c"].map((name) => corpusOf(name, [["nothing of it", 9]]));
    const asked = { text: "When does the berth lock expire?", mode: "hybrid" } as const;
    const ids = (answer: FindAnswer) => answer.hits.map(({ chunk }) => chunk.id);
    expect(ids(await findAcross([...others, knows], asked, ask)).slice(0, 2)).toEqual(["berth lock expires", "berth"]);
    const dense = await findAcross([...others, knows], { ...asked, mode: "dense" }, ask);
    expect(ids(dense).at(-1)).toBe("berth");
  });

  test("words do not lift a list of links to the top again", async () => {
    const links = Array.from({ length: 8 }, (_, i) => `- [berth lock expires ${i}](${i}.md)`).join("\n");
    const corpora = [corpusOf("a", [[links, 3]]), corpusOf("b", [["The berth lock expires after a tide", 3]])];
    const found = await findAcross(corpora, { text: "When does the berth lock expire?", mode: "hybrid" }, ask);
    expect(found.hits.map(({ corpus }) => corpus)).toEqual(["b", "a"]);
  });

  test("ties go by id, then by corpus, whatever the order of the corpora", async () => {
    const corpora = ["b", "c", "a"].map((name) =>
      corpusOf(name, [
        ["same", 1],
        [`${name}2`, 1],
      ]),
    );
    const wanted = ["a/same", "b/same", "c/same", "a/a2", "b/b2", "c/c2"];
    expect(keys(await findAcross(corpora, query, ask))).toEqual(wanted);
    expect(keys(await findAcross([...corpora].reverse(), query, ask))).toEqual(wanted);
  });

  test("laws: every hit once, each corpus's own order, no second before every first, order of corpora irrelevant", async () => {
    const lists = fc.array(fc.uniqueArray(fc.stringMatching(/^[a-f]{1,2}$/), { maxLength: 6 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(lists, async (ids) => {
        const corpora = ids.map((list, i) =>
          corpusOf(
            `c${i}`,
            list.map((id, rank) => [id, (i + 1) * (100 - rank)]),
          ),
        );
        const found = await findAcross(corpora, query, ask);
        for (const [i, list] of ids.entries()) {
          const own = found.hits.filter(({ corpus }) => corpus === `c${i}`);
          expect(own.map(({ chunk }) => chunk.id)).toEqual(list);
        }
        const ranks = found.hits.map(({ corpus, chunk }) => (ids[Number(corpus.slice(1))] ?? []).indexOf(chunk.id));
        if (ids.length > 1) expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
        expect(keys(await findAcross([...corpora].reverse(), query, ask))).toEqual(keys(found));
      }),
      { numRuns, seed: 31 },
    );
  });

  test("each corpus embeds the query with its own model, once", async () => {
    const asked: string[] = [];
    const vectorCorpus = async (name: string, embedder: EmbedderIdentity, id: string): Promise<Corpus> => {
      const store = memoryStore({ vectorDimension: embedder.dimension });
      const writer = await store.createWriter("t");
      const unit = (at: number) => Array.from({ length: embedder.dimension }, (_, i) => (i === at ? 1 : 0));
      await writer.append([
        storeRow(id, "near", { vector: unit(0) }),
        storeRow(`${id}-far`, "far", { vector: unit(1) }),
      ]);
      const reader = await store.openReader(await writer.commit());
      const embedQuery = async (text: string, { name: model, dimension }: EmbedderIdentity) => {
        asked.push(`${model}: ${text}`);
        return Float32Array.from({ length: dimension }, (_, i) => (i === 0 ? 1 : 0));
      };
      return { name, find: (wanted) => findChunks({ corpus: name, store: reader, embedder, embedQuery }, wanted) };
    };
    const corpora = [
      await vectorCorpus("one", { name: "small", dimension: 2 }, "y"),
      await vectorCorpus("two", { name: "large", dimension: 5 }, "x"),
    ];
    const found = await findAcross(corpora, { text: "q", mode: "dense" }, (corpus) =>
      corpus.find({ ...query, mode: "dense" }),
    );
    expect(keys(found).slice(0, 2)).toEqual(["two/x", "one/y"]);
    expect(asked.sort()).toEqual(["large: q", "small: q"]);
  });

  test("notices of all are kept, those that say the same once; a corpus that fails fails the query", async () => {
    const [word, late] = [
      { code: "lexical_only", message: "Words only." },
      { code: "index_not_ready", message: "Late." },
    ];
    const corpora = [corpusOf("a", [], [word]), corpusOf("b", [], [late, word])];
    expect((await findAcross(corpora, query, ask)).notices).toEqual([word, late]);
    const broken: Corpus = {
      name: "c",
      find: async () => {
        throw new WinnowError("corpus_corrupt", "A file is damaged.");
      },
    };
    await expect(findAcross([...corpora, broken], query, ask)).rejects.toMatchObject({ code: "corpus_corrupt" });
  });
});
