import type { Asked } from "../agent/reason.ts";
import { analyzeQuery, analyzeText } from "../retrieval/lexical/analyze.ts";

/** The words of a query, weighed by how few of these texts have them. */
export function askedOver(query: string, texts: readonly string[]): Asked {
  const terms = [...new Set(analyzeQuery(query))];
  const wanted = new Set(terms);
  const holders = new Map<string, number>();
  for (const text of texts) {
    const held = new Set(analyzeText(text).filter((term) => wanted.has(term)));
    for (const term of held) holders.set(term, (holders.get(term) ?? 0) + 1);
  }
  const weight = (term: string): number => {
    const count = holders.get(term) ?? 0;
    return Math.log(1 + (texts.length - count + 0.5) / (count + 0.5));
  };
  return { terms, weight, termsOf: analyzeText };
}

/** Share of the query's weight that the words of a text carry, 0 to 1. */
export function coverageOf(text: string, { terms, weight, termsOf }: Asked): number {
  const held = new Set(termsOf(text));
  const total = terms.reduce((sum, term) => sum + weight(term), 0);
  const covered = terms.reduce((sum, term) => sum + (held.has(term) ? weight(term) : 0), 0);
  return total === 0 ? 0 : covered / total;
}
