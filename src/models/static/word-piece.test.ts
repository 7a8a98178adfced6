import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../../../test/support/cpu-time.ts";
import { parseArtefact } from "./artefact.ts";
import { PieceTable } from "./piece-table.ts";
import { WordPieceTokenizer } from "./word-piece.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const settings = { seed: 20_260_101, numRuns: 200 * scale };

const artefact = parseArtefact(
  readFileSync(new URL("../../../models/static-minilm/static-minilm.bin", import.meta.url)),
);
const { unknownToken, wordCharactersMax } = artefact.header;
const { characterRuns } = artefact;
const vocabulary = artefact.vocabulary.split("\n");
const pieces = new PieceTable(artefact.vocabulary);
const tokenizer = new WordPieceTokenizer({ pieces, characterRuns, unknownToken, wordCharactersMax });

interface Golden {
  readonly cases: readonly { readonly text: string; readonly ids: readonly number[] }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("fixtures/golden.json", import.meta.url), "utf8"));
const spelled = (text: string): string[] => tokenizer.encode(text).map((id) => pieces.token(id));

describe("ids", () => {
  it("are those of Python in every golden case", () => {
    expect(golden.cases.length).toBeGreaterThan(400);
    const wrong = golden.cases.filter(({ text, ids }) => String(tokenizer.encode(text)) !== String(ids));
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it("spell words by their longest pieces", () => {
    expect(spelled("Embeddings, unaffable!")).toEqual([
      "em",
      "##bed",
      "##ding",
      "##s",
      ",",
      "una",
      "##ffa",
      "##ble",
      "!",
    ]);
    expect(spelled("[SEP]")).toEqual(["[", "sep", "]"]);
  });

  it("are cut at the limit", () => {
    const all = tokenizer.encode("a b c unaffable e f");
    for (let tokensMax = 0; tokensMax <= all.length + 1; tokensMax++) {
      expect(tokenizer.encode("a b c unaffable e f", tokensMax)).toEqual(all.slice(0, tokensMax));
    }
  });
});

describe("properties", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc.array(fc.constantFrom(...vocabulary.slice(1_000)), { maxLength: 12 }).map((words) => words.join("")),
  );

  it("gives ids of the vocabulary, never a special token but the unknown one", () => {
    fc.assert(
      fc.property(text, (one) => {
        for (const id of tokenizer.encode(one)) {
          expect(id === unknownToken || (id > 103 && id < vocabulary.length)).toBe(true);
        }
      }),
      settings,
    );
  });

  it("reads parts between white space independently", () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(tokenizer.encode(`${one} ${other}`)).toEqual([...tokenizer.encode(one), ...tokenizer.encode(other)]);
      }),
      settings,
    );
  });

  it("does not depend on case or on how accents are written", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."abcéèüñÅçŠẽ XY-"), maxLength: 40 }), (one) => {
        const ids = tokenizer.encode(one);
        expect(tokenizer.encode(one.toUpperCase())).toEqual(ids);
        expect(tokenizer.encode(one.normalize("NFD"))).toEqual(ids);
      }),
      settings,
    );
  });
});

describe("time", () => {
  // Two sizes of one input: quadratic work would take 16 times as long for four times the text.
  it.each([
    ["one unbroken word", "a"],
    ["unbroken accents", "e\u0301"],
    ["unbroken ideographs", "漢"],
    ["marks only", "\u0301"],
    ["words that cannot be spelled", `${"qx".repeat(49)}\u0416 `],
    ["lone surrogates", "\ud800"],
  ])("is linear in %s", (_, unit) => {
    const measure = (units: number): number => {
      const input = unit.repeat(Math.ceil(units / unit.length));
      return cpuMilliseconds(() => tokenizer.encode(input));
    };
    measure(100_000);
    expect(measure(800_000)).toBeLessThan(Math.max(measure(200_000), 5) * 12);
  });
});
