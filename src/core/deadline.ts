/** Longest time that a timer can count. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * As `AbortSignal.timeout`, but kept until it fires: in Node 20 one that is only a part of `AbortSignal.any` may be
 * collected before, and then its time never comes. Does not keep the process alive.
 */
export function deadline(ms: number): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new DOMException("The time is over.", "TimeoutError"));
  setTimeout(abort, Math.min(ms, TIMER_MS_MAX)).unref();
  return controller.signal;
}
