import { type Known, type Load, openLoop, percentile } from "./generate.ts";
import type { Target } from "./targets.ts";

/** Rates that are tried after the first, each halving what is not known yet. */
const STEPS = 4;
/** What a closed loop does a second is about the most; what is sustained lies in this range of it. */
const LOWEST = 0.3;
const HIGHEST = 1.1;

export interface Bound {
  /** Of the 99th percentile of the latency. */
  readonly p99Ms: number;
  readonly seconds: number;
}

/**
 * The largest rate that was found at which the 99th percentile stays below the bound, nothing is refused or fails, and
 * no more is under way at the end than that latency explains. Undefined where a small part of the capacity is too much.
 */
export async function sustainableRate(
  target: Target,
  known: Known,
  capacity: number,
  bound: Bound,
): Promise<Load | undefined> {
  let [low, high] = [LOWEST * capacity, HIGHEST * capacity];
  let best = await tried(target, known, low, bound);
  for (let step = 0; step < STEPS && best === undefined; step++) {
    [low, high] = [low / 2, low];
    best = await tried(target, known, low, bound);
  }
  if (best === undefined) return undefined;
  for (let step = 0; step < STEPS; step++) {
    const rate = (low + high) / 2;
    const load = await tried(target, known, rate, bound);
    if (load === undefined) high = rate;
    else [low, best] = [rate, load];
  }
  return best;
}

async function tried(target: Target, known: Known, rate: number, bound: Bound): Promise<Load | undefined> {
  const load = await openLoop(target, known, { rate, seconds: bound.seconds });
  const p99 = percentile(load.latencies, 0.99);
  const backlogMax = Math.max(1, (rate * bound.p99Ms) / 1000);
  const isSustained = p99 <= bound.p99Ms && load.codes.size === 0 && load.backlog <= backlogMax;
  console.error(
    `  ${rate.toFixed(1)} a second: p99 ${p99.toFixed(0)} ms, ${load.backlog} under way at the end${isSustained ? "" : " - too much"}`,
  );
  return isSustained ? load : undefined;
}
