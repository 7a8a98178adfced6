import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../../../../test/support/cpu-time.ts";
import { names, prose, sentences, terms } from "./words.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const found = (text: string): string[] => names(text).map((name) => name.text);

describe("names", () => {
  const cases: readonly [string, string, string[]][] = [
    ["an opener and a year in front", "Since 1839 Vorbach Grammar School has stood.", ["Vorbach Grammar School"]],
    ["an opener that is part of a name", "He went to the Between Rivers Museum.", ["Between Rivers Museum"]],
    ["a year in front", "2019 Nobel Prize", ["Nobel Prize"]],
    ["dates alone", "In March 1839, on Monday 3 April and in May.", []],
    ["a month in a name", "the novels of Theresa May", ["Theresa May"]],
    ["two full names around a loose joiner", "Ada Helm and Otto Bran met.", ["Ada Helm", "Otto Bran"]],
    ["a title with a loose joiner", "He read War and Peace.", ["War and Peace", "War", "Peace"]],
    ["the same where a capital tells nothing", "War and Peace is long.", ["War and Peace", "Peace"]],
    ["a tight joiner", "the Journal of Psychotherapy Integration", ["Journal of Psychotherapy Integration"]],
    ["joiners behind", "a house in Kessig of the", ["Kessig"]],
    ["initials", "books by J. R. Smith", ["J. R. Smith"]],
    ["commas between", "with Ada Helm, Otto Bran", ["Ada Helm", "Otto Bran"]],
    ["a possessive", "we know Vorbach's Garden Book", ["Vorbach", "Garden Book"]],
    ["a possessive at the end", "we know Vorbach’s.", ["Vorbach"]],
    ["one capital at a sentence start", "Houses burned. Trees fell.\n- Stones stayed", []],
    ["a capital behind an article", "The Foundry closed", ["Foundry"]],
    ["identifiers", "call getUser, ERR_12, a/b.ts, v1.2.", ["getUser", "ERR_12", "a/b.ts", "v1.2"]],
    ["quotes of either kind", 'the "slow green river" and “a b”', ["slow green river", "a b"]],
    ["a quote that never ends", 'the "slow green river', []],
    ["other alphabets with capitals", "Когда Иван Петров жил", ["Когда Иван Петров"]],
    ["scripts without capitals", "東京都は日本の首都 والقاهرة عاصمة", []],
    ["emoji", "see 🎉Ada Helm🎉 there", ["Ada Helm"]],
    ["nothing", " \n\t", []],
  ];
  it.each(cases)("%s: %s", (_, text, expected) => expect(found(text)).toEqual(expected));

  it("are never as long as a shouted paragraph, which would make a query of it", () => {
    expect(found(`note ${"SHALL BIND PARTIES ".repeat(40)}`)).toEqual([]);
  });

  it("are slices of the text where they say, whatever the text", () => {
    const piece = fc.constantFrom(
      "Ada",
      "and",
      "of",
      "Since",
      "1839",
      "March",
      "J.",
      " ",
      ". ",
      '"',
      "“",
      "’s",
      "\n",
      "é",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc
        .array(fc.oneof(piece, fc.string({ unit: "grapheme", maxLength: 3 })), { maxLength: 60 })
        .map((p) => p.join(" ")),
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (value) => {
        for (const name of names(value)) {
          expect(name.text).not.toBe("");
          expect(value.slice(name.at, name.at + name.text.length)).toBe(name.text);
        }
      }),
      { numRuns: 150 * SCALE, seed: 1839 },
    );
  });

  const long: readonly [string, string][] = [
    ["capitals", "Abc "],
    ["loose joiners", "Abc and "],
    ["openers", "Since "],
    ["numbers", "1 "],
    ["a row of dots", "."],
    ["apostrophes", "'"],
    ["hyphens", "a-"],
    ["quotes", "“a "],
    ["initials", "A. "],
    ["one word", "a"],
  ];
  it.each(long)("take time in proportion to the text: %s", (_, unit) => {
    const time = (units: number): number => {
      const text = `Since a${unit.repeat(units / unit.length)}b`;
      return cpuMilliseconds(() => names(text), 2);
    };
    // Ten times the text; squared time would be a hundred times as much.
    expect(time(100_000)).toBeLessThan(40 * Math.max(50, time(10_000)));
  });
});

describe("terms", () => {
  it.each([
    ["walk walks walked walking"],
    ["study studies"],
    ["create creates created creating"],
    ["city cities"],
    ["glass glasses"],
    ["house houses"],
    ["Müller Muller Mu\u0308ller MÜLLER"],
  ])("meet: %s", (forms) => expect(new Set(terms(forms)).size).toBe(1));

  it("keep what is different apart, and leave empty words out", () => {
    expect(terms("Who was the founder of it?")).toEqual(["founder"]);
    expect(new Set(terms("ab abc as1 1839 1840 bus bust")).size).toBe(7);
    expect(terms("")).toEqual([]);
  });

  it("hold letters and digits only, in lower case", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
        for (const term of terms(text)) expect(term).toMatch(/^[\p{L}\p{N}]+$/u);
      }),
      { numRuns: 200 * SCALE, seed: 1840 },
    );
  });
});

describe("prose and sentences", () => {
  it("leave code, link targets, addresses and tags out", () => {
    const text =
      "See [Ada](https://x.y/Otto).\n```\nclass Bran {}\n```\nAt `getUser` and https://Rell.org/A <b>bold</b>.";
    const left = prose(text);
    for (const gone of ["Otto", "Bran", "getUser", "Rell", "<b>"]) expect(left).not.toContain(gone);
    for (const kept of ["[Ada]", "At", "bold"]) expect(left).toContain(kept);
  });

  it("split where a sentence begins, and lose nothing but white space", () => {
    expect(sentences("It rained. Ada left! “Why?” 3.5 km on.\n\nnext")).toEqual([
      "It rained.",
      "Ada left!",
      "“Why?” 3.5 km on.",
      "next",
    ]);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        expect(sentences(text).join("").replace(/\s/gu, "")).toBe(text.replace(/\s/gu, ""));
      }),
      { numRuns: 200 * SCALE, seed: 1841 },
    );
  });
});
