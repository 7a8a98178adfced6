import { describe, expect, test } from "vitest";
import type { Notice } from "../../core/types.ts";
import { memoryCorpus } from "../../testing/memory-corpus.ts";
import { storeRow } from "../../testing/store-row.ts";
import { absentWords, coverageOf, questionWords } from "./question-words.ts";

const texts = (question: string) => questionWords(question).map(({ text }) => text);
const corpus = memoryCorpus("c", [
  storeRow("a", "the pool keeps sockets open").chunk,
  storeRow("b", "a retry waits for the socket").chunk,
]);
const absentOf = async (question: string, more = {}) =>
  (await absentWords([corpus], questionWords(question), { hits: [], ...more })).map(({ text }) => text);

describe("questionWords", () => {
  test.each([
    ["How does the pool keep sockets open?", ["pool", "keep", "sockets", "open"]],
    ["What's Ada's ERR_42-AB, and where's it?", ["Ada", "ERR_42-AB"]],
    ["please tell me how many things people use", []],
    ["(src/core/text.ts)", ["src", "core", "text.ts"]],
    ["pool Pool POOL", ["pool"]],
    ["don't we've 'quoted' it", ["quoted"]],
    ["to be or not to be", []],
    ["a 7 of x", []],
    ["", []],
  ])("%s", (question, words) => {
    expect(texts(question)).toEqual(words);
  });

  test("names are told by case and digits, but not by the capital that opens a question", () => {
    const names = questionWords("Sockets of Ada use HTTP2").filter(({ isName }) => isName);
    expect(names.map(({ text }) => text)).toEqual(["Ada", "HTTP2"]);
  });
});

describe("absentWords", () => {
  test("names what no chunk holds, in the order of the question", async () => {
    expect(await absentOf("Does the unobtainium pool open zzzqqq sockets?")).toEqual(["unobtainium", "zzzqqq"]);
    expect(await absentOf("the retry of sockets")).toEqual([]);
  });

  test("a word of several pieces is absent with any of them", async () => {
    expect(await absentOf("pool-retry pool-teapot")).toEqual(["pool-teapot"]);
  });

  test("what the hits hold needs no look-up, in any inflection", async () => {
    const nothing = memoryCorpus("none", []);
    const { hits } = await corpus.find({ text: "pool", mode: "lexical", chunksMax: 1 });
    const absent = await absentWords([nothing], questionWords("opened pools teapot"), { hits });
    expect(absent.map(({ text }) => text)).toEqual(["teapot"]);
  });

  test("documents that are left out hold nothing", async () => {
    expect(await absentOf("retry", { excludeDocuments: new Set(["b.md"]) })).toEqual(["retry"]);
  });

  test("any of the corpora may hold a word, and one that was left out may hold all", async () => {
    const words = questionWords("pool teapot");
    const kitchen = memoryCorpus("k", [storeRow("t", "a teapot").chunk]);
    expect(await absentWords([corpus, kitchen], words, { hits: [] })).toEqual([]);
    const notices: Notice[] = [{ code: "left_out", message: "Not agreed to." }];
    const leftOut = { find: async () => ({ hits: [], notices }) };
    expect(await absentWords([corpus, leftOut], words, { hits: [] })).toEqual([]);
  });

  test("of a long text the first words are looked up, names before others", async () => {
    const many = Array.from(
      { length: 30 },
      (_, i) => `word${"abcdefghijklmnopqrstuvwxyzabcd"[i]}${"xy"[i % 2]}${i > 25 ? "z" : ""}`,
    );
    const absent = await absentOf(`${[...new Set(many)].join(" ")} Zanzibar`);
    expect(absent).toHaveLength(12);
    expect(absent.at(-1)).toBe("Zanzibar");
  });
});

describe("coverageOf", () => {
  test("is the share of the words that the best of the first hits holds", async () => {
    const { hits } = await corpus.find({ text: "pool retry socket", mode: "lexical", chunksMax: 5 });
    expect(coverageOf(questionWords("pool sockets teapot kettle"), hits)).toBe(0.5);
    expect(coverageOf([], hits)).toBe(0);
    expect(coverageOf(questionWords("pool"), [])).toBe(0);
  });
});
