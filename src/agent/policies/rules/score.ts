import { addChains } from "./chains.ts";
import type { Item, Pool } from "./pool.ts";
import type { Prior } from "./prior.ts";
import { coverage, type Question } from "./question.ts";
import type { Spread } from "./spread.ts";

/**
 * What each piece of evidence lifts a chunk by. None is below zero: evidence can only lift, so that without any the order
 * is that of one query of the question.
 */
export const LIFTS = {
  /** All words of the title stand in the question. */
  titleInQuestion: 1,
  /** A relevant chunk names this one's title. */
  chainByTitle: 1,
  /** A relevant chunk and this one share a name that the question does not give. */
  chainByText: 1,
  /** This one names what a chunk that completes the question is about. */
  source: 1,
  /** The end of a chain of two links. */
  secondHop: 1,
  /** Relevance reaches a sentence of it over one name. */
  hop1: 1,
  /** Over two names. */
  hop2: 1,
} as const;
export type Feature = keyof typeof LIFTS;
export type Features = Record<Feature, number>;
/** Relevance of the visible chunks: the standing of their documents, and what evidence lifts them by. */
export type Scores = ReadonlyMap<Item, number>;

const NO_FEATURES = Object.fromEntries(Object.keys(LIFTS).map((name) => [name, 0])) as Features;

/** Relevance of every visible chunk to the question. Without `reach`, links between chunks count for nothing. */
export function scoreItems(question: Question, pool: Pool, prior: Prior, reach: Spread | undefined): Scores {
  const scores = new Map<Item, number>();
  for (const [item, values] of featuresOf(question, pool, prior, reach)) {
    let score = prior.of(item.chunk.shownDocumentId);
    for (const [name, weight] of Object.entries(LIFTS)) score += values[name as Feature] * weight;
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

/** The evidence for every visible chunk, before it is weighed. */
export function featuresOf(
  question: Question,
  pool: Pool,
  prior: Prior,
  reach: Spread | undefined,
): Map<Item, Features> {
  const direct = directOf(question, pool, prior);
  const features = pool.items.map((item): Features => {
    const named = item.titleParts.length > 0 && item.titleParts.every((part) => question.termSet.has(part));
    const titleInQuestion = named ? coverage(question, pool, (term) => item.titleParts.includes(term)) : 0;
    return { ...NO_FEATURES, titleInQuestion };
  });
  if (reach !== undefined) {
    for (const [i, item] of pool.items.entries()) {
      const [hop1 = 0, hop2 = 0] = reach.reached.get(item) ?? [];
      Object.assign(features[i] ?? {}, { hop1, hop2 });
    }
    addChains(question, pool, direct, features);
  }
  return new Map(pool.items.map((item, i) => [item, features[i] as Features]));
}

/**
 * How relevant each chunk is to the question itself, 0 to 1: half the standing of its document, half its own words. What
 * shares no word with the question is nothing to go on from.
 */
function directOf(question: Question, pool: Pool, prior: Prior): number[] {
  const words = pool.items.map((item) => pool.score(question.terms, item));
  const best = words.reduce((most, score) => Math.max(most, score), Number.MIN_VALUE);
  return pool.items.map((item, i) => {
    const own = words[i] ?? 0;
    return own > 0 ? (own / best + prior.of(item.chunk.shownDocumentId)) / 2 : 0;
  });
}
