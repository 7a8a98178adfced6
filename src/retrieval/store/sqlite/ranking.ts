/** Rows sorted at first; each further block is four times as long. */
const FIRST_BLOCK_ROWS = 128;
const BLOCK_GROWTH = 4;

/** Rows of several segments with their scores, in no order yet. */
export interface ScoredRows {
  readonly count: number;
  /** Place of the row's segment in its list. */
  readonly segments: Int32Array;
  readonly rows: Int32Array;
  readonly scores: Float64Array;
}

/**
 * Places within `scored`, best first in blocks, ties by place. Sorting goes only as far as the caller reads: of 100,000
 * rows mostly a hundred are wanted.
 */
export function* rankedBlocks({ count, scores }: ScoredRows): Generator<Int32Array> {
  const order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const compare = (a: number, b: number): number => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b;
  for (let from = 0, size = FIRST_BLOCK_ROWS; from < count; from += size, size *= BLOCK_GROWTH) {
    const to = Math.min(from + size, count);
    if (to < count) partition(order, from, to, compare);
    yield order.subarray(from, to).sort(compare);
  }
}

/** Moves the first `to - from` of what is left, by `compare`, to the front (Hoare's selection, middle pivot). */
function partition(order: Int32Array, from: number, to: number, compare: (a: number, b: number) => number): void {
  let [left, right] = [from, order.length - 1];
  while (left < right) {
    const pivot = order[(left + right) >> 1] ?? 0;
    let [i, j] = [left, right];
    while (i <= j) {
      while (compare(order[i] ?? 0, pivot) < 0) i++;
      while (compare(order[j] ?? 0, pivot) > 0) j--;
      if (i > j) break;
      const [x, y] = [order[i] ?? 0, order[j] ?? 0];
      order[i++] = y;
      order[j--] = x;
    }
    if (to <= j) right = j;
    else if (to >= i) left = i;
    else return;
  }
}
