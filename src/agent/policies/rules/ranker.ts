/**
 * Boosted regression trees as data (Friedman, Annals of Statistics 2001), one array a tree and a field. An inner node goes
 * left where its feature is at most `at`. Children from 0 up are inner nodes, below 0 leaves: -1 is leaf 0, -2 leaf 1.
 */
export interface Ranker {
  /** Names of the features, in the order of their numbers. */
  readonly features: readonly string[];
  readonly trees: readonly RankerTree[];
  /** What evidence has to add to a score before it counts: weaker evidence is seen on every kind of text. */
  readonly liftMin: number;
  /** What it has to add beyond that to pass the first two documents of the question's own ranking. */
  readonly firstLiftMin: number;
}

export interface RankerTree {
  readonly feature: readonly number[];
  readonly at: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly value: readonly number[];
}

/** Sum of the trees' leaves for one row of features, in the order of `Ranker.features`. */
export function predict({ trees }: Ranker, row: readonly number[]): number {
  let sum = 0;
  for (const { feature, at, left, right, value } of trees) {
    let node = feature.length === 0 ? -1 : 0;
    while (node >= 0) {
      const goesLeft = (row[feature[node] ?? 0] ?? 0) <= (at[node] ?? 0);
      node = (goesLeft ? left[node] : right[node]) ?? -1;
    }
    sum += value[-node - 1] ?? 0;
  }
  return sum;
}
