import type { Evidence } from "./evidence.ts";
import { type Lead, leadsOf, linkTo } from "./links.ts";
import type { Item, Pool } from "./pool.ts";
import { coverage, type Question } from "./question.ts";

/**
 * What each feature counts for; every feature is between 0 and about 1. A listwise fit on musique-100 with five-fold
 * cross-validation showed which features carry weight; the numbers were then chosen by hand among some forty variants
 * tried on all of that set and on a part of a synthetic world (docs/measurements.md says what that means).
 */
export const WEIGHTS = {
  /** Half BM25 of the question over the pool, half the rank in the store's own answer to the question. */
  direct: 1.5,
  /** The first ranks of the store's own answer. */
  questionRank: 0.75,
  /** All words of the title stand in the question. */
  titleInQuestion: 1,
  /** Found by a search for a name of the question, as far as it is direct: the first hit of a poor search is no find. */
  nameRank: 1.5,
  /** Found by following a lead, likewise. */
  leadRank: 1.5,
  /** A relevant chunk names this one's title. */
  chainByTitle: 1,
  /** A relevant chunk and this one share a name that the question does not give. */
  chainByText: 1.75,
  /** This one names what a chunk that completes the question is about. */
  source: 0.5,
  /** The end of a chain of two links. */
  secondHop: 1.25,
};
export type Feature = keyof typeof WEIGHTS;

/** A chain counts for this much where its end adds no word of the question. */
const ADDED_BASE = 0.3;
/** Links through shared text, against links through a title, in a second hop. */
const SECOND_TEXT = 0.3;
/** Items that chains start from: the most relevant ones, which keeps the work bounded. */
const SOURCES_MAX = 160;
const CHAIN_FEATURES = ["chainByTitle", "chainByText", "source", "secondHop"] as const;
/** Chains weaker than this are not scaled up to 1: where no chunk leads anywhere, none should win by it. */
const CHAIN_MIN = 0.1;
/** Rank in the store's answer at which half of its weight is left. */
const QUESTION_RANK_HALF = 10;

type Features = Record<Feature, number>;

/** Relevance of every visible chunk to the question, by the weighted features above. Only the order means anything. */
export function scoreItems(question: Question, pool: Pool, evidence: Evidence, weights = WEIGHTS): Map<Item, number> {
  const features = featuresOf(question, pool, evidence);
  return new Map(
    [...features].map(([item, values]) => {
      let score = 0;
      for (const [name, value] of Object.entries(values)) score += weights[name as Feature] * value;
      return [item, score];
    }),
  );
}

function featuresOf(question: Question, pool: Pool, evidence: Evidence): Map<Item, Features> {
  const ranks = readRanks(question, evidence);
  const direct = pool.items.map((item) => pool.score(question.terms, item));
  const best = Math.max(...direct, Number.MIN_VALUE);
  const features = pool.items.map((item, i): Features => {
    const key = item.chunk.key;
    const named = item.titleParts.length > 0 && item.titleParts.every((part) => question.termSet.has(part));
    const relevance = ((direct[i] ?? 0) / best + byRank(ranks.question.get(key), QUESTION_RANK_HALF)) / 2;
    return {
      direct: relevance,
      questionRank: byRank(ranks.question.get(key), 3),
      titleInQuestion: named ? 0.3 + coverage(question, pool, (term) => item.titleParts.includes(term)) : 0,
      nameRank: relevance * byRank(ranks.name.get(key), 2),
      leadRank: relevance * byRank(ranks.lead.get(key), 2),
      chainByTitle: 0,
      chainByText: 0,
      source: 0,
      secondHop: 0,
    };
  });
  addChains(question, pool, features);
  for (const name of CHAIN_FEATURES) {
    const largest = Math.max(CHAIN_MIN, ...features.map((values) => values[name]));
    for (const values of features) values[name] /= largest;
  }
  return new Map(pool.items.map((item, i) => [item, features[i] as Features]));
}

/** 1 at rank 0, half at rank `half`, towards 0. */
function byRank(rank: number | undefined, half: number): number {
  return rank === undefined ? 0 : 1 / (1 + rank / half);
}

interface Ranks {
  readonly question: Map<string, number>;
  readonly name: Map<string, number>;
  readonly lead: Map<string, number>;
}

/** Best rank of each chunk in the searches for the question (its pages counted on), for its names, and for leads. */
function readRanks(question: Question, evidence: Evidence): Ranks {
  const ranks: Ranks = { question: new Map(), name: new Map(), lead: new Map() };
  for (const { query, chunks } of evidence.searches) {
    const isQuestion = query === question.text;
    const target = isQuestion ? ranks.question : question.names.includes(query) ? ranks.name : ranks.lead;
    const offset = isQuestion ? target.size : 0;
    for (const [i, { key }] of chunks.entries())
      target.set(key, Math.min(target.get(key) ?? Number.MAX_VALUE, offset + i));
  }
  return ranks;
}

interface Link {
  readonly from: number;
  readonly to: number;
  readonly title: number;
  readonly text: number;
  /** Share of the question that the end has and the start lacks. */
  readonly added: number;
}

function addChains(question: Question, pool: Pool, features: readonly Features[]): void {
  const links = linksOf(question, pool, features);
  for (const { from, to, title, text, added } of links) {
    const start = features[from];
    const end = features[to];
    if (start === undefined || end === undefined) continue;
    const worth = start.direct * (ADDED_BASE + added);
    end.chainByTitle = Math.max(end.chainByTitle, worth * title);
    end.chainByText = Math.max(end.chainByText, worth * text);
    start.source = Math.max(start.source, worth * text);
  }
  for (const { from, to, title, text, added } of links) {
    const start = features[from];
    const end = features[to];
    if (start === undefined || end === undefined) continue;
    const worth = (start.direct + 3 * start.chainByTitle) * (ADDED_BASE + added);
    end.secondHop = Math.max(end.secondHop, worth * Math.max(title, SECOND_TEXT * text));
  }
}

function linksOf(question: Question, pool: Pool, features: readonly Features[]): Link[] {
  const order = pool.items.map((_, i) => i).sort((a, b) => (features[b]?.direct ?? 0) - (features[a]?.direct ?? 0));
  const links: Link[] = [];
  for (const from of order.slice(0, SOURCES_MAX)) {
    const start = pool.items[from];
    if (start === undefined) continue;
    const leads: readonly Lead[] = leadsOf(start, question, pool);
    if (leads.length === 0) continue;
    for (const [to, end] of pool.items.entries()) {
      if (to === from || start.chunk.shownDocumentId === end.chunk.shownDocumentId) continue;
      const link = linkTo(leads, start, end, question, pool);
      if (link !== undefined) links.push({ from, to, ...link });
    }
  }
  return links;
}
