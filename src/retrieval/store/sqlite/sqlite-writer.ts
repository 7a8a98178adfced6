import { systemClock } from "../../../core/clock.ts";
import { WinnowError } from "../../../core/errors.ts";
import type { StoreCounts, StoreReader, StoreRow, StoreVersion, StoreWriter } from "../store.ts";
import { numberAt } from "./row-codec.ts";
import { RowSet } from "./row-set.ts";
import { type LiveSegment, liveRows } from "./segment.ts";
import { mergeSegments, writeSegment } from "./segment-builder.ts";
import type { SegmentPool } from "./segment-pool.ts";
import { guarded, guardedWrite } from "./sqlite-errors.ts";
import { type Lease, SqliteReader } from "./sqlite-reader.ts";
import type { SegmentEntry, TableFiles, VersionFile } from "./table-files.ts";

/** Rows that are held before they become a segment. */
const PENDING_ROWS_MAX = 2_000;
/** Segments of about one size become one when there are so many: every row is rewritten once for each size. */
const SEGMENTS_PER_SIZE_MAX = 6;
const SIZE_RATIO = 6;

export interface SqliteWriterOptions {
  readonly table: string;
  readonly files: TableFiles;
  readonly pool: SegmentPool;
  readonly vectorDimension: number | undefined;
  readonly live: readonly LiveSegment[];
  /** 0 before the first commit. */
  readonly committed: number;
  readonly nextSegment: number;
  readonly now?: () => number;
}

/** Adds segments to a table. Its calls, and those of its readers, run one after the other. */
export class SqliteWriter implements StoreWriter {
  readonly #options: SqliteWriterOptions;
  #live: readonly LiveSegment[];
  #pending: StoreRow[] = [];
  #committed: number;
  #nextSegment: number;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: SqliteWriterOptions) {
    this.#options = options;
    this.#live = options.live;
    this.#committed = options.committed;
    this.#nextSegment = options.nextSegment;
  }

  #write<T>(doing: string, work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => {
      if (this.#closed) throw new WinnowError("internal", "The writer is closed.");
      return guardedWrite(doing, this.#options.files.folder, work);
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  append(rows: readonly StoreRow[]): Promise<void> {
    return this.#write("adding chunks", async () => {
      for (const row of rows) this.#pending.push(row);
      if (this.#pending.length >= PENDING_ROWS_MAX) await this.#flush();
    });
  }

  remove(items: readonly string[]): Promise<void> {
    return this.#write("removing chunks", async () => {
      const removed = new Set(items);
      this.#pending = this.#pending.filter(({ item }) => !removed.has(item));
      this.#live = this.#live.map((one) => {
        const rows = [...removed].flatMap((item) => one.segment.lookUp("item", item, "item"));
        const fresh = rows.map((row) => numberAt(row, "n")).filter((n) => !one.dead.has(n));
        return fresh.length === 0 ? one : { ...one, dead: one.dead.with(fresh) };
      });
    });
  }

  commit(): Promise<StoreVersion> {
    return this.#write("committing", async () => {
      await this.#flush();
      const { files, table } = this.#options;
      const version = this.#committed + 1;
      const segments = await Promise.all(this.#live.map((one) => this.#entryOf(one)));
      await files.writeVersion(version, segments);
      this.#committed = version;
      return { table, version };
    });
  }

  async #entryOf({ name, segment, dead }: LiveSegment): Promise<SegmentEntry> {
    const bytes = (await this.#options.files.bytesOf(name)) ?? 0;
    return { name, bytes, rows: segment.rows, dead: dead.toBase64() };
  }

  /** One segment without a removed row. */
  optimize(): Promise<void> {
    return this.#write("optimizing", async () => {
      await this.#flush();
      const isOne = this.#live.length <= 1 && this.#live.every(({ dead }) => dead.size === 0);
      if (!isOne) await this.#merge(this.#live);
    });
  }

  cleanUp(ageMs: number): Promise<void> {
    return this.#write("cleaning up", async () => {
      const { files, now = systemClock.now } = this.#options;
      const cutoff = now() - ageMs;
      const isOld = ({ version, modifiedMs }: VersionFile) => version < this.#committed && modifiedMs <= cutoff;
      const old = (await files.versions()).filter(isOld);
      if (old.length === 0) return;
      await files.removeVersions(old);
      await files.sweep(this.#live.map(({ name }) => name));
    });
  }

  counts(): Promise<StoreCounts> {
    return this.#write("counting", async () => ({
      chunks: this.#pending.length + this.#live.reduce((sum, one) => sum + liveRows(one), 0),
      unindexed: 0,
    }));
  }

  reader(): StoreReader {
    return new SqliteReader({
      lease: () => this.#lease(),
      vectorDimension: this.#options.vectorDimension,
      close: async () => undefined,
    });
  }

  #lease(): Promise<Lease> {
    return this.#write("reading", async () => {
      await this.#flush();
      const { files, pool } = this.#options;
      const live = this.#live;
      const paths = live.map(({ name }) => files.pathOf(name));
      for (const path of paths) pool.retain(path);
      const release = (): void => {
        for (const path of paths) pool.release(path);
      };
      return { live, release };
    });
  }

  async #flush(): Promise<void> {
    const rows = this.#pending;
    if (rows.length > 0) {
      const { vectorDimension = 0 } = this.#options;
      this.#live = [...this.#live, await this.#added((path) => writeSegment(path, rows, vectorDimension))];
      this.#pending = [];
    }
    await this.#mergeBySize();
  }

  /** Like sizes lie together: a segment is merged with those that are at most `SIZE_RATIO` times as large. */
  async #mergeBySize(): Promise<void> {
    for (;;) {
      const bySize = [...this.#live].sort((a, b) => liveRows(a) - liveRows(b));
      const start = bySize.findIndex((one, i) => {
        const last = bySize[i + SEGMENTS_PER_SIZE_MAX - 1];
        return last !== undefined && liveRows(last) <= SIZE_RATIO * Math.max(1, liveRows(one));
      });
      if (start < 0) return;
      const merged = new Set(bySize.slice(start, start + SEGMENTS_PER_SIZE_MAX));
      await this.#merge(this.#live.filter((one) => merged.has(one)));
    }
  }

  async #merge(sources: readonly LiveSegment[]): Promise<void> {
    const { vectorDimension = 0, files, pool } = this.#options;
    const rest = this.#live.filter((one) => !sources.includes(one));
    const holdsRows = sources.some((one) => liveRows(one) > 0);
    const merged = holdsRows ? [await this.#added((path) => mergeSegments(path, sources, vectorDimension))] : [];
    this.#live = [...rest, ...merged];
    for (const { name } of sources) pool.release(files.pathOf(name));
  }

  async #added(write: (path: string) => Promise<void>): Promise<LiveSegment> {
    const { files, pool } = this.#options;
    const name = `${this.#nextSegment++}.db`;
    await write(files.pathOf(name));
    const segment = await pool.acquire(files.pathOf(name));
    return { name, segment, dead: new RowSet(segment.rows) };
  }

  async close(): Promise<void> {
    await this.#last;
    if (this.#closed) return;
    this.#closed = true;
    const { files, pool } = this.#options;
    await guarded("closing", () => {
      for (const { name } of this.#live) pool.release(files.pathOf(name));
    });
  }
}
