/** What passing events that nobody has read may hold, in units of `passingUnits`. */
const PASSING_UNITS_MAX = 1_000_000;
/** Of that, what stays when it was too much: events go in bulk, since each time all that is kept is walked over. */
const PASSING_KEPT_SHARE = 0.5;

interface Entry<T> {
  /** Counts up by one with every event. */
  readonly number: number;
  readonly event: T;
  readonly passingUnits: number;
}

/**
 * Events of one run for any number of readers, each from the first event on. Unread events wait in memory: all of those
 * that stay, which the run holds anyway, and of those that pass, pieces of text for display, the last `PASSING_UNITS_MAX`.
 * A reader that falls further behind, or comes later, misses the older pieces and nothing else.
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #passingUnits: (event: T) => number;
  #entries: Entry<T>[] = [];
  #pushed = 0;
  #passing = 0;
  #waiting: (() => void)[] = [];
  #closed = false;

  /** `passingUnits` tells about how many bytes an event that may be missed holds, 0 of one that may not. */
  constructor(passingUnits: (event: T) => number = () => 0) {
    this.#passingUnits = passingUnits;
  }

  push(event: T): void {
    const passingUnits = this.#passingUnits(event);
    this.#entries.push({ number: this.#pushed++, event, passingUnits });
    this.#passing += passingUnits;
    if (this.#passing > PASSING_UNITS_MAX) this.#dropOldest();
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #dropOldest(): void {
    const most = PASSING_UNITS_MAX * PASSING_KEPT_SHARE;
    this.#entries = this.#entries.filter(({ passingUnits }) => {
      if (passingUnits === 0 || this.#passing <= most) return true;
      this.#passing -= passingUnits;
      return false;
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Place of the first entry with this number or a later one. Entries before it may have gone since it was last asked. */
  #placeOf(number: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.number ?? number) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (let next = 0; ; ) {
      const entry = this.#entries[this.#placeOf(next)];
      if (entry !== undefined) {
        next = entry.number + 1;
        yield entry.event;
      } else if (this.#closed) return;
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
