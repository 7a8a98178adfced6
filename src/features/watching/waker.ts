/** A wait that somebody else may cut short. For one waiter at a time. */
export class Waker {
  #wake: (() => void) | undefined;
  #isDue = false;

  /** Ends the wait under way, or the next one at once. */
  wake(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  /** Resolves after `ms`, or when woken, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isDue && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, ms);
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        }
        this.#wake = done;
        signal.addEventListener("abort", done);
      });
    }
    this.#wake = undefined;
    this.#isDue = false;
  }
}
