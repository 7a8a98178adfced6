import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PieceTable } from "./piece-table.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const settings = { seed: 20_260_101, numRuns: 200 * scale };

function spell(vocabulary: readonly string[], word: string): string[] | undefined {
  const table = new PieceTable(vocabulary.join("\n"));
  const ids: number[] = [];
  const padded = `x${word}y`;
  return table.spell(padded, 1, 1 + word.length, ids) ? ids.map((id) => table.token(id)) : undefined;
}

/** The definition, with strings. */
function slowly(vocabulary: readonly string[], word: string): string[] | undefined {
  const found: string[] = [];
  for (let start = 0; start < word.length; ) {
    const rest = word.slice(start).toLowerCase();
    const prefix = start === 0 ? "" : "##";
    const ends = Array.from({ length: rest.length }, (_, index) => rest.length - index);
    const end = ends.find((one) => vocabulary.includes(prefix + rest.slice(0, one)));
    if (end === undefined) return undefined;
    found.push(prefix + rest.slice(0, end));
    start += end;
  }
  return found;
}

describe("a table of pieces", () => {
  it("takes the longest piece, and knows a start from a continuation", () => {
    const vocabulary = ["a", "ab", "##c", "##cd", "d", "##ab"];
    expect(spell(vocabulary, "abcd")).toEqual(["ab", "##cd"]);
    expect(spell(vocabulary, "ABCab")).toEqual(["ab", "##c", "##ab"]);
    expect(spell(vocabulary, "cd")).toBeUndefined();
    expect(spell(vocabulary, "ad")).toBeUndefined();
  });

  it("keeps pieces that are made of the mark itself apart", () => {
    expect(spell(["#", "##", "###"], "#")).toEqual(["#"]);
    expect(spell(["#", "##", "###"], "##")).toEqual(["##"]);
    expect(spell(["#", "###"], "##")).toEqual(["#", "###"]);
  });

  it("appends nothing when a word cannot be spelled to its end", () => {
    const ids = [7];
    expect(new PieceTable("a\n##b").spell("abx", 0, 3, ids)).toBe(false);
    expect(ids).toEqual([7]);
  });

  it("agrees with the definition", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 1, maxLength: 4 });
    const piece = fc.oneof(
      letters,
      letters.map((one) => `##${one}`),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(piece, { minLength: 1, maxLength: 30 }),
        fc.string({ unit: fc.constantFrom("a", "b", "A", "é"), maxLength: 12 }),
        (vocabulary, word) => {
          expect(spell(vocabulary, word)).toEqual(slowly(vocabulary, word));
        },
      ),
      settings,
    );
  });
});
