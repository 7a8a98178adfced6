import { compareIds, type Fused } from "./fuse.ts";

export interface ScoredId {
  readonly id: string;
  readonly score: number;
}

/**
 * Convex combination of scores (Bruch, Gai and Ingber, TOIS 2023): `(1 − denseShare)` times BM25 over the best one, and
 * `denseShare` times the place of the cosine between the least (0) and the best (1) of the `pool` nearest. Both lists best
 * first. A half that lacks a chunk contributes nothing to it. Best first, ties by id.
 */
export function fuseScores(
  lexical: readonly ScoredId[],
  dense: readonly ScoredId[],
  { denseShare, pool }: { readonly denseShare: number; readonly pool: number },
): Fused[] {
  const fused = new Map<string, { score: number; ranks: [number | undefined, number | undefined] }>();
  const best = lexical[0]?.score ?? 0;
  for (const [i, { id, score }] of lexical.entries()) {
    fused.set(id, { score: best > 0 ? ((1 - denseShare) * score) / best : 0, ranks: [i + 1, undefined] });
  }
  const span = spanOf(dense.slice(0, pool));
  for (const [i, { id, score }] of dense.entries()) {
    const part = denseShare * Math.max(0, span(score));
    const known = fused.get(id);
    if (known === undefined) fused.set(id, { score: part, ranks: [undefined, i + 1] });
    else {
      known.score += part;
      known.ranks[1] = i + 1;
    }
  }
  return [...fused]
    .map(([id, { score, ranks }]): Fused => ({ id, score, ranks }))
    .sort((a, b) => b.score - a.score || compareIds(a.id, b.id));
}

/**
 * The second stage joined to the first: `share` of the passage's place between the least and the best of what was read,
 * the rest of the score that it had. What was not read keeps the rest alone. Best first, ties by id.
 */
export function fuseInteraction(first: readonly Fused[], read: readonly ScoredId[], share: number): Fused[] {
  const span = spanOf(read);
  const scores = new Map(read.map(({ id, score }) => [id, span(score)]));
  return first
    .map((entry) => ({ ...entry, score: (1 - share) * entry.score + share * (scores.get(entry.id) ?? 0) }))
    .sort((a, b) => b.score - a.score || compareIds(a.id, b.id));
}

/** Maps the least score to 0 and the best to 1; equal scores are all the best. */
function spanOf(list: readonly ScoredId[]): (score: number) => number {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const { score } of list) {
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  const width = most - least;
  return width > 0 ? (score) => (score - least) / width : () => 1;
}
