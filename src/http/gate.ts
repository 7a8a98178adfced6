import { WinnowError } from "../core/errors.ts";

/** What a caller is told to wait before it asks again, seconds. */
export const RETRY_AFTER_SECONDS = 5;

export interface GateOptions {
  /** Pieces of work at once. */
  readonly runningMax: number;
  /** Pieces of work that may wait for their turn. */
  readonly waitingMax: number;
  /** Longest wait, milliseconds. */
  readonly waitMsMax: number;
}

interface Waiter {
  readonly start: () => void;
  readonly refuse: (error: unknown) => void;
}

/** Lets a bounded number of pieces of work run at once, and a bounded number wait, first come first served. */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiting = new Set<Waiter>();
  #running = 0;
  #closed = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when the work may begin, with what has to be called when it is over, once or more often. Rejects with `busy`
   * when too many wait or the wait was too long, `unavailable` after `close`, and with the signal's reason.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.#closed) throw closing();
    signal.throwIfAborted();
    if (this.#running < this.#options.runningMax) this.#running++;
    else if (this.#waiting.size >= this.#options.waitingMax) throw busy();
    // Whoever leaves hands its place on, so `#running` does not change.
    else await this.#turn(signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  /** Refuses everything from now on, and all that wait. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiting) waiter.refuse(closing());
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const settle = (then: () => void): void => {
        this.#waiting.delete(waiter);
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        then();
      };
      const waiter: Waiter = { start: () => settle(resolve), refuse: (error) => settle(() => reject(error)) };
      const onAbort = (): void => waiter.refuse(signal.reason);
      const timer = setTimeout(() => waiter.refuse(busy()), this.#options.waitMsMax);
      timer.unref();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#running--;
    else next.start();
  }
}

/** Does a piece of work when its turn has come. */
export async function through<Result>(gate: Gate, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  const leave = await gate.enter(signal);
  try {
    return await work();
  } finally {
    leave();
  }
}

function busy(): WinnowError {
  return new WinnowError("busy", "As much is running and waiting as this server takes.", {
    hint: `Try again in ${RETRY_AFTER_SECONDS} seconds.`,
    retryable: true,
  });
}

export function closing(): WinnowError {
  return new WinnowError("unavailable", "This server is shutting down.", {
    hint: "Try again when it has been started anew.",
    retryable: true,
  });
}
