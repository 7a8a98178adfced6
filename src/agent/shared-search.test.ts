import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CorpusReader, chunkKey } from "../retrieval/corpus-reader.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { sharedCorpus } from "./shared-search.ts";

const numRuns = 100 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const { signal } = new AbortController();
const memory = memoryCorpus("test", randomChunks(12, 2, wordCounter()));

/** A corpus that counts what reaches it. */
function counting(more: Partial<CorpusReader> = {}): { readonly corpus: CorpusReader; readonly asked: string[] } {
  const asked: string[] = [];
  const counted = { ...memory, ...more };
  return {
    asked,
    corpus: {
      ...counted,
      find: (query) => {
        asked.push("find");
        return counted.find(query);
      },
      grep: (query) => {
        asked.push("grep");
        return counted.grep(query);
      },
      read: (query) => {
        asked.push("read");
        return counted.read(query);
      },
    },
  };
}

const find = { text: "amber basin", mode: "lexical", chunksMax: 5 } as const;

describe("sharedCorpus", () => {
  it("asks the store once for the same query, whether answered or under way, whatever the order of a set", async () => {
    const { corpus, asked } = counting();
    const shared = sharedCorpus(corpus, signal);
    const [one, two] = [chunkKey("test", "doc-1#0"), chunkKey("test", "doc-2#0")];
    const answers = await Promise.all([
      shared.find({ ...find, exclude: new Set([one, two]) }),
      shared.find({ ...find, exclude: new Set([two, one]) }),
    ]);
    expect(answers[0]).toBe(answers[1]);
    await shared.find({ ...find, exclude: new Set([one, two]), signal: new AbortController().signal });
    expect(asked).toEqual(["find"]);
  });

  it.each([
    ["text", { ...find, text: "amber" }],
    ["length", { ...find, chunksMax: 6 }],
    ["excluded chunks", { ...find, exclude: new Set([chunkKey("test", "doc-1#0")]) }],
    ["excluded documents", { ...find, excludeDocuments: new Set(["doc-1"]) }],
    ["filter", { ...find, where: [{ key: "number", operator: "=", values: ["3"] }] as const }],
    ["mode", { ...find, mode: "hybrid" as const }],
  ])("takes another %s for another query", async (_name, other) => {
    const { corpus, asked } = counting();
    const shared = sharedCorpus(corpus, signal);
    await shared.find(find);
    await shared.find(other);
    expect(asked).toEqual(["find", "find"]);
  });

  it("asks again when the corpus has changed", async () => {
    let generation = 1;
    const { corpus, asked } = counting({ info: async () => ({ ...(await memory.info()), generation }) });
    const shared = sharedCorpus(corpus, signal);
    await shared.find(find);
    generation++;
    await shared.find(find);
    expect(asked).toHaveLength(2);
  });

  it("does not keep a failure", async () => {
    let broken = true;
    const { corpus } = counting({ find: (q) => (broken ? Promise.reject(new Error("down")) : memory.find(q)) });
    const shared = sharedCorpus(corpus, signal);
    const both = await Promise.allSettled([shared.find(find), shared.find(find)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    broken = false;
    expect((await shared.find(find)).hits.length).toBeGreaterThan(0);
  });

  it("lets no asker's signal spoil another's answer, and refuses an asker that has aborted", async () => {
    const seen: (AbortSignal | undefined)[] = [];
    const { corpus } = counting({
      find: (query) => {
        seen.push(query.signal);
        return memory.find(query);
      },
    });
    const shared = sharedCorpus(corpus, signal);
    const own = new AbortController();
    const answer = shared.find({ ...find, signal: own.signal });
    own.abort();
    expect((await answer).hits.length).toBeGreaterThan(0);
    expect(seen).toEqual([signal]);
    await expect(shared.find({ ...find, signal: own.signal })).rejects.toThrow();
  });

  it("answers every query as the corpus itself does, however the queries repeat", async () => {
    const query = fc.record({
      text: fc.constantFrom("amber", "basin delta", "ember"),
      mode: fc.constant("lexical" as const),
      chunksMax: fc.integer({ min: 1, max: 4 }),
      exclude: fc
        .uniqueArray(fc.integer({ min: 0, max: 5 }))
        .map((n) => new Set(n.map((i) => chunkKey("test", `doc-${i}#0`)))),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(query, { maxLength: 12 }), async (queries) => {
        const shared = sharedCorpus(memory, signal);
        const answers = await Promise.all(queries.map((one) => shared.find(one)));
        expect(answers).toEqual(await Promise.all(queries.map((one) => memory.find(one))));
      }),
      { numRuns, seed: 20_263 },
    );
  });
});
