import { seededRandom } from "../../core/clock.ts";
import { WinnowError } from "../../core/errors.ts";
import { type Entity, type EntityType, NameBook } from "./names.ts";
import { MENTIONS, type Relation, relationsOf } from "./relations.ts";
import { pick } from "./zipf.ts";

/** Fewer chunks have too few documents to keep the pieces of a question apart. */
export const WORLD_CHUNKS_MIN = 240;
export const WORLD_CHUNKS_MAX = 2_000_000;
export const WORLD_QUESTIONS_MAX = 2_000;
/** Chunks for each question at least, and where nobody says how many questions there are to be. */
const CHUNKS_PER_QUESTION_MIN = 12;
const CHUNKS_PER_QUESTION = 24;
const QUESTIONS_DEFAULT_MAX = 1_000;

const DOCUMENT_CHUNKS_MIN = 2;
const DOCUMENT_CHUNKS_MAX = 9;
const PLANTS_PER_CHUNK_MAX = 6;
const HOPS = [2, 3, 4];
/** Questions without an answer for each that has one. */
const UNANSWERABLE_SHARE = 0.1;
/** For every planted fact: the same relation told of a name much like the subject's, and others of the subject. */
const LOOKALIKES = 2;
const OTHER_FACTS = 1;

export interface WorldOptions {
  /** About 512 tokens each; `WORLD_CHUNKS_MIN` to `WORLD_CHUNKS_MAX`. */
  readonly chunks: number;
  /** Decides everything. A whole number. */
  readonly seed: number;
  /** Multi-hop questions, and as many of one hop; default one for every 24 chunks, at most 1,000. */
  readonly questions?: number;
}

/** What a planted sentence proves. */
export interface Evidence {
  readonly query: string;
  /** From 1. */
  readonly hop: number;
  readonly subject: string;
  readonly relation: string;
  readonly object: string;
}

/** A sentence that has to stand in a certain chunk. */
export interface Plant {
  readonly chunk: number;
  readonly template: string;
  readonly subject: Entity;
  readonly object?: Entity;
  readonly evidence?: Evidence;
}

export type QuestionSet = "multi-hop" | "single-hop" | "unanswerable";

export interface WorldQuestion {
  readonly id: string;
  readonly set: QuestionSet;
  readonly text: string;
  /** Empty without an answer. */
  readonly answer: string;
  readonly hops: number;
  /** Positions of the documents that prove it, in the order of hops; for a question without an answer, up to the gap. */
  readonly documents: readonly number[];
  /** The names that lead from one document to the next; the question gives none of them. */
  readonly bridges: readonly string[];
}

export interface WorldPlan {
  readonly seed: number;
  /** Chunks of each document. */
  readonly documents: readonly number[];
  readonly plants: ReadonlyMap<number, readonly Plant[]>;
  readonly questions: readonly WorldQuestion[];
  readonly names: NameBook;
}

/**
 * Decides what a world holds before any of it is written: documents and their sizes, questions, and which sentence goes
 * into which chunk. All sentences about the entities of one question, distractors included, lie in different documents.
 * Throws `invalid_argument` for numbers out of range. Pure: equal options give equal plans.
 */
export function planWorld(options: WorldOptions): WorldPlan {
  const count = questionCount(options);
  const random = seededRandom(mixSeed(options.seed, 0));
  const planner = new Planner(documentSizes(options.chunks, random), random);
  const digits = Math.max(4, String(count).length);
  const id = (letter: string, i: number) => `${letter}${String(i + 1).padStart(digits, "0")}`;
  for (let i = 0; i < count; i++) {
    planner.addQuestion(id("m", i), "multi-hop", HOPS[i % HOPS.length] ?? 2);
    planner.addQuestion(id("s", i), "single-hop", 1);
  }
  for (let i = 0; i < Math.floor(count * UNANSWERABLE_SHARE); i++) {
    planner.addQuestion(id("u", i), "unanswerable", HOPS[i % HOPS.length] ?? 2);
  }
  return planner.plan(options.seed);
}

/** A seed for each document, so that documents do not depend on each other. */
export function mixSeed(seed: number, part: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(part + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function questionCount({ chunks, seed, questions }: WorldOptions): number {
  const refuse = (message: string) => new WinnowError("invalid_argument", message);
  if (!Number.isInteger(chunks) || chunks < WORLD_CHUNKS_MIN || chunks > WORLD_CHUNKS_MAX) {
    throw refuse(`A world has ${WORLD_CHUNKS_MIN} to ${WORLD_CHUNKS_MAX} chunks.`);
  }
  if (!Number.isSafeInteger(seed)) throw refuse("seed must be a whole number.");
  const most = Math.min(WORLD_QUESTIONS_MAX, Math.floor(chunks / CHUNKS_PER_QUESTION_MIN));
  const wanted = questions ?? Math.min(QUESTIONS_DEFAULT_MAX, Math.floor(chunks / CHUNKS_PER_QUESTION));
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > most) {
    throw refuse(`A world of ${chunks} chunks has 1 to ${most} questions.`);
  }
  return wanted;
}

function documentSizes(chunks: number, random: () => number): number[] {
  const sizes: number[] = [];
  const span = DOCUMENT_CHUNKS_MAX - DOCUMENT_CHUNKS_MIN + 1;
  let left = chunks;
  while (left > 0) {
    const drawn = DOCUMENT_CHUNKS_MIN + Math.floor(random() * span);
    // What is left afterwards is nothing, or enough for another document.
    const size = left - drawn < DOCUMENT_CHUNKS_MIN ? left : drawn;
    sizes.push(size);
    left -= size;
  }
  return sizes;
}

const START_TYPES: readonly EntityType[] = "ship book prize works yard press hall school person town".split(
  " ",
) as EntityType[];

interface Step {
  readonly relation: Relation;
  readonly subject: Entity;
  readonly object: Entity;
}

/** Documents already taken by the sentences about one question. */
type Family = Set<number>;

class Planner {
  readonly #random: () => number;
  readonly #sizes: readonly number[];
  /** The document of every chunk of the world, and the first chunk of every document. */
  readonly #documentOf: Uint32Array;
  readonly #firstChunk: Uint32Array;
  readonly #load: Uint8Array;
  readonly #plants = new Map<number, Plant[]>();
  readonly #questions: WorldQuestion[] = [];
  readonly #names = new NameBook();

  constructor(sizes: readonly number[], random: () => number) {
    this.#sizes = sizes;
    this.#random = random;
    const chunks = sizes.reduce((sum, size) => sum + size, 0);
    this.#documentOf = new Uint32Array(chunks);
    this.#firstChunk = new Uint32Array(sizes.length);
    this.#load = new Uint8Array(chunks);
    let chunk = 0;
    for (const [document, size] of sizes.entries()) {
      this.#firstChunk[document] = chunk;
      this.#documentOf.fill(document, chunk, chunk + size);
      chunk += size;
    }
  }

  plan(seed: number): WorldPlan {
    return { seed, documents: this.#sizes, plants: this.#plants, questions: this.#questions, names: this.#names };
  }

  addQuestion(id: string, set: QuestionSet, hops: number): void {
    const steps = this.#chain(hops);
    // Without an answer: one link is told nowhere, and nothing of what would follow from it.
    const told = set === "unanswerable" ? Math.floor(this.#random() * hops) : hops;
    const family: Family = new Set();
    const documents: number[] = [];
    for (const [i, step] of steps.slice(0, told + 1).entries()) {
      if (i < told) documents.push(this.#plantStep(id, i + 1, step, family));
      this.#plantDistractors(step, family);
    }
    const last = steps.at(-1);
    if (last === undefined) throw new WinnowError("internal", "A question without a hop.");
    if (told === hops) this.#plantMention(last.object, family);
    const answer = told === hops ? last.object.name : "";
    const bridges = steps.slice(0, -1).map(({ object }) => object.name);
    this.#questions.push({ id, set, text: this.#questionText(steps), answer, hops, documents, bridges });
  }

  #chain(hops: number): Step[] {
    const steps: Step[] = [];
    let subject = this.#names.fresh(pick(START_TYPES, this.#random), this.#random);
    while (steps.length < hops) {
      const used = steps.map(({ relation }) => relation.id);
      const usable = relationsOf(subject.type).filter(({ id }) => !used.includes(id));
      if (usable.length === 0) return this.#chain(hops);
      const relation = pick(usable, this.#random);
      const object = this.#names.fresh(relation.object, this.#random);
      steps.push({ relation, subject, object });
      subject = object;
    }
    return steps;
  }

  /** Only the first name and the words of the relations; never a name in between. */
  #questionText(steps: readonly Step[]): string {
    let text = steps[0]?.subject.shown ?? "";
    for (const [i, { relation }] of steps.entries()) {
      const wordings = i === steps.length - 1 ? relation.ask : relation.phrase;
      text = pick(wordings, this.#random).replace("{x}", text);
    }
    return text;
  }

  #plantStep(query: string, hop: number, { relation, subject, object }: Step, family: Family): number {
    const evidence = { query, hop, subject: subject.name, relation: relation.id, object: object.name };
    return this.#plant(family, { template: pick(relation.state, this.#random), subject, object, evidence });
  }

  #plantDistractors({ relation, subject }: Step, family: Family): void {
    for (let i = 0; i < LOOKALIKES; i++) {
      const lookalike = this.#names.similarTo(subject, this.#random);
      this.#plantFact(relation, lookalike, family);
    }
    const others = relationsOf(subject.type).filter(({ id }) => id !== relation.id);
    for (let i = 0; i < OTHER_FACTS && others.length > 0; i++) {
      this.#plantFact(pick(others, this.#random), subject, family);
    }
    this.#plantMention(subject, family);
    if (this.#random() < 0.5) this.#plantMention(subject, family);
  }

  #plantFact(relation: Relation, subject: Entity, family: Family): void {
    const object = this.#names.fresh(relation.object, this.#random);
    this.#plant(family, { template: pick(relation.state, this.#random), subject, object });
  }

  #plantMention(subject: Entity, family: Family): void {
    this.#plant(family, { template: pick(MENTIONS, this.#random), subject });
  }

  /** Puts a sentence into a chunk that has room, of a document that knows nothing of this question yet. */
  #plant(family: Family, sentence: Omit<Plant, "chunk">): number {
    for (;;) {
      const chunk = Math.floor(this.#random() * this.#documentOf.length);
      const document = this.#documentOf[chunk] ?? 0;
      if (family.has(document) || (this.#load[chunk] ?? 0) >= PLANTS_PER_CHUNK_MAX) continue;
      family.add(document);
      this.#load[chunk] = (this.#load[chunk] ?? 0) + 1;
      const plants = this.#plants.get(document) ?? [];
      plants.push({ ...sentence, chunk: chunk - (this.#firstChunk[document] ?? 0) });
      this.#plants.set(document, plants);
      return document;
    }
  }
}
