/** Time and randomness, passed in so that runs can be repeated exactly. */
export interface Clock {
  /** Milliseconds since the epoch. Jumps when somebody sets the clock: for times that are shown or kept. */
  now(): number;
  /** Milliseconds since some moment; never goes back nor jumps: for how long something takes. Default `now`. */
  elapsed?(): number;
}

export const systemClock = { now: () => Date.now(), elapsed: () => performance.now() } satisfies Clock;

/** How long something has taken so far, in milliseconds; begun when this is called, or at `sinceMs` of a clock that only tells the time. */
export function stopwatch(clock: Clock, sinceMs: number = clock.now()): () => number {
  if (clock.elapsed === undefined) return () => clock.now() - sinceMs;
  const { elapsed } = clock;
  const startMs = elapsed();
  return () => elapsed() - startMs;
}

/** A generator of numbers in [0, 1). The same seed gives the same sequence (mulberry32, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
