import type { View } from "../../policy.ts";
import type { Evidence } from "./evidence.ts";

/** Rank, from 0, at which half of a document's standing is left. */
const RANK_HALF = 10;

/** What one query of the question says of the documents. */
export interface Prior {
  /** Documents by the id that the policy knows them by, best first, with the chunk that speaks for each. */
  readonly entries: readonly { readonly document: string; readonly chunk: string }[];
  /** Rank of a document, from 0; undefined where the query does not rank it. */
  rankOf(document: string): number | undefined;
  /** Standing of a document: 1 for the first, half at rank `RANK_HALF`, 0 where the query does not rank it. */
  of(document: string): number;
  /** Its score as a share of the best one; its standing where the query gave no scores. */
  shareOf(document: string): number;
  /** By how much of its score the first leads the second, 0 to 1. */
  readonly gap: number;
}

/** The ranking that the run starts from; where there is none, what the searches for the question itself have shown. */
export function readPrior(view: Pick<View, "query" | "ranking">, evidence: Pick<Evidence, "searches">): Prior {
  const own = evidence.searches.filter(({ query }) => query === view.query).flatMap(({ chunks }) => chunks);
  const isRanked = view.ranking !== undefined && view.ranking.length > 0;
  const ranks = new Map<string, number>();
  const scores = new Map<string, number>();
  const entries: { document: string; chunk: string }[] = [];
  for (const entry of isRanked ? view.ranking : own) {
    const { shownDocumentId, shownId } = entry;
    if (ranks.has(shownDocumentId)) continue;
    ranks.set(shownDocumentId, ranks.size);
    if ("score" in entry) scores.set(shownDocumentId, entry.score);
    entries.push({ document: shownDocumentId, chunk: shownId });
  }
  const best = Math.max(Number.MIN_VALUE, ...scores.values());
  const standing = (document: string): number => {
    const rank = ranks.get(document);
    return rank === undefined ? 0 : 1 / (1 + rank / RANK_HALF);
  };
  const share = (document: string): number => {
    const score = scores.get(document);
    return score === undefined ? standing(document) : Math.max(0, score / best);
  };
  const [first, second] = entries;
  const gap = first === undefined || second === undefined ? 0 : share(first.document) - share(second.document);
  return { entries, rankOf: (document) => ranks.get(document), of: standing, shareOf: share, gap };
}
