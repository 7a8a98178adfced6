import { focus, leadsOf } from "./links.ts";
import type { Item, NameInText } from "./pool.ts";
import { originalWords } from "./question.ts";
import { ranked, type Scores, type Scoring } from "./score.ts";
import type { Spread } from "./spread.ts";

/** A query that follows a name found in a chunk. */
export interface Step {
  readonly query: string;
  /** Name and source; the policy says them aloud as its reason. */
  readonly name: string;
  readonly from: Item;
  readonly strength: number;
  /** The source is no find of the question itself but of a lead: the chain goes on. */
  readonly isDeep: boolean;
}

type Following = Pick<Scoring, "question" | "pool" | "prior">;

/** Short chunks that leads are taken from: the best ones. */
const SOURCES_MAX = 12;

/**
 * Queries that follow leads out of what is in view, strongest first: the name, with those words of the question that its
 * source does not answer. A short chunk is about one thing and lends its whole score to its names; in a long one only
 * the sentences that relevance has reached do.
 */
export function steps({ question, pool, prior }: Following, scores: Scores, reach: Spread): Step[] {
  const found = new Map<string, Step>();
  const offer = (name: NameInText, key: string, from: Item, strength: number): void => {
    // Its own title leads back to it.
    if (key === from.titleKey || (found.get(key)?.strength ?? 0) >= strength) return;
    const rest = question.terms.filter((term) => !from.counts.has(term) && !name.parts.includes(term));
    const query = [name.text, ...originalWords(question, new Set(rest))].join(" ");
    const isDeep = (prior.rankOf(from.chunk.shownDocumentId) ?? SOURCES_MAX) >= SOURCES_MAX;
    found.set(key, { query, name: name.text, from, strength, isDeep });
  };
  const sources = ranked(scores).slice(0, SOURCES_MAX);
  const best = scores.get(sources[0] as Item) ?? 1;
  for (const from of sources) {
    if (focus(from) < 1) continue;
    for (const { name, key, strength } of leadsOf(from, question, pool))
      offer(name, key, from, ((scores.get(from) ?? 0) / best) * strength);
  }
  for (const { name, key, from, worth } of reach.names) if (focus(from) < 1) offer(name, key, from, worth);
  return [...found.values()].sort((a, b) => b.strength - a.strength);
}
