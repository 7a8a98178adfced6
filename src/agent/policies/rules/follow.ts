import { leadsOf } from "./links.ts";
import type { Item, Pool } from "./pool.ts";
import { originalWords, type Question } from "./question.ts";

/** A query that follows a name found in a chunk. */
export interface Step {
  readonly query: string;
  /** Name and source; the policy says them aloud as its reason. */
  readonly name: string;
  readonly from: Item;
  readonly strength: number;
}

/** Chunks that leads are taken from: the best ones. */
const SOURCES_MAX = 12;

/**
 * Queries that follow leads out of the best chunks, strongest first: the name, with those words of the question that its
 * source does not answer.
 */
export function steps(question: Question, pool: Pool, scores: ReadonlyMap<Item, number>): Step[] {
  const found = new Map<string, Step>();
  const sources = [...scores].sort((a, b) => b[1] - a[1]).slice(0, SOURCES_MAX);
  const best = sources[0]?.[1] ?? 1;
  for (const [from, score] of sources) {
    const open = question.terms.filter((term) => !from.counts.has(term));
    for (const { name, key, strength } of leadsOf(from, question, pool)) {
      // Its own title leads back to it.
      if (key === from.titleKey) continue;
      const worth = (score / best) * strength;
      const known = found.get(key);
      if (known !== undefined && known.strength >= worth) continue;
      const rest = new Set(open.filter((term) => !name.parts.includes(term)));
      found.set(key, {
        query: [name.text, ...originalWords(question, rest)].join(" "),
        name: name.text,
        from,
        strength: worth,
      });
    }
  }
  return [...found.values()].sort((a, b) => b.strength - a.strength);
}
