import { SESSION_KEYS } from "../../../core/provenance.ts";
import type { Evidence } from "./evidence.ts";
import type { Item } from "./pool.ts";
import { ranked, type Scores } from "./score.ts";

/** A value of metadata that other documents share, and the chunk that brought it up. */
export interface Join {
  readonly key: string;
  readonly value: string;
  readonly from: Item;
  /** True where a query in the thread has found nothing, so that the thread itself is to be read. */
  readonly isWhole: boolean;
}

/** Chunks whose threads are worth following: the best ones, and none that is much worse than the best. */
const SOURCES_MAX = 5;
const SOURCE_GAP_MAX = 1.5;
/** Joins of one turn. */
const JOINS_MAX = 2;
/** How far the best-fitting other chunk of a thread may lie behind the one that led there. */
const THREAD_GAP = 0.25;

const THREAD_KEYS: ReadonlySet<string> = new Set(SESSION_KEYS);

/** The threads of the best chunks that have not been followed yet, best first. */
export function joinsToFollow(scores: Scores, { joined, fruitless }: Evidence): Join[] {
  const best = ranked(scores).slice(0, SOURCES_MAX);
  const floor = (scores.get(best[0] as Item) ?? 0) - SOURCE_GAP_MAX;
  const joins = new Map<string, Join>();
  for (const from of best) {
    if ((scores.get(from) ?? 0) < floor) break;
    const thread = threadOf(from);
    if (thread === undefined) continue;
    const name = nameOf(thread);
    const isWhole = fruitless?.has(name) === true;
    if ((isWhole || !joined.has(name)) && !joins.has(name))
      joins.set(name, { key: thread[0], value: thread[1], from, isWhole });
  }
  return [...joins.values()].slice(0, JOINS_MAX);
}

/**
 * Scores in which the chunks of one thread help each other: what a failing call has in common with the turn that mended
 * it is the session, often not a word. The best of the others comes up to `THREAD_GAP` behind the chunk that leads the
 * thread, the rest keep their distance from it. Nothing loses, and chunks without a thread keep their score.
 */
export function withJoins(scores: Scores): Scores {
  const threads = new Map<string, Item[]>();
  for (const item of scores.keys()) {
    const thread = threadOf(item);
    if (thread === undefined) continue;
    const name = nameOf(thread);
    threads.set(name, [...(threads.get(name) ?? []), item]);
  }
  if (threads.size === 0) return scores;
  const joined = new Map(scores);
  for (const items of threads.values()) {
    const [lead = 0, bestOther] = items.map((item) => scores.get(item) ?? 0).sort((a, b) => b - a);
    if (bestOther === undefined) continue;
    const lift = Math.max(0, lead - THREAD_GAP - bestOther);
    for (const item of items) {
      const own = scores.get(item) ?? 0;
      if (own <= bestOther) joined.set(item, own + lift);
    }
  }
  return joined;
}

type Thread = readonly [key: string, value: string];

function threadOf({ chunk }: Item): Thread | undefined {
  return chunk.metadata?.find(([key]) => THREAD_KEYS.has(key));
}

const nameOf = ([key, value]: Thread): string => `${key}=${value}`;
