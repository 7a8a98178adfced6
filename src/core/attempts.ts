import { setTimeout as delay } from "node:timers/promises";
import { toWinnowError, type WinnowError } from "./errors.ts";

export const ATTEMPTS_MAX = 5;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** A service that asks for a longer pause than this is given up: the caller decides whether to come back. */
export const RETRY_AFTER_MAX_MS = 60_000;
/** Answers after which the same request may succeed: refusals for load, faults of the server (529: overloaded). */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504, 529]);

/** What a client of a service needs from outside; tests and callers behind a proxy bring their own. */
export interface ServiceEffects {
  readonly fetch?: typeof fetch;
  /** Resolves after `ms`; rejects when the signal aborts. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A number in [0, 1) for the jitter. */
  readonly random?: () => number;
}

/** Failure of one attempt: what to tell, and whether and when another attempt makes sense. */
export interface FailedAttempt {
  readonly error: WinnowError;
  readonly transient: boolean;
  /** Pause that the service asks for. */
  readonly waitMs?: number | undefined;
  /** Attempts after which this kind of failure is final, where that is fewer than for others. */
  readonly attemptsMax?: number;
}

export interface AttemptOptions {
  readonly effects: ServiceEffects;
  readonly signal?: AbortSignal | undefined;
  readonly attemptsMax?: number | undefined;
  /** Milliseconds left for all that follows: a pause that does not end before is not begun. Default without end. */
  readonly leftMs?: () => number;
  /** Told before each pause; `attempt` is the one that failed. */
  readonly onRetry?: (failed: FailedAttempt, pauseMs: number, attempt: number) => void;
}

const isFailed = (value: object): value is FailedAttempt => "transient" in value;

export function isTransientStatus(status: number): boolean {
  return TRANSIENT.has(status);
}

/**
 * Tries until an attempt gives an answer: transient failures are tried again with growing pauses and jitter, or after
 * the pause that the service asks for. Rejects with the last failure's error, with `cancelled` or `timeout` when the
 * signal aborts, and with whatever `once` throws.
 */
export async function withAttempts<T>(
  once: (attempt: number) => Promise<{ readonly answer: T } | FailedAttempt>,
  options: AttemptOptions,
): Promise<T> {
  const { signal, effects, attemptsMax = ATTEMPTS_MAX } = options;
  const { sleep = (ms, abort) => delay(ms, undefined, abort === undefined ? {} : { signal: abort }) } = effects;
  const { random = Math.random } = effects;
  const { leftMs = () => Number.POSITIVE_INFINITY } = options;
  for (let attempt = 1; ; attempt++) {
    if (signal?.aborted === true) throw toWinnowError(signal.reason);
    const outcome = await once(attempt);
    if (!isFailed(outcome)) return outcome.answer;
    const asked = outcome.waitMs;
    const last = Math.min(attemptsMax, outcome.attemptsMax ?? attemptsMax);
    if (!outcome.transient || attempt >= last || (asked ?? 0) > RETRY_AFTER_MAX_MS) throw outcome.error;
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
    // Half of the pause is certain, half is chance: clients that failed together do not come back together.
    const pause = asked === undefined ? ceiling * (0.5 + 0.5 * random()) : asked + BACKOFF_FIRST_MS * random();
    if (pause >= leftMs()) throw outcome.error;
    options.onRetry?.(outcome, pause, attempt);
    try {
      await sleep(pause, signal);
    } catch (error) {
      throw toWinnowError(signal?.reason ?? error);
    }
  }
}

/** Tells a caller of each failed attempt and of the pause behind it. */
export function retryNotice(
  onNotice: ((code: string, message: string) => void) | undefined,
): NonNullable<AttemptOptions["onRetry"]> {
  return ({ error }, pauseMs, attempt) => {
    const seconds = (pauseMs / 1000).toFixed(1);
    // Words of a server stand at the end of some messages, with or without a full stop of their own.
    const what = /[.!?…]$/u.test(error.message) ? error.message : `${error.message}.`;
    onNotice?.("retry", `${what} Attempt ${attempt} failed; the next one follows after ${seconds} s.`);
  };
}

/** Seconds or a date (RFC 9110, 10.2.3), as milliseconds from now; undefined when absent or unreadable. */
export function retryAfterMs(header: string | null, now: number = Date.now()): number | undefined {
  const value = header?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const date = value === "" ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
