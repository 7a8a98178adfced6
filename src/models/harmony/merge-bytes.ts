/** Rank of a token by its bytes, given as a string with one byte a character; a token's rank is its id. */
export type RankOf = (bytes: string) => number | undefined;

/** True when each UTF-16 unit is one byte of UTF-8. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/**
 * Byte-pair merging with a heap: always the pair of lowest rank first, of equal ones the leftmost. Appends the ids to
 * `ids`. A list of pieces linked by index stands in for the string; a heap entry is stale when its pair has changed.
 */
export function mergeBytes(bytes: string, rankOf: RankOf, ids: number[]): void {
  const count = bytes.length;
  const next = Int32Array.from({ length: count }, (_, i) => i + 1);
  const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
  /** End of the pair that begins at a piece, at the time its rank was taken; 0 once the piece is merged away. */
  const pairEnd = new Int32Array(count);
  const heap = new PairHeap();
  const offer = (start: number): void => {
    const second = next[start] ?? count;
    if (second >= count) {
      pairEnd[start] = -1;
      return;
    }
    const end = next[second] ?? count;
    pairEnd[start] = end;
    const rank = rankOf(bytes.slice(start, end));
    if (rank !== undefined) heap.push(rank, start, end);
  };
  for (let i = 0; i < count; i++) offer(i);
  for (let pair = heap.pop(); pair !== undefined; pair = heap.pop()) {
    const { start, end } = pair;
    if (pairEnd[start] !== end) continue;
    const second = next[start] ?? count;
    pairEnd[second] = 0;
    next[start] = end;
    if (end < count) previous[end] = start;
    offer(start);
    const before = previous[start] ?? -1;
    if (before >= 0) offer(before);
  }
  for (let i = 0; i < count; i = next[i] ?? count) {
    const id = rankOf(bytes.slice(i, next[i] ?? count));
    if (id !== undefined) ids.push(id);
  }
}

interface Pair {
  readonly rank: number;
  readonly start: number;
  readonly end: number;
}

/** A binary heap, smallest rank first, then leftmost. */
class PairHeap {
  readonly #items: Pair[] = [];

  push(rank: number, start: number, end: number): void {
    const items = this.#items;
    const item = { rank, start, end };
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = items[parent];
      if (above === undefined || !comesFirst(item, above)) break;
      items[i] = above;
      i = parent;
    }
    items[i] = item;
  }

  pop(): Pair | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      const leftItem = items[left];
      if (leftItem === undefined) break;
      const rightItem = items[left + 1];
      const right = rightItem !== undefined && comesFirst(rightItem, leftItem);
      const child = right ? rightItem : leftItem;
      if (!comesFirst(child, last)) break;
      items[i] = child;
      i = right ? left + 1 : left;
    }
    items[i] = last;
    return first;
  }
}

function comesFirst(a: Pair, b: Pair): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.start < b.start);
}
