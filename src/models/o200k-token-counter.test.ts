import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../../test/support/cpu-time.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import { findLongRuns, RUN_UNITS_MAX } from "./long-runs.ts";
import { loadTokenCounter } from "./o200k-token-counter.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const settings = { seed: 20_260_101, numRuns: 60 * scale };

let counter: TokenCounter;
let decode: (ids: readonly number[]) => string;
beforeAll(async () => {
  counter = await loadTokenCounter();
  const library = await import("gpt-tokenizer/encoding/o200k_harmony");
  decode = (ids) => library.decode(ids);
});

describe("known encodings", () => {
  it("encodes plain text with the ids of the vocabulary", () => {
    expect(counter.name).toBe("o200k");
    expect(counter.encode("hello world")).toEqual([24912, 2375]);
    expect(counter.count("")).toBe(0);
    expect(counter.encode("")).toEqual([]);
  });

  it.each(["<|endoftext|>", "<|start|>", "<|message|>x<|end|>", "a <|call|> b", "<|reserved_200013|>"])(
    "treats %s in a document as plain text",
    (text) => {
      const ids = counter.encode(text);
      expect(ids.every((id) => id < 199_998)).toBe(true);
      expect(decode(ids)).toBe(text);
      expect(counter.count(text)).toBe(ids.length);
    },
  );

  it("counts a lone surrogate as the replacement character", () => {
    expect(counter.encode("a\ud800b")).toEqual(counter.encode("a\ufffdb"));
    expect(counter.count("\udc00")).toBe(counter.count("\ufffd"));
  });

  it("loads once", async () => {
    expect(await loadTokenCounter()).toBe(counter);
  });
});

describe("long runs", () => {
  it("finds no cut in ordinary text, digits and long lists included", () => {
    expect(findLongRuns("word ".repeat(10_000)).cuts).toEqual([]);
    expect(findLongRuns("1".repeat(10_000)).cuts).toEqual([]);
    expect(findLongRuns("汉字，".repeat(10_000)).cuts).toEqual([]);
    expect(findLongRuns("a".repeat(RUN_UNITS_MAX)).cuts).toEqual([]);
  });

  it("cuts each class of run, alternating marks and signs included", () => {
    for (const unit of ["a", "A", " ", "\n", "!", "中", "\u0301", "!\u0301", "😀", "𠀀"]) {
      const text = unit.repeat(2_000);
      const cuts = findLongRuns(text).cuts;
      const ends = [...cuts, text.length];
      const longest = Math.max(...ends.map((end, index) => end - (ends[index - 1] ?? 0)));
      expect(longest, JSON.stringify(unit)).toBeLessThanOrEqual(RUN_UNITS_MAX + 2);
      for (const cut of cuts) expect(text.charCodeAt(cut) >>> 10).not.toBe(0xdc00 >>> 10);
    }
  });

  it("places cuts after a line end independently of what came before", () => {
    for (const run of ["\u0301", "x", "!"]) {
      const text = run.repeat(1_000);
      const alone = findLongRuns(text).cuts;
      const after = findLongRuns(`abc\n\n${text}`).cuts.map((cut) => cut - 5);
      expect(after).toEqual(alone);
    }
  });

  it.each([["a"], ["A"], [" "], ["\n"], ["!"], ["\u4e2d"], ["\u0301"], ["7"], ["😀"], ["aB"], ["/\n"], ["!\n"]])(
    "encodes 1 MB of %j in linear time",
    (unit) => {
      const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
      const started = performance.now();
      const tokens = counter.count(text);
      expect(performance.now() - started).toBeLessThan(10_000);
      expect(counter.encode(text).length).toBe(tokens);
    },
  );

  it("encodes 250 kB without repetition and without spaces in linear time", () => {
    let state = 1;
    const letters = Array.from({ length: 250_000 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return String.fromCharCode(97 + ((state >>> 16) % 26));
    }).join("");
    const started = performance.now();
    expect(counter.count(letters)).toBe(counter.encode(letters).length);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it("costs no more after many texts whose words do not repeat", () => {
    const perRound = 30_000;
    const milliseconds = Array.from({ length: 10 }, (_, round) => {
      // Four letters are spelt as written and merge quickly; what remains is the keeping.
      const words = Array.from({ length: perRound }, (_, i) => letters(round * perRound + i));
      return cpuMilliseconds(() => counter.count(words.join(" ")), 1);
    });
    expect(Math.min(...milliseconds.slice(-4))).toBeLessThan(3 * Math.min(...milliseconds.slice(0, 3)));
  });
});

/** A word of four letters for each number below 26 to the fourth. */
function letters(number: number): string {
  return [0, 1, 2, 3].map((digit) => String.fromCharCode(97 + (Math.floor(number / 26 ** digit) % 26))).join("");
}

const pieces = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.constantFrom("\ud800", "\udfff", "<|endoftext|>", "<|start|>", "\r\n", "\u2028", "\0"),
  fc.tuple(fc.constantFrom("x", " ", "=", "é", "\n"), fc.nat(900)).map(([unit, times]) => unit.repeat(times)),
);

describe("every string", () => {
  it("has as many tokens as it encodes to, and decodes to its well-formed self", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 6 }), (parts) => {
        const text = parts.join("");
        const ids = counter.encode(text);
        expect(counter.count(text)).toBe(ids.length);
        expect(decode(ids)).toBe(Buffer.from(text, "utf8").toString("utf8"));
      }),
      settings,
    );
  });
});
