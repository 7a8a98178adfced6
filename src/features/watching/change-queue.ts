/** A change is taken up once nothing more has happened to it for this long: most writers are done by then. */
export const SETTLE_MS = 150;
/** It is taken up after this time even if it never settles, e.g. a log that is written all the time. */
export const DELAY_MAX_MS = 2_000;
/**
 * More keys than this are not worth telling apart, as after a change of branches: everything is looked at instead. It
 * also bounds what is held, and a burst that overflows the system's own queue (16,384 events on Linux) always leaves more.
 */
export const KEYS_MAX = 1_000;

/** What is to be looked at: some keys with all below them, or everything. */
export interface Batch {
  /** Undefined: everything. */
  readonly keys?: readonly string[];
  /** When the first of its changes was noticed. */
  readonly sinceMs: number;
}

interface Pending {
  readonly firstMs: number;
  lastMs: number;
}

/** Gathers hints about what changed until they are worth a refresh. Times are milliseconds of one clock. */
export class ChangeQueue {
  readonly #pending = new Map<string, Pending>();
  #everything: Pending | undefined;
  readonly #onChange: () => void;

  /** `onChange` is called after every hint. */
  constructor(onChange: () => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** Something happened to this item, or to something below it. */
  add(key: string, nowMs: number): void {
    if (this.#everything === undefined && !this.#pending.has(key) && this.#pending.size >= KEYS_MAX) {
      this.addEverything(nowMs);
      return;
    }
    if (this.#everything === undefined) note(this.#pending.get(key), nowMs, (made) => this.#pending.set(key, made));
    else this.#everything.lastMs = nowMs;
    this.#onChange();
  }

  /** Something happened, and nobody knows where. */
  addEverything(nowMs: number): void {
    let firstMs = this.#everything?.firstMs ?? nowMs;
    for (const pending of this.#pending.values()) firstMs = Math.min(firstMs, pending.firstMs);
    this.#pending.clear();
    this.#everything = { firstMs, lastMs: nowMs };
    this.#onChange();
  }

  /** Puts back what was taken and not done. */
  restore({ keys, sinceMs }: Batch): void {
    if (keys === undefined || this.#everything !== undefined || this.#pending.size + keys.length > KEYS_MAX) {
      this.addEverything(sinceMs);
      return;
    }
    for (const key of keys) {
      const lastMs = Math.max(sinceMs, this.#pending.get(key)?.lastMs ?? 0);
      this.#pending.set(key, { firstMs: sinceMs, lastMs });
    }
  }

  /** When `take` next has something to give; undefined where nothing waits. */
  get dueMs(): number | undefined {
    let due = this.#everything && dueOf(this.#everything);
    for (const pending of this.#pending.values()) due = Math.min(due ?? Number.POSITIVE_INFINITY, dueOf(pending));
    return due;
  }

  /** Everything that waits, due or not. Undefined where nothing does. */
  takeAll(): Pick<Batch, "sinceMs"> | undefined {
    const all = this.#everything === undefined ? [...this.#pending.values()] : [this.#everything];
    this.#everything = undefined;
    this.#pending.clear();
    return all.length === 0 ? undefined : { sinceMs: Math.min(...all.map(({ firstMs }) => firstMs)) };
  }

  /** What is due; the rest waits on. Undefined where nothing is. */
  take(nowMs: number): Batch | undefined {
    const everything = this.#everything;
    if (everything !== undefined) {
      if (dueOf(everything) > nowMs) return undefined;
      this.#everything = undefined;
      return { sinceMs: everything.firstMs };
    }
    const keys: string[] = [];
    let sinceMs = nowMs;
    for (const [key, pending] of this.#pending) {
      if (dueOf(pending) > nowMs) continue;
      this.#pending.delete(key);
      keys.push(key);
      sinceMs = Math.min(sinceMs, pending.firstMs);
    }
    return keys.length === 0 ? undefined : { keys, sinceMs };
  }
}

function note(known: Pending | undefined, nowMs: number, keep: (made: Pending) => void): void {
  if (known === undefined) keep({ firstMs: nowMs, lastMs: nowMs });
  else known.lastMs = nowMs;
}

function dueOf({ firstMs, lastMs }: Pending): number {
  return Math.min(lastMs + SETTLE_MS, firstMs + DELAY_MAX_MS);
}
