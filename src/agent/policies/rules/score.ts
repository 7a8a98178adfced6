import { addChains } from "./chains.ts";
import type { Evidence } from "./evidence.ts";
import { type Item, type Pool, SHORT_TERMS } from "./pool.ts";
import { coverage, type Question } from "./question.ts";
import type { Spread } from "./spread.ts";

/**
 * What each feature counts for: in prose, in a short chunk and in a long one, and in technical documentation
 * (`Pool.technical`). Every feature is between 0 and about 1. A short chunk is about one thing, and relates to others as a
 * whole; in a long one only the sentences do that relevance reaches; among technical chunks names tell nothing.
 *
 * Listwise fits (softmax over the chunks of a question, L2), rounded: short on musique-100, where five-fold
 * cross-validation gives what the fit on all of it gives; long on a synthetic world of seed 101, checked on others. Where
 * the fit had nothing to go by (titles, in the world), the short weight stands. Technical: on the tuning half of the
 * questions over the demo's documentation (docs/measurements.md).
 */
const WEIGHTS = {
  /** Half BM25 of the question over the pool, half the rank in the store's own answer to the question. */
  direct: { short: 1.5, long: 0, technical: 1.6 },
  /** The first ranks of the store's own answer. */
  questionRank: { short: 1, long: 0.3, technical: 2 },
  /** All words of the title stand in the question. */
  titleInQuestion: { short: 2.25, long: 2.25, technical: 0 },
  /** Found by following a lead, as far as it is direct: the first hit of a poor search is no find. */
  leadRank: { short: 0.3, long: 0, technical: 0 },
  /** A relevant chunk names this one's title. */
  chainByTitle: { short: 1, long: 1, technical: 0 },
  /** A relevant chunk and this one share a name that the question does not give. */
  chainByText: { short: 1, long: 0, technical: 0 },
  /** This one names what a chunk that completes the question is about. */
  source: { short: 1.5, long: 3.8, technical: 0.3 },
  /** The end of a chain of two links. */
  secondHop: { short: 1.9, long: 0, technical: 0 },
  /** Its best sentence shares words with the question. */
  sentence: { short: 0, long: 2.4, technical: 0.2 },
  /** Relevance reaches a sentence of it over one name. */
  hop1: { short: 0, long: 3.8, technical: 0 },
  /** Over two names. */
  hop2: { short: 0, long: 3.1, technical: 0 },
  /** The next best chunk of the same document, by its words: evidence that the document is about the question. */
  support: { short: 0, long: 0, technical: 0.8 },
} as const;
export type Feature = keyof typeof WEIGHTS;
export type Features = Record<Feature, number>;
/** Relevance of the visible chunks. Differences mean something (see `probability`), the level does not. */
export type Scores = ReadonlyMap<Item, number>;

const NO_FEATURES = Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, 0])) as Features;
const CHAIN_FEATURES = ["chainByTitle", "chainByText", "source", "secondHop", "hop1", "hop2"] as const;
/** Chains weaker than this are not scaled up to 1: where no chunk leads anywhere, none should win by it. */
const CHAIN_MIN = 0.1;
/** Ranks, from 0, at which half of a feature's weight is left. */
const DIRECT_RANK_HALF = 10;
const FIRST_RANKS_HALF = 3;
const FOUND_RANK_HALF = 2;
/** Content words from which a chunk is long; between `SHORT_TERMS` and this the two weights are mixed. */
const LONG_TERMS = 250;

/** Relevance of every visible chunk to the question. Without `reach`, links between chunks count for nothing. */
export function scoreItems(question: Question, pool: Pool, evidence: Evidence, reach: Spread | undefined): Scores {
  const features = featuresOf(question, pool, evidence, reach);
  const scores = new Map<Item, number>();
  for (const [item, values] of features) {
    const long = Math.max(0, Math.min(1, (item.length - SHORT_TERMS) / (LONG_TERMS - SHORT_TERMS)));
    let score = 0;
    for (const [name, weight] of Object.entries(WEIGHTS)) {
      const inProse = (1 - long) * weight.short + long * weight.long;
      score += values[name as Feature] * ((1 - pool.technical) * inProse + pool.technical * weight.technical);
    }
    scores.set(item, score);
  }
  return scores;
}

/** Best first. */
export function ranked(scores: Scores): Item[] {
  return [...scores].sort((a, b) => b[1] - a[1]).map(([item]) => item);
}

export function bestOf(scores: Scores): number {
  return Math.max(Number.MIN_VALUE, ...scores.values());
}

/** A score in hundredths of the best one, to be noted. */
export function worthOf(score: number, best: number): number {
  return Math.max(0, Math.round((100 * score) / best));
}

/** The score that a note of worth stands for, against the best one of now. */
export function scoreOf(worth: number, best: number): number {
  return (worth / 100) * best;
}

/** The features of every visible chunk, before they are weighed. */
export function featuresOf(
  question: Question,
  pool: Pool,
  evidence: Evidence,
  reach: Spread | undefined,
): Map<Item, Features> {
  const ranks = readRanks(question, evidence);
  const direct = pool.items.map((item) => pool.score(question.terms, item));
  const best = Math.max(...direct, Number.MIN_VALUE);
  const support = supportOf(pool, direct);
  const features = pool.items.map((item, i): Features => {
    const key = item.chunk.key;
    const named = item.titleParts.length > 0 && item.titleParts.every((part) => question.termSet.has(part));
    const relevance = ((direct[i] ?? 0) / best + byRank(ranks.question.get(key), DIRECT_RANK_HALF)) / 2;
    return {
      ...NO_FEATURES,
      direct: relevance,
      questionRank: byRank(ranks.question.get(key), FIRST_RANKS_HALF),
      titleInQuestion: named ? 0.3 + coverage(question, pool, (term) => item.titleParts.includes(term)) : 0,
      leadRank: relevance * byRank(ranks.lead.get(key), FOUND_RANK_HALF),
      support: (support[i] ?? 0) / best,
    };
  });
  if (reach !== undefined) {
    for (const [i, item] of pool.items.entries()) Object.assign(features[i] ?? {}, reachOf(item, reach));
    addChains(question, pool, features);
  }
  for (const name of CHAIN_FEATURES) {
    const largest = Math.max(CHAIN_MIN, ...features.map((values) => values[name]));
    for (const values of features) values[name] /= largest;
  }
  return new Map(pool.items.map((item, i) => [item, features[i] as Features]));
}

/** For every item, the best of the other items of its document; 0 where there is none. */
function supportOf(pool: Pool, direct: readonly number[]): number[] {
  const best = new Map<string, readonly [first: number, second: number]>();
  for (const [i, { chunk }] of pool.items.entries()) {
    const own = direct[i] ?? 0;
    const [first, second] = best.get(chunk.shownDocumentId) ?? [0, 0];
    best.set(chunk.shownDocumentId, own > first ? [own, first] : [first, Math.max(second, own)]);
  }
  return pool.items.map(({ chunk }, i) => {
    const [first, second] = best.get(chunk.shownDocumentId) ?? [0, 0];
    return (direct[i] ?? 0) === first ? second : first;
  });
}

function reachOf(item: Item, reach: Spread): Pick<Features, "sentence" | "hop1" | "hop2"> {
  const [hop1 = 0, hop2 = 0] = reach.reached.get(item) ?? [];
  return { sentence: reach.direct.get(item) ?? 0, hop1, hop2 };
}

/** 1 at rank 0, half at rank `half`, towards 0. */
function byRank(rank: number | undefined, half: number): number {
  return rank === undefined ? 0 : 1 / (1 + rank / half);
}

interface Ranks {
  readonly question: Map<string, number>;
  readonly lead: Map<string, number>;
}

/** Best rank of each chunk in the searches for the question (its pages counted on) and for leads. */
function readRanks(question: Question, evidence: Evidence): Ranks {
  const ranks: Ranks = { question: new Map(), lead: new Map() };
  for (const { query, chunks } of evidence.searches) {
    const isQuestion = query === question.text;
    const target = isQuestion ? ranks.question : ranks.lead;
    const offset = isQuestion ? target.size : 0;
    for (const [i, { key }] of chunks.entries())
      target.set(key, Math.min(target.get(key) ?? Number.MAX_VALUE, offset + i));
  }
  return ranks;
}
