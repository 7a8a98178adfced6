import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../core/clock.ts";
import type { ShownChunk } from "../../context/rendered.ts";
import { Pool, SHORT_TERMS } from "./pool.ts";
import { readQuestion } from "./question.ts";
import { spread } from "./spread.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const QUESTION = "Who founded the foundry in Kessig?";
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Sentences that share nothing with anything: enough to make a chunk long. */
function filler(salt: number): string {
  const word = (i: number): string => `x${LETTERS[salt % 26]}${LETTERS[i % 26]}${LETTERS[Math.floor(i / 26) % 26]}q`;
  return Array.from({ length: SHORT_TERMS * 2 }, (_, i) => word(i) + (i % 20 === 19 ? "." : "")).join(" ");
}

/** A long chunk of a document of its own, with these sentences in the middle. */
function chunk(id: string, ...told: string[]): ShownChunk {
  const salt = id.charCodeAt(0);
  const text = `${filler(salt)}. ${told.join(" ")} ${filler(salt + 1)}.`;
  return { key: id, shownId: `${id}.1`, shownDocumentId: id, index: 0, title: "", headings: [], text };
}

/** Hops over which each chunk is reached, by the chunk's key. */
function reachedBy(chunks: readonly ShownChunk[], question = QUESTION): Map<string, readonly number[]> {
  const { reached } = spread(readQuestion(question), new Pool(chunks));
  return new Map([...reached].map(([item, hops]) => [item.chunk.key, hops]));
}

const CHAIN = [
  chunk("a", "They say the foundry in Kessig was founded by Ada Helm."),
  chunk("b", "They say that Ada Helm studied under Otto Bran."),
  chunk("c", "They say that Otto Bran grew up in Rell Tower."),
  chunk("d", "They say that Rell Tower belongs to Ilse Korn."),
  chunk("e", "They say that Ilse Korn paints."),
];

describe("spread", () => {
  it("reaches a long chunk over one name, two and three, and not over four", () => {
    const hops = reachedBy(CHAIN);
    const at = (key: string): number[] => (hops.get(key) ?? []).flatMap((value, hop) => (value > 0 ? [hop + 1] : []));
    expect(at("b")).toEqual([1]);
    expect(at("c")).toEqual([2]);
    expect(at("d")).toEqual([3]);
    expect(hops.has("e")).toBe(false);
    expect(hops.has("a")).toBe(false);
  });

  it("is worth less with every hop", () => {
    const hops = reachedBy(CHAIN);
    const values = ["b", "c", "d"].map((key) => Math.max(...(hops.get(key) ?? [0])));
    expect(values).toEqual([...values].sort((x, y) => y - x));
    expect(new Set(values).size).toBe(3);
    expect(values[0]).toBeLessThanOrEqual(1);
  });

  it("lists the names it came by, each from the chunk that brought it up", () => {
    const { names } = spread(readQuestion(QUESTION), new Pool(CHAIN));
    const from = Object.fromEntries(names.map(({ name, from }) => [name.text, from.chunk.key]));
    expect(from).toEqual({ "Ada Helm": "a", "Otto Bran": "b", "Rell Tower": "c", "Ilse Korn": "d" });
    const worths = names.map(({ worth }) => worth);
    expect(worths).toEqual([...worths].sort((x, y) => y - x));
  });

  it("is not carried by lookalikes of a name", () => {
    const start = CHAIN[0] as ShownChunk;
    const hops = reachedBy([
      start,
      chunk("m", "They say that Ada Brandt sings."),
      chunk("n", "They say that Otto Helm sings."),
      chunk("o", "They say that Ada sings. At night Helm Street is dark."),
      chunk("p", "They say that Adah Helmer sings."),
      chunk("z", "They say that Ada Helm sings."),
    ]);
    expect([...hops.keys()]).toEqual(["z"]);
  });

  it("does not go back to the document that a name came from", () => {
    const [first, second] = [
      chunk("a", "They say the foundry in Kessig was founded by Ada Helm."),
      chunk("b", "By Ada Helm."),
    ];
    const same = { ...second, shownDocumentId: "a" };
    expect(reachedBy([first, same]).size).toBe(0);
    expect(reachedBy([first, second]).size).toBe(1);
  });

  it("reaches nothing where the question shares nothing, or has no words", () => {
    const unrelated = spread(readQuestion("Wherefore art thou Romeo?"), new Pool(CHAIN));
    expect([...unrelated.direct.values()]).toEqual(CHAIN.map(() => 0));
    for (const question of ["Wherefore art thou Romeo?", "Who is he?", ""])
      expect(reachedBy(CHAIN, question).size).toBe(0);
    expect(reachedBy([]).size).toBe(0);
  });

  it("gives the same in whatever order the chunks were shown", () => {
    const noise = [chunk("s", "They say that Mira Voss met Ada Lund."), chunk("t", "They say that Kessig is wet.")];
    const all = [...CHAIN, ...noise];
    const expected = read(all);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(read(shuffled)).toEqual(expected);
      }),
      { numRuns: 30 * SCALE, seed: 7 },
    );
  });

  it("stays quick over as many chunks as a run sees, full of names that stand everywhere", () => {
    const random = seededRandom(3);
    const name = (): string => `${capital(random)}${capital(random).toLowerCase()}el ${capital(random)}orn`;
    const chunks = Array.from({ length: 200 }, (_, i) => {
      const told = Array.from({ length: 30 }, () => `They say the foundry of ${name()} in Kessig met ${name()}.`).join(
        " ",
      );
      return { ...chunk("a", told), key: `k${i}`, shownDocumentId: `d${i}` };
    });
    const pool = new Pool(chunks);
    const start = performance.now();
    const { names } = spread(readQuestion(QUESTION), pool);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(names.length).toBeGreaterThan(100);
  });
});

function capital(random: () => number): string {
  return (LETTERS[Math.floor(random() * 26)] ?? "a").toUpperCase();
}

/** Everything that `spread` tells, with chunks by key and in a fixed order. */
function read(chunks: readonly ShownChunk[]) {
  const { reached, direct, names } = spread(readQuestion(QUESTION), new Pool(chunks));
  return {
    reached: Object.fromEntries([...reached].map(([item, hops]) => [item.chunk.key, hops])),
    direct: Object.fromEntries([...direct].map(([item, value]) => [item.chunk.key, value])),
    names: names.map(({ key, worth, from }) => [key, worth, from.chunk.key]),
  };
}
