import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../core/clock.ts";
import { wordCounter } from "../../testing/word-counter.ts";
import { WORLD_CHUNK_TOKENS, type WorldDocument, worldDocumentId, worldDocuments } from "./documents.ts";
import { NameBook } from "./names.ts";
import { type Evidence, planWorld, WORLD_CHUNKS_MIN, type WorldOptions, type WorldPlan } from "./plan.ts";
import { RELATIONS } from "./relations.ts";
import { pick, zipf } from "./zipf.ts";

const counter = wordCounter();
const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

/** Whether a text holds a name as whole words. */
function holds(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const around = text.charAt(at - 1) + text.charAt(at + name.length);
    if (!/[\p{L}\p{N}-]/u.test(around)) return true;
  }
  return false;
}

/** The part of an object's name that tells it from others of its kind: a surname, a place name. */
function stemOf({ object, relation }: Evidence): string {
  const isPerson = RELATIONS.find(({ id }) => id === relation)?.object === "person";
  const words = object.replace(/^River /, "").split(" ");
  return (isPerson ? words.at(-1) : words[0]) ?? "";
}

describe("labels by construction", () => {
  let plan: WorldPlan;
  let documents: WorldDocument[];
  beforeAll(() => {
    plan = planWorld({ chunks: 900, seed: 5, questions: 40 });
    documents = [...worldDocuments(plan, counter)];
  });
  const evidenceOf = (query: string) =>
    documents.flatMap((each) => each.evidence).filter((each) => each.query === query);
  const textOf = (id: string) => documents.find((each) => each.id === id)?.text ?? "";

  test("counts are as asked", () => {
    expect(plan.documents.reduce((sum, size) => sum + size, 0)).toBe(900);
    expect(Math.min(...plan.documents)).toBeGreaterThanOrEqual(2);
    const multi = plan.questions.filter(({ set }) => set === "multi-hop");
    expect(multi.map(({ hops }) => hops).slice(0, 6)).toEqual([2, 3, 4, 2, 3, 4]);
    expect(multi).toHaveLength(40);
    expect(plan.questions.filter(({ set }) => set === "single-hop")).toHaveLength(40);
    expect(plan.questions.filter(({ set }) => set === "unanswerable")).toHaveLength(4);
    expect(new Set(plan.questions.map(({ id }) => id)).size).toBe(plan.questions.length);
    expect(new Set(plan.questions.map(({ text }) => text)).size).toBe(plan.questions.length);
  });

  test("every relevant document holds its fact, at the place that the evidence names", () => {
    for (const question of plan.questions) {
      const evidence = evidenceOf(question.id).sort((a, b) => a.hop - b.hop);
      expect(
        evidence.map(({ document }) => document),
        question.id,
      ).toEqual(question.documents.map(worldDocumentId));
      expect(new Set(question.documents).size).toBe(question.documents.length);
      for (const { document, chunk, start, end, subject, object } of evidence) {
        const text = textOf(document);
        const sentence = text.slice(start, end);
        expect(holds(sentence, subject) && holds(sentence, object), sentence).toBe(true);
        expect(sentence).toMatch(/^\p{Lu}.*\.$/u);
        expect(sentence).not.toContain("\n");
        const size = plan.documents[documents.findIndex((each) => each.id === document)] ?? 0;
        expect(chunk).toBeLessThan(size);
        // The chunk is where its share of the text is.
        expect(Math.abs(start / text.length - (chunk + 0.5) / size)).toBeLessThan(0.6 / size + 0.02);
      }
    }
  });

  test("the facts of a question form a chain from its name to its answer", () => {
    for (const { id, set, text, answer, hops, bridges } of plan.questions) {
      if (set === "unanswerable") continue;
      const evidence = evidenceOf(id).sort((a, b) => a.hop - b.hop);
      expect(evidence).toHaveLength(hops);
      expect(holds(text, evidence[0]?.subject ?? "?"), text).toBe(true);
      expect(evidence.at(-1)?.object).toBe(answer);
      expect(evidence.slice(0, -1).map(({ object }) => object)).toEqual(bridges);
      for (let i = 1; i < evidence.length; i++) expect(evidence[i]?.subject).toBe(evidence[i - 1]?.object);
      expect(new Set(evidence.map(({ relation }) => relation)).size).toBe(hops);
    }
  });

  test("no other document holds both names of a fact", () => {
    for (const { document, subject, object } of documents.flatMap((each) => each.evidence)) {
      const both = documents.filter(({ text }) => holds(text, subject) && holds(text, object)).map(({ id }) => id);
      expect(both, `${subject}, ${object}`).toEqual([document]);
    }
  });

  test("a question gives no name but the first: no bridge, no answer, no surname or place name of them", () => {
    for (const { id, text, answer, bridges } of plan.questions) {
      for (const name of [...bridges, answer].filter((each) => each !== ""))
        expect(holds(text, name), text).toBe(false);
      for (const evidence of evidenceOf(id)) expect(text).not.toContain(stemOf(evidence));
      expect(text).toMatch(/^[A-Z].*\?$/);
      expect(text).not.toMatch(/[{}]/);
    }
  });

  test("an unanswerable question lacks a link: no document tells it, and nothing is told beyond", () => {
    for (const { id, hops, documents: proved, bridges, answer } of plan.questions.filter(
      ({ set }) => set === "unanswerable",
    )) {
      expect(proved.length).toBeLessThan(hops);
      expect(answer).toBe("");
      expect(evidenceOf(id)).toHaveLength(proved.length);
      for (const name of bridges.slice(proved.length)) {
        expect(documents.filter(({ text }) => holds(text, name))).toEqual([]);
      }
    }
  });

  test("distractors: every subject is named elsewhere too, and its relation is told of others", () => {
    let alike = 0;
    const facts = documents.flatMap((each) => each.evidence);
    for (const { document, subject, relation } of facts) {
      const elsewhere = documents.filter(({ id, text }) => id !== document && holds(text, subject));
      expect(elsewhere.length, subject).toBeGreaterThanOrEqual(1);
      const parts = subject.split(" ");
      if (parts.length > 1 && documents.some(({ text }) => holds(text.replaceAll(subject, ""), parts.at(-1) ?? ""))) {
        alike++;
      }
      expect(RELATIONS.some(({ id }) => id === relation)).toBe(true);
    }
    expect(alike / facts.length).toBeGreaterThan(0.3);
  });

  test("chunks are about as long as they should be, and no slot is left unfilled", () => {
    for (const [i, { text, tokens }] of documents.entries()) {
      const perChunk = tokens / (plan.documents[i] ?? 1);
      expect(perChunk).toBeGreaterThan(WORLD_CHUNK_TOKENS * 0.85);
      expect(perChunk).toBeLessThanOrEqual(WORLD_CHUNK_TOKENS * 1.02);
      expect(text).not.toMatch(/[{}]|undefined|\ba [aeio]| {2}/);
    }
  });

  test("words are spread as in prose: few are frequent, most are rare", () => {
    const counts = new Map<string, number>();
    for (const { text } of documents) {
      for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const sorted = [...counts.values()].sort((a, b) => b - a);
    const total = sorted.reduce((sum, count) => sum + count, 0);
    expect(sorted.length).toBeGreaterThan(2_000);
    const top = sorted.slice(0, 100).reduce((sum, count) => sum + count, 0) / total;
    expect(top).toBeGreaterThan(0.35);
    expect(top).toBeLessThan(0.75);
  });
});

describe("planWorld", () => {
  test("the same seed gives the same documents, another seed others", () => {
    const write = (options: WorldOptions) => {
      const plan = planWorld(options);
      return JSON.stringify([plan.questions, ...worldDocuments(plan, counter)]);
    };
    const first = write({ chunks: 240, seed: 1 });
    expect(write({ chunks: 240, seed: 1 })).toBe(first);
    expect(write({ chunks: 240, seed: 2 })).not.toBe(first);
  });

  test("a document does not depend on those written before it", () => {
    const options = { chunks: 240, seed: 3 };
    const [, , third] = worldDocuments(planWorld(options), counter);
    const again = [...worldDocuments(planWorld(options), counter)][2];
    expect(again).toEqual(third);
  });

  test("any size and seed: sizes add up, documents of a question differ", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: WORLD_CHUNKS_MIN, max: 1_500 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        (chunks, seed) => {
          const questions = Math.floor(chunks / 12);
          const plan = planWorld({ chunks, seed, questions });
          expect(plan.documents.reduce((sum, size) => sum + size, 0)).toBe(chunks);
          expect(plan.documents.every((size) => size >= 2 && size <= 10)).toBe(true);
          for (const { documents } of plan.questions) expect(new Set(documents).size).toBe(documents.length);
          for (const [document, plants] of plan.plants) {
            for (const { chunk } of plants) expect(chunk).toBeLessThan(plan.documents[document] ?? 0);
          }
        },
      ),
      { numRuns: 15 * scale, seed: 71 },
    );
  });

  test.each<WorldOptions>([
    { chunks: 239, seed: 0 },
    { chunks: 2_000_001, seed: 0 },
    { chunks: 300.5, seed: 0 },
    { chunks: 300, seed: 0.5 },
    { chunks: 300, seed: 0, questions: 0 },
    { chunks: 300, seed: 0, questions: 26 },
    { chunks: 1_000_000, seed: 0, questions: 2_001 },
  ])("refuses %j", (options) => {
    expect(() => planWorld(options)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });
});

describe("names and words", () => {
  test("names of the plan are unique, fillers never meet them", () => {
    const random = seededRandom(9);
    const names = new NameBook();
    const given = new Set<string>();
    for (let i = 0; i < 3_000; i++) {
      const entity = names.fresh(pick(["person", "town", "book", "hall"], random), random);
      const alike = names.similarTo(entity, random);
      expect(alike.name).not.toBe(entity.name);
      expect(given.has(entity.name) || given.has(alike.name)).toBe(false);
      given.add(entity.name).add(alike.name);
    }
    const towns = new Set([...given].filter((name) => !name.includes(" ")));
    for (let i = 0; i < 3_000; i++) {
      const { name } = names.filler(pick(["person", "town", "works"], random), random);
      expect(given.has(name)).toBe(false);
      for (const part of name.split(" ")) expect(towns.has(part)).toBe(false);
    }
  });

  test("running out of names is an error, not an endless loop", () => {
    const names = new NameBook();
    const random = seededRandom(1);
    expect(() => {
      for (let i = 0; i < 100_000; i++) names.fresh("ship", random);
    }).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
  });

  test("every relation has wordings that hold what they must", () => {
    for (const { id, state, phrase, ask } of RELATIONS) {
      expect(state.length, id).toBeGreaterThanOrEqual(3);
      for (const text of state) expect([text.split("{s}").length, text.split("{o}").length], text).toEqual([2, 2]);
      for (const text of [...phrase, ...ask]) expect(text.split("{x}"), text).toHaveLength(2);
      // Documents and questions word it differently.
      expect(state.some((text) => phrase.includes(text))).toBe(false);
    }
    expect(new Set(RELATIONS.map(({ id }) => id)).size).toBe(RELATIONS.length);
  });

  test("zipf draws in falling frequency, and every position", () => {
    const draw = zipf(50);
    const random = seededRandom(2);
    const counts = new Array<number>(50).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const position = draw(random());
      counts[position] = (counts[position] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(0);
    // Weights 1/3.7 and 1/12.7.
    expect((counts[0] ?? 0) / (counts[9] ?? 1)).toBeCloseTo(12.7 / 3.7, 0);
  });
});
