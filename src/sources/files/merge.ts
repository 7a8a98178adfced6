import type { Listed } from "../source.ts";

/** A stream ordered by key whose keys all begin with `from`. */
export interface KeyedStream {
  readonly from: string;
  open(): AsyncIterator<Listed>;
}

export function keyOfListed(listed: Listed): string {
  return "item" in listed ? listed.item.key : listed.skipped.key;
}

interface Head {
  readonly stream: AsyncIterator<Listed>;
  readonly listed: Listed;
  readonly key: string;
}

/**
 * One stream in key order out of several, every key once (roots may overlap): something readable wins over a skip. A
 * stream is opened only when the order reaches it, so that disjoint folders are walked one after the other.
 *
 * @param streams Ordered by `from`.
 * @param single Ordered by key.
 */
export async function* mergeByKey(streams: readonly KeyedStream[], single: readonly Listed[]): AsyncGenerator<Listed> {
  const heads: Head[] = [];
  const waiting = [...streams].reverse();
  await advance(heads, listIterator(single));
  while (heads.length > 0 || waiting.length > 0) {
    const least = leastKey(heads);
    const next = waiting.at(-1);
    if (next !== undefined && (least === undefined || next.from <= least)) {
      waiting.pop();
      await advance(heads, next.open());
      continue;
    }
    if (least === undefined) break;
    const equal = heads.filter((head) => head.key === least);
    for (const head of equal) {
      heads.splice(heads.indexOf(head), 1);
      await advance(heads, head.stream);
    }
    const best = equal.find((head) => "item" in head.listed) ?? equal[0];
    if (best !== undefined) yield best.listed;
  }
}

async function* listIterator(listed: readonly Listed[]): AsyncGenerator<Listed> {
  yield* listed;
}

async function advance(heads: Head[], stream: AsyncIterator<Listed>): Promise<void> {
  const next = await stream.next();
  if (next.done !== true) heads.push({ stream, listed: next.value, key: keyOfListed(next.value) });
}

function leastKey(heads: readonly Head[]): string | undefined {
  let least: string | undefined;
  for (const head of heads) if (least === undefined || head.key < least) least = head.key;
  return least;
}
