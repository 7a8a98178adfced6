import { toWinnowError, type WinnowError } from "./errors.ts";

/** Work that has to end in time, see `timeLimit`. */
export interface TimeLimit {
  /** Aborts when the time is over, or when the outer signal does. */
  readonly signal: AbortSignal;
  /** What the signal aborted with; undefined as long as it has not. */
  readonly error: WinnowError | undefined;
  /** True when the time was over before the outer signal aborted. */
  readonly isOver: boolean;
  /** Milliseconds that are left, 0 at least. */
  leftMs(): number;
  /** The work's outcome, or the error of this limit: also where the work itself does not heed the signal. */
  within<T>(work: Promise<T>): Promise<T>;
  /** Stops the clock; to be called once the work has ended, however it did. */
  end(): void;
}

/**
 * A limit of time on work of several parts, of which each may end in time and the whole still never. Its own timer, kept
 * until `end`: signals that are only composed may be collected before they fire.
 */
export function timeLimit(ms: number, overdue: () => WinnowError, outer?: AbortSignal): TimeLimit {
  const startMs = performance.now();
  const abort = new AbortController();
  let error: WinnowError | undefined;
  let isOver = false;
  const stop = (reason: WinnowError): void => {
    if (error !== undefined) return;
    error = reason;
    abort.abort(reason);
  };
  const onOuter = (): void => stop(toWinnowError(outer?.reason));
  const timer = setTimeout(() => {
    isOver = error === undefined;
    stop(overdue());
  }, ms);
  if (outer?.aborted === true) onOuter();
  else outer?.addEventListener("abort", onOuter, { once: true });
  return {
    signal: abort.signal,
    get error() {
      return error;
    },
    get isOver() {
      return isOver;
    },
    leftMs: () => Math.max(0, ms - (performance.now() - startMs)),
    within<T>(work: Promise<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const onAbort = (): void => reject(error);
        if (error !== undefined) onAbort();
        abort.signal.addEventListener("abort", onAbort, { once: true });
        const settled = (): void => abort.signal.removeEventListener("abort", onAbort);
        work.then(resolve, reject).finally(settled);
      });
    },
    end() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", onOuter);
    },
  };
}

/** A limit of time as a message names it: `10 s`, `30 ms`. */
export function spokenTime(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`;
}
