import { describe, expect, test } from "vitest";
import type { Hit } from "../../core/types.ts";
import { storeRow } from "../../testing/store-row.ts";
import { CHANGELOGS, CODE, LOGS, NOISE, PROSE, TABLES } from "../../testing/text-forms.ts";
import { demoteNoise, isPlainQuestion, noiseShare } from "./text-form.ts";

describe("noiseShare", () => {
  test.each([
    ["code", CODE],
    ["tables", TABLES],
    ["logs", LOGS],
    ["changelogs and other lists", CHANGELOGS],
    ["prose", PROSE],
  ])("is nothing for %s", (_, texts) => {
    expect(texts.length).toBeGreaterThanOrEqual(20);
    const taken = texts.filter((text) => noiseShare(text) > 0);
    expect(taken).toEqual([]);
  });

  test("is much for links, contents, indexes, packed programs and encoded data", () => {
    expect(NOISE.length).toBeGreaterThanOrEqual(20);
    expect(NOISE.filter((text) => noiseShare(text) < 0.5)).toEqual([]);
  });

  test("grows with the share of what is noise", () => {
    const [links = "", prose = ""] = [NOISE[0], PROSE[0]];
    const shares = [0, 1, 2, 4, 8].map((times) => noiseShare(`${links}\n\n${prose.slice(0, 150 * times)}`));
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(shares[0]).toBe(1);
    expect(shares.at(-1)).toBe(0);
  });

  test("goes by the name of a file that is made for looking things up", () => {
    const [prose = ""] = PROSE;
    for (const uri of [
      "search/search_index.json#4",
      "_static/searchindex.js",
      "C:\\docs\\genindex.html",
      "sitemap-1.xml",
    ]) {
      expect(noiseShare(prose, uri)).toBeGreaterThan(0.8);
    }
    for (const uri of ["docs/search.md", "index.html", "docs/indexing.md", "sitemaps-explained/readme.md", ""]) {
      expect(noiseShare(prose, uri)).toBe(0);
    }
    const titles = ["Berths", "Cranes and ropes", "How to load", "Tides", "Pilots", "Lanterns at night", "Cargo"].join(
      "\n",
    );
    expect(noiseShare(titles, "docs/toc.md")).toBeGreaterThan(0.8);
    expect(noiseShare(titles, "docs/harbour.md")).toBe(0);
    expect(noiseShare(prose, "docs/summary.md")).toBe(0);
  });

  test("takes scripts without spaces between words for what they are", () => {
    expect(noiseShare("港の係留場所は、荷物を積んでいる間は閉じられる。".repeat(40))).toBe(0);
  });

  test("never leaves 0 to 1, and takes linear time, whatever the text", () => {
    const start = performance.now();
    for (const part of [
      "[",
      "[a](",
      "](",
      "....",
      ". ",
      "((",
      "a1B2",
      "0x",
      "<https://",
      "[[",
      "\n",
      " ",
      "# ",
      "é",
      "=",
    ]) {
      for (const count of [0, 1, 7, 60_000]) {
        const share = noiseShare(part.repeat(count), part);
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }
    }
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

test.each([
  ["When does the berth lock expire?", true],
  ["connection pool size", true],
  ["What changed in Python 3.12?", true],
  ["wie oft wird die Warteschlange geleert", true],
  ["berth", false],
  ["berth lock", false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", false],
  ["src/retrieval/find/fuse.ts", false],
  ["TypeError: Cannot read properties", true],
  ["a1 b2 c3 d4", false],
  ['"when the tide is high"', false],
])("isPlainQuestion of %j is %j", (query, expected) => {
  expect(isPlainQuestion(query)).toBe(expected);
});

describe("demoteNoise", () => {
  const hit = (id: string, text: string, score: number): Hit => {
    return { corpus: "c", chunk: storeRow(id, text).chunk, score };
  };
  const links = Array.from({ length: 12 }, (_, i) => `- [When does the berth lock ${i} expire](berth-${i}.md)`).join(
    "\n",
  );
  const hits = [
    hit("links", links, 9),
    hit("answer", "The berth lock expires after one tide.", 8),
    hit("b", "Berths.", 8),
  ];
  const order = (query: string, given = hits) => demoteNoise(given, query).map(({ chunk }) => chunk.id);

  test("puts noise behind what answers a question, and leaves all else in its order", () => {
    expect(order("When does the berth lock expire?")).toEqual(["answer", "b", "links"]);
    expect(demoteNoise(hits, "When does the berth lock expire?")[0]?.score).toBe(8);
  });

  test("leaves the list as it is for an identifier, a path, or words that stand in the chunk as they are", () => {
    expect(order("berth-4.md")).toEqual(["links", "answer", "b"]);
    expect(order("when does  the berth lock 4")).toEqual(["links", "answer", "b"]);
    expect(demoteNoise(hits.slice(1), "When does the berth lock expire?")).toEqual(hits.slice(1));
  });

  test("leaves scores alone that a share of would not lower", () => {
    const below = hits.map((one) => ({ ...one, score: -one.score }));
    expect(order("When does the berth lock expire?", below)).toEqual(["links", "answer", "b"]);
  });
});
