// Latency and throughput of systems that answer the same queries, by turns.

import type { Ask, System } from "./systems.ts";
import { ScaleTexts } from "./texts.ts";

export const SEEN = 500;
const WARM_UP = 5;
const NOTHING: ReadonlySet<string> = new Set();

export interface Query {
  readonly text: string;
  /** What hybrid search finds first: the worst that can be excluded. */
  readonly seen: ReadonlySet<string>;
}

export async function makeQueries(count: number, hybrid: Ask): Promise<readonly Query[]> {
  const texts = new ScaleTexts(2);
  const queries: Query[] = [];
  for (let i = 0; i < count; i++) {
    const text = texts.query();
    queries.push({ text, seen: new Set(await hybrid(text, NOTHING, SEEN)) });
  }
  return queries;
}

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

/** Milliseconds of every query by system, one query at a time; each system comes first as often as the others. */
export async function latencies(
  systems: readonly System[],
  queries: readonly Query[],
  seen: boolean,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = new Map<string, number[]>(systems.map(({ name }) => [name, []]));
  for (let i = -WARM_UP; i < queries.length; i++) {
    const query = queries[(i + WARM_UP) % queries.length];
    if (query === undefined) continue;
    for (const j of systems.keys()) {
      const system = systems[(i + WARM_UP + j) % systems.length];
      if (system === undefined) continue;
      const start = performance.now();
      await system.ask(query.text, seen ? query.seen : NOTHING);
      if (i >= 0) times.get(system.name)?.push(performance.now() - start);
    }
  }
  return times;
}

export interface Throughput {
  readonly perSecond: number;
  readonly times: readonly number[];
}

/** So many clients, each with its next query as soon as the one before is answered. */
export async function throughput({ ask }: System, queries: readonly Query[], clients: number): Promise<Throughput> {
  const times: number[] = [];
  let next = 0;
  const start = performance.now();
  const client = async (): Promise<void> => {
    for (let query = queries[next++]; query !== undefined; query = queries[next++]) {
      const asked = performance.now();
      await ask(query.text, NOTHING);
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { perSecond: (1_000 * queries.length) / (performance.now() - start), times };
}
