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
}

/** The ranking that the run starts from; where there is none, what the searches for the question itself have shown. */
export function readPrior(view: Pick<View, "query" | "ranking">, evidence: Evidence): Prior {
  const own = evidence.searches.filter(({ query }) => query === view.query).flatMap(({ chunks }) => chunks);
  const ranking = view.ranking === undefined || view.ranking.length === 0 ? own : view.ranking;
  const ranks = new Map<string, number>();
  const entries: { document: string; chunk: string }[] = [];
  for (const { shownDocumentId, shownId } of ranking) {
    if (ranks.has(shownDocumentId)) continue;
    ranks.set(shownDocumentId, ranks.size);
    entries.push({ document: shownDocumentId, chunk: shownId });
  }
  const rankOf = (document: string): number | undefined => ranks.get(document);
  return {
    entries,
    rankOf,
    of: (document) => {
      const rank = rankOf(document);
      return rank === undefined ? 0 : 1 / (1 + rank / RANK_HALF);
    },
  };
}
