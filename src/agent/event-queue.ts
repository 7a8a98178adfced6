/** Events of one run for any number of readers, each from the first event on. Unread events wait in memory. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #events: T[] = [];
  #waiting: (() => void)[] = [];
  #closed = false;

  push(event: T): void {
    this.#events.push(event);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (let i = 0; ; i++) {
      while (i >= this.#events.length) {
        if (this.#closed) return;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      yield this.#events[i] as T;
    }
  }
}
