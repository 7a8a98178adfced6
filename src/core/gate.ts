import { setMaxListeners } from "node:events";
import { WinnowError } from "./errors.ts";

export interface GateOptions {
  /** Pieces of work at once. */
  readonly runningMax: number;
  /** Pieces of work that may wait for their turn; left out: any number, where something else bounds them. */
  readonly waitingMax?: number;
  /** Longest wait, milliseconds; left out: as long as it takes. */
  readonly waitMsMax?: number;
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
  #closed: WinnowError | undefined;

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
   * when too many wait or the wait was too long, with the reason of `close` after it, and with the signal's reason: who
   * gives up waiting leaves the queue at once.
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    if (this.#closed !== undefined) throw this.#closed;
    signal?.throwIfAborted();
    const { runningMax, waitingMax = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#running < runningMax) this.#running++;
    else if (this.#waiting.size >= waitingMax) throw busy();
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
  close(reason: WinnowError): void {
    this.#closed = reason;
    for (const waiter of this.#waiting) waiter.refuse(reason);
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const settle = (then: () => void): void => {
        this.#waiting.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        then();
      };
      const waiter: Waiter = { start: () => settle(resolve), refuse: (error) => settle(() => reject(error)) };
      const onAbort = (): void => waiter.refuse(signal?.reason);
      const { waitMsMax } = this.#options;
      const timer = waitMsMax === undefined ? undefined : setTimeout(() => waiter.refuse(busy()), waitMsMax);
      timer?.unref();
      if (signal !== undefined) {
        // Many may wait with the signal of one caller: that is no leak that Node had to warn of.
        setMaxListeners(0, signal);
        signal.addEventListener("abort", onAbort, { once: true });
      }
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
export async function through<Result>(
  gate: Gate,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const leave = await gate.enter(signal);
  try {
    return await work();
  } finally {
    leave();
  }
}

/** What is refused because of what is under way already; the same succeeds a little later. */
export function busy(): WinnowError {
  return new WinnowError("busy", "As much is running and waiting as is taken at once.", {
    hint: "Try again in a few seconds.",
    retryable: true,
  });
}
