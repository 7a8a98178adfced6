import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wellFormed } from "../../core/text.ts";
import { ANALYZER_NAME, analyzeQuery, analyzeText } from "./analyze.ts";

const numRuns = 300 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

describe("analyzeText", () => {
  test.each<[string, string]>([
    ["The Quick, brown foxes!", "the quick brown fox"],
    ["configure configures configured configuring", "configur configur configur configur"],
    ["queries query queried", "queri queri queri"],
    ["embed embeds embedded embedding", "embed embed embed embed"],
    ["use used using uses", "use use use use"],
    ["need speed this status class news", "need speed this status class news"],
    ["Café Zürich Łódź straße naïve Ångström", "caf zurich lodz strass naiv angstrom"],
    ["й Ёж ά が", "й ёж ά が"],
    // Identifiers give parts and the joined whole.
    ["getUserName", "get user nam getusernam"],
    ["HTTPServer", "http server httpserver"],
    ["snake_case", "snak cas snakecas"],
    ["kebab-case", "kebab cas kebabcas"],
    ["v1.2.3", "v1 2 3 v1.2.3 1.2.3"],
    ["ERR_1234-AB", "err 1234 ab err1234ab"],
    ["3.14", "3 14 3.14"],
    ["2026-05-03", "2026 05 03 2026-05-03"],
    ["1,234,567.5 1,000 12,34", "1234567.5 1000 12 34"],
    ["red,green", "red green"],
    ["performer's O'Brien’s", "performer o brien obrien"],
    ["U.S.A.", "u s a usa"],
    ["C++ C# F# c", "c++ c c# c f# f c"],
    ["foo--bar foo - bar a/b", "foo bar foo bar a b"],
    ["ﬁle ２０２６", "fil 2026"],
    ["exam\u00adple", "exampl"],
    // Scripts without spaces.
    ["漢字検索", "漢字 字検 検索"],
    ["漢", "漢"],
    ["한국어", "한국 국어"],
    ["カタカナ", "カタ タカ カナ"],
    ["第3章です", "第 3 章で です"],
    ["ไทย", "ไท ทย"],
    ["𠮷野家", "𠮷野 野家"],
    ["😀 !? …", ""],
    ["", ""],
  ])("%j", (text, terms) => {
    expect(analyzeText(text).join(" ")).toBe(terms);
  });

  test("ways to write one identifier meet in the joined whole", () => {
    const forms = ["getUserName", "get_user_name", "get-user-name", "GET_USER_NAME", "getusername"];
    for (const form of forms) expect(analyzeText(form), form).toContain("getusernam");
  });

  test("long words are one term, cut; encoded data does not explode", () => {
    expect(analyzeText("x".repeat(500))).toEqual(["x".repeat(64)]);
    expect(analyzeText("xZ".repeat(500))).toEqual(["xz".repeat(32)]);
    expect(analyzeText(`${"x".repeat(63)}😀`)).toEqual(["x".repeat(63)]);
    for (const term of analyzeText(`${"é".repeat(63)}𝒳𐐀`)) expect(wellFormed(term)).toBe(term);
    expect(analyzeText("aB".repeat(20))).toHaveLength(1);
  });

  test("a long list of joined words gives its words and no whole", () => {
    const words = Array.from({ length: 12 }, (_, i) => `w${i}`);
    expect(analyzeText(words.join("-"))).toEqual(words);
    expect(analyzeText(Array.from({ length: 12 }, () => "123").join(","))).toHaveLength(12);
  });

  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.string({
      maxLength: 40,
      unit: fc.constantFrom(..."aB1_-.,'’ 漢か한ไé\u0301\u0323ßİ\u200d#+\ud842𠮷\u00a0\u2028"),
    }),
  );

  test("any text: terms are clean, and each finds itself again", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const term of analyzeText(text)) {
          expect(term).not.toBe("");
          expect(term).not.toMatch(/\s/u);
          expect(term.length).toBeLessThanOrEqual(64);
          expect(term).toBe(term.normalize("NFC"));
        }
        expect(analyzeText(text)).toEqual(analyzeText(text));
      }),
      { numRuns: numRuns * 3, seed: 31 },
    );
  });

  test("terms do not depend on what stands around the separators", () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(analyzeText(`${a} \n ${b}`)).toEqual([...analyzeText(a), ...analyzeText(b)]);
      }),
      { numRuns, seed: 32 },
    );
  });

  test("a word of a text is found by a query for it, in any case", () => {
    const word = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(..."abeingdsyzéüñ09") });
    fc.assert(
      fc.property(word, fc.array(word), (wanted, others) => {
        const terms = new Set(analyzeText([...others, wanted].join(" ")));
        expect(analyzeQuery(wanted.toUpperCase()).some((term) => terms.has(term))).toBe(true);
      }),
      { numRuns, seed: 33 },
    );
  });

  // A quadratic step anywhere would need minutes here.
  test.each([
    ["a"],
    ["aB"],
    ["a-"],
    ["123,"],
    ["漢字"],
    ["漢a"],
    ["ภาษา"],
    ["e\u0301"],
    ["\u0301\u0323"],
    ["\ud800"],
    ["'s"],
    [" "],
  ])("a megabyte of %j takes linear time", (unit) => {
    const text = unit.repeat(Math.floor(1_000_000 / unit.length));
    const start = performance.now();
    analyzeText(text);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe("analyzeQuery", () => {
  test("drops stop words unless there is nothing else", () => {
    expect(analyzeQuery("Who was the first president of the association?")).toEqual([
      "first",
      "president",
      "association",
    ]);
    expect(analyzeQuery("Who was that?")).toEqual(["who", "was", "that"]);
    expect(analyzeQuery("  ")).toEqual([]);
  });

  test("gives no term that analyzeText does not give", () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 12 }), (text) => {
        const terms = new Set(analyzeText(text));
        expect(analyzeQuery(text).every((term) => terms.has(term))).toBe(true);
      }),
      { numRuns: 50, seed: 34 },
    );
  });
});

test("the name changes with the mapping", () => {
  // If this fails, terms changed: raise ANALYZER_NAME, so that old indexes are rebuilt, and then this line.
  const sample = "The caches' getUserName v1.2.3 ERR_1234-AB Zürich 1,000 漢字検索 embedded queries";
  expect(`${ANALYZER_NAME}: ${analyzeText(sample).join(" ")}`).toBe(
    "winnow-en-1: the cach get user nam getusernam v1 2 3 v1.2.3 1.2.3 err 1234 ab err1234ab zurich 1000 漢字 字検 検索 embed queri",
  );
});
