import { addChains } from "./chains.ts";
import type { Item, Pool } from "./pool.ts";
import type { Prior } from "./prior.ts";
import { coverage, type Question } from "./question.ts";
import { predict, type Ranker } from "./ranker.ts";
import type { Spread } from "./spread.ts";
import { names } from "./words.ts";

/** Evidence that a chunk belongs to a chain that answers the question. Each is 0 where there is none, and lifts. */
export const EVIDENCE = [
  /** All words of the title stand in the question: the share of the question that they are. */
  "titleInQuestion",
  /** A relevant chunk names this one's title. */
  "chainByTitle",
  /** A relevant chunk and this one share a name that the question does not give. */
  "chainByText",
  /** This one names what a chunk that completes the question is about. */
  "source",
  /** The end of a chain of two links. */
  "secondHop",
  /** Relevance reaches a sentence of it over one name. */
  "hop1",
  /** Over two names. */
  "hop2",
] as const;
export type Feature = (typeof EVIDENCE)[number];
export type Features = Record<Feature, number>;
/** What the ranker looks at: the question's own ranking, evidence, and how the question stands as a whole. */
export const RANKER_FEATURES = ["standing", "scoreShare", ...EVIDENCE, "coverageMax", "namesAsked", "gap"] as const;

/** Relevance, 0 or more. Differences mean something, the level does not. */
export type Scores = ReadonlyMap<Item, number>;

const NO_FEATURES = Object.fromEntries(EVIDENCE.map((name) => [name, 0])) as Features;

/** A score, and the part of it that evidence added. */
export interface Scored {
  readonly score: number;
  readonly lift: number;
}

/** What is scored, and with what. */
export interface Scoring {
  readonly question: Question;
  readonly pool: Pool;
  readonly prior: Prior;
  /** Undefined: links between chunks count for nothing. */
  readonly reach: Spread | undefined;
  readonly ranker: Ranker;
}

/** Relevance of every visible chunk to the question. */
export function scoreItems(scoring: Scoring): Scores {
  const whole = wholeOf(scoring);
  const scores = new Map<Item, number>();
  for (const [item, evidence] of featuresOf(scoring)) {
    scores.set(item, scoreOfRow(scoring, item.chunk.shownDocumentId, evidence, whole).score);
  }
  return scores;
}

/**
 * Relevance of every document that is visible or ranked by the question, by its id, with the strongest evidence of all its
 * chunks. Evidence can only lift a document: without any, the order is that of the question's ranking.
 */
export function scoreDocuments(scoring: Scoring): Map<string, Scored> {
  const evidence = documentFeatures(scoring);
  const whole = wholeOf(scoring);
  const ids = new Set([...scoring.prior.entries.map(({ document }) => document), ...evidence.keys()]);
  return new Map([...ids].map((id) => [id, scoreOfRow(scoring, id, evidence.get(id) ?? NO_FEATURES, whole)]));
}

/** The strongest evidence of each visible document. */
export function documentFeatures(scoring: Scoring): Map<string, Features> {
  const documents = new Map<string, Features>();
  for (const [{ chunk }, values] of featuresOf(scoring)) {
    const known = documents.get(chunk.shownDocumentId) ?? { ...NO_FEATURES };
    for (const name of EVIDENCE) known[name] = Math.max(known[name], values[name]);
    documents.set(chunk.shownDocumentId, known);
  }
  return documents;
}

/** A row of the ranker: of a document with the evidence for it. */
export function rowOf(prior: Prior, document: string, evidence: Features, whole: readonly number[]): number[] {
  return [prior.of(document), prior.shareOf(document), ...EVIDENCE.map((name) => evidence[name]), ...whole];
}

/** How the question stands: what one chunk covers of it at most, how many names it gives, how far the first leads. */
export function wholeOf({ question, pool, prior }: Pick<Scoring, "question" | "pool" | "prior">): readonly number[] {
  const covered = pool.items.reduce(
    (most, item) =>
      Math.max(
        most,
        coverage(question, pool, (term) => item.counts.has(term)),
      ),
    0,
  );
  return [covered, names(question.text).length, prior.gap];
}

/** The standing alone, and what evidence adds to it beyond `liftMin`; over what nothing at all would score. */
function scoreOfRow(
  { prior, ranker }: Scoring,
  document: string,
  evidence: Features,
  whole: readonly number[],
): Scored {
  const alone = predict(ranker, rowOf(prior, document, NO_FEATURES, whole));
  const nothing = predict(ranker, [0, 0, ...EVIDENCE.map(() => 0), ...whole]);
  const lift = EVIDENCE.some((name) => evidence[name] > 0)
    ? predict(ranker, rowOf(prior, document, evidence, whole)) - alone - ranker.liftMin
    : 0;
  return { score: alone - nothing + Math.max(0, lift), lift: Math.max(0, lift) };
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

/** The evidence for every visible chunk. */
export function featuresOf({ question, pool, prior, reach }: Omit<Scoring, "ranker">): Map<Item, Features> {
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
    addChains(question, pool, directOf(question, pool, prior), features);
  }
  return new Map(pool.items.map((item, i) => [item, features[i] as Features]));
}

/**
 * How relevant each chunk is to the question itself, 0 to 1: half the standing of its document, half its own words. What
 * shares no word with the question is nothing to go on from.
 */
export function directOf(question: Question, pool: Pool, prior: Prior): number[] {
  const words = pool.items.map((item) => pool.score(question.terms, item));
  const best = words.reduce((most, score) => Math.max(most, score), Number.MIN_VALUE);
  return pool.items.map((item, i) => {
    const own = words[i] ?? 0;
    return own > 0 ? (own / best + prior.of(item.chunk.shownDocumentId)) / 2 : 0;
  });
}
