/** Where indexing stands. Counts grow, except that `phase` moves on. */
export interface IndexProgress {
  readonly phase: "listing" | "reading" | "optimizing" | "done";
  readonly itemsDone: number;
  /** Known once listing has ended; before that, what was listed so far. */
  readonly itemsTotal: number;
  readonly documents: number;
  readonly chunks: number;
  /** UTF-8 bytes of the texts indexed by this run, and how many a second since reading began. */
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly failed: number;
}

export interface ItemFailure {
  readonly key: string;
  readonly message: string;
}

/** What a run of indexing did. Counts are of source items, e.g. files, unless they say otherwise. */
export interface IndexSummary {
  /** The generation that holds the result; the one before when nothing changed. */
  readonly generation: number;
  readonly added: number;
  readonly changed: number;
  /** Found under another key with the same content; counted neither as added nor as removed. */
  readonly renamed: number;
  readonly removed: number;
  readonly unchanged: number;
  /** By reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly failed: number;
  /** The first failures. */
  readonly failures: readonly ItemFailure[];
  /** Of the whole corpus. */
  readonly documents: number;
  readonly chunks: number;
  /** Secrets that were replaced before anything was kept, by kind; of the whole corpus. */
  readonly redacted: Readonly<Record<string, number>>;
  /** UTF-8 bytes of the texts indexed by this run. */
  readonly bytes: number;
  readonly seconds: number;
  /** Facts the caller should know, e.g. a known folder that is not there. */
  readonly notices: readonly string[];
}

/** What a corpus holds once it is committed. */
export type CorpusTotals = Pick<IndexSummary, "generation" | "documents" | "chunks" | "redacted">;

/** Sums of what was replaced in items, by kind, the most frequent first. */
export function redactedIn(
  items: Iterable<{ readonly redacted?: Readonly<Record<string, number>> | undefined }>,
): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { redacted = {} } of items) {
    for (const [kind, count] of Object.entries(redacted)) sums.set(kind, (sums.get(kind) ?? 0) + count);
  }
  return Object.fromEntries([...sums].sort(([, a], [, b]) => b - a));
}

const FAILURES_KEPT_MAX = 20;

/** The running counts of one run. */
export class IndexTally {
  readonly #startedMs = performance.now();
  #readingMs: number | undefined;
  readonly addedHashes: (string | undefined)[] = [];
  readonly removedHashes: (string | undefined)[] = [];
  readonly skipped: Record<string, number> = {};
  readonly failures: ItemFailure[] = [];
  readonly notices: string[] = [];
  itemsDone = 0;
  itemsTotal = 0;
  changed = 0;
  unchanged = 0;
  failed = 0;
  documents = 0;
  chunks = 0;
  bytes = 0;

  beginReading(): void {
    this.#readingMs = performance.now();
  }

  skip(reason: string): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
  }

  fail(key: string, message: string): void {
    this.failed++;
    if (this.failures.length < FAILURES_KEPT_MAX) this.failures.push({ key, message });
  }

  progress(phase: IndexProgress["phase"]): IndexProgress {
    const seconds = this.#readingMs === undefined ? 0 : (performance.now() - this.#readingMs) / 1_000;
    const { itemsDone, itemsTotal, documents, chunks, bytes, unchanged, failed } = this;
    const skipped = Object.values(this.skipped).reduce((sum, count) => sum + count, 0);
    const bytesPerSecond = seconds > 0 ? Math.round(bytes / seconds) : 0;
    return { phase, itemsDone, itemsTotal, documents, chunks, bytes, bytesPerSecond, unchanged, skipped, failed };
  }

  summary(corpus: CorpusTotals): IndexSummary {
    const removed = new Map<string, number>();
    for (const hash of this.removedHashes) if (hash !== undefined) removed.set(hash, (removed.get(hash) ?? 0) + 1);
    let renamed = 0;
    for (const hash of this.addedHashes) {
      const left = hash === undefined ? 0 : (removed.get(hash) ?? 0);
      if (hash === undefined || left === 0) continue;
      removed.set(hash, left - 1);
      renamed++;
    }
    return {
      generation: corpus.generation,
      added: this.addedHashes.length - renamed,
      changed: this.changed,
      renamed,
      removed: this.removedHashes.length - renamed,
      unchanged: this.unchanged,
      skipped: this.skipped,
      failed: this.failed,
      failures: this.failures,
      documents: corpus.documents,
      chunks: corpus.chunks,
      redacted: corpus.redacted,
      bytes: this.bytes,
      seconds: (performance.now() - this.#startedMs) / 1_000,
      notices: this.notices,
    };
  }
}
