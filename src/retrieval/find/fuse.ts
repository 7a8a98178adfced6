/** Reciprocal rank fusion's constant, as its authors chose it (Cormack, Clarke and Büttcher, SIGIR 2009). */
export const RRF_K = 60;

export interface RankedList {
  /** Best first, without repeats. */
  readonly ids: readonly string[];
  /** How much this list counts, default 1. */
  readonly weight?: number;
}

export interface Fused {
  readonly id: string;
  readonly score: number;
  /** Rank in each list, from 1; undefined where the list lacks it. */
  readonly ranks: readonly (number | undefined)[];
}

export interface FuseOptions {
  /** Default `RRF_K`. */
  readonly k?: number;
  /** The rank that an id is given in a list that lacks it; by default such a list contributes nothing. */
  readonly absentRank?: number;
}

/**
 * Reciprocal rank fusion: the score of an id is the sum over lists of `weight / (k + rank)`, ranks from 1. Best first,
 * ties by id. The order of the lists does not matter.
 */
export function fuse(lists: readonly RankedList[], options: FuseOptions = {}): Fused[] {
  const { k = RRF_K, absentRank } = options;
  const ranks = new Map<string, (number | undefined)[]>();
  for (const [list, { ids }] of lists.entries()) {
    for (const [i, id] of ids.entries()) {
      const known = ranks.get(id) ?? lists.map(() => undefined);
      known[list] ??= i + 1;
      ranks.set(id, known);
    }
  }
  const fused = [...ranks].map(([id, known]): Fused => {
    const parts = lists.map(({ weight = 1 }, list) => {
      const rank = known[list] ?? absentRank;
      return rank === undefined ? 0 : weight / (k + rank);
    });
    // Sorted before adding, because a sum of three depends on its order and ties must not.
    const score = parts.sort((a, b) => a - b).reduce((sum, part) => sum + part, 0);
    return { id, score, ranks: known };
  });
  return fused.sort((a, b) => b.score - a.score || compareIds(a.id, b.id));
}

/** By UTF-16 code unit: the same everywhere, whatever the locale. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
