import type { Hit } from "../../core/types.ts";
import { compareIds } from "./fuse.ts";

export interface RankedDocument {
  readonly corpus: string;
  readonly documentId: string;
  /** Its best chunk's. */
  readonly score: number;
  /** Its hits, best first. */
  readonly hits: readonly Hit[];
}

/** Groups hits by document: by the best chunk's score, ties by the number of hits, then by id (design §4). */
export function rankDocuments(hits: readonly Hit[]): RankedDocument[] {
  const documents = new Map<string, Hit[]>();
  for (const hit of hits) {
    const key = JSON.stringify([hit.corpus, hit.chunk.documentId]);
    const known = documents.get(key);
    if (known === undefined) documents.set(key, [hit]);
    else known.push(hit);
  }
  const ranked = [...documents.values()].flatMap((group): RankedDocument[] => {
    const sorted = group.sort((a, b) => b.score - a.score || a.chunk.index - b.chunk.index);
    const [best] = sorted;
    if (best === undefined) return [];
    return [{ corpus: best.corpus, documentId: best.chunk.documentId, score: best.score, hits: sorted }];
  });
  return ranked.sort(
    (a, b) =>
      b.score - a.score ||
      b.hits.length - a.hits.length ||
      compareIds(a.documentId, b.documentId) ||
      compareIds(a.corpus, b.corpus),
  );
}
