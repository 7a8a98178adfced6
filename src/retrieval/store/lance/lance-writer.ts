import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Table as LanceTable } from "@lancedb/lancedb";
import type { StoreCounts, StoreReader, StoreRow, StoreVersion, StoreWriter } from "../store.ts";
import { guarded } from "./lance-errors.ts";
import { LanceReader } from "./lance-reader.ts";
import { TERMS_COLUMN, toTable } from "./lance-rows.ts";
import { loadLance } from "./load-lance.ts";
import { sqlIn } from "./sql.ts";
import { keepVectorIndex } from "./vector-index.ts";

/** Bytes. Terms are at most 64 units; the library drops what is longer than its limit without a word. */
const TOKEN_BYTES_MAX = 4_096;
/** Keys in one delete statement. */
const REMOVE_KEYS_MAX = 500;
/** Columns that rows are looked up by. */
const KEY_COLUMNS = ["id", "document"] as const;
const NEVER = new Date(0);
/** Calls of the library's `optimize` until nothing is left to merge; three are enough. */
const OPTIMIZE_CALLS_MAX = 5;
/**
 * The library takes an age and subtracts it from the clock only when it gets to deleting, so what it deletes is newer
 * than asked by the time that took. This is for the usual delay; against longer ones stands the tag.
 */
const CLEAN_UP_MARGIN_MS = 1_000;
/** The library refuses a clean-up that would delete a tagged version, as a whole. */
const COMMITTED_TAG = "committed";

export interface LanceWriterOptions {
  /** That holds the tables; undefined where it is not on this machine. */
  readonly folder: string | undefined;
  readonly name: string;
  readonly table: LanceTable;
  readonly vectorDimension: number | undefined;
  /** Rows with a vector from which on they are indexed. */
  readonly vectorIndexRows: number;
  readonly now: () => number;
}

/** Appends to the newest version of a table. Every native write makes a version of its own; `commit` names the last. */
export class LanceWriter implements StoreWriter {
  readonly #options: LanceWriterOptions;
  readonly #table: LanceTable;
  #committed: number | undefined;
  /** Nothing was written since parts were last merged. */
  #merged = false;

  constructor(options: LanceWriterOptions, committed: number | undefined) {
    this.#options = options;
    this.#table = options.table;
    this.#committed = committed;
  }

  async append(rows: readonly StoreRow[]): Promise<void> {
    if (rows.length === 0) return;
    this.#merged = false;
    await guarded("adding chunks", async () => {
      await this.#table.add(await toTable(rows, this.#options.vectorDimension));
    });
  }

  async remove(items: readonly string[]): Promise<void> {
    if (items.length > 0) this.#merged = false;
    for (let i = 0; i < items.length; i += REMOVE_KEYS_MAX) {
      const where = sqlIn("item", items.slice(i, i + REMOVE_KEYS_MAX));
      await guarded("removing chunks", () => this.#table.delete(where));
    }
  }

  async commit(): Promise<StoreVersion> {
    const version = await guarded("committing", async () => {
      const [current, tags] = await Promise.all([this.#table.version(), this.#table.tags()]);
      if (COMMITTED_TAG in (await tags.list())) await tags.update(COMMITTED_TAG, current);
      else await tags.create(COMMITTED_TAG, current);
      return current;
    });
    this.#committed = version;
    return { table: this.#options.name, version };
  }

  async optimize(): Promise<void> {
    await guarded("optimizing", async () => {
      // A call indexes new rows, and merges parts only if all of each were indexed before it: what the one call has
      // indexed the next one merges. Left undone, that would happen in `cleanUp`, after the commit, and be lost.
      for (let call = 1; call <= OPTIMIZE_CALLS_MAX; call++) {
        // Left to itself the library also deletes versions older than a week, the committed one among them.
        const { compaction } = await this.#table.optimize({ cleanupOlderThan: NEVER });
        if (call > 1 && compaction.fragmentsRemoved === 0) break;
      }
      const { vectorDimension, vectorIndexRows } = this.#options;
      if (vectorDimension !== undefined) await keepVectorIndex(this.#table, vectorIndexRows);
    });
    this.#merged = true;
  }

  /**
   * Nothing happens before parts were merged: the library knows no clean-up that does not merge them as well, the whole
   * table for a handful of new rows, and what it merges after the commit is lost. Until then there is little to free.
   */
  async cleanUp(ageMs: number): Promise<void> {
    if (!this.#merged) return;
    await guarded("cleaning up", async () => {
      const versions = await this.#table.listVersions();
      const committed = versions.find(({ version }) => version === this.#committed);
      if (committed === undefined) return;
      // Older than the committed version in any case, because a long run may have made it long ago.
      const latest = Math.min(this.#options.now() - ageMs, committed.timestamp.getTime());
      const cutoff = latest - CLEAN_UP_MARGIN_MS;
      if (!versions.some(({ timestamp }) => timestamp.getTime() < cutoff)) return;
      // Nobody else writes here, so what no version names is what a killed writer left; else it would stay for a week.
      await this.#table.optimize({ cleanupOlderThan: new Date(cutoff), deleteUnverified: true });
      await removeEmptyFolders(this.#options.folder, this.#options.name);
    });
  }

  async counts(): Promise<StoreCounts> {
    return new LanceReader(this.#table, this.#options.vectorDimension).counts();
  }

  reader(): StoreReader {
    return new LanceReader(this.#table, this.#options.vectorDimension);
  }

  async close(): Promise<void> {
    this.#table.close();
  }
}

/** Of an index that is gone the library leaves the folder: three with every refresh. What still holds a file stays. */
async function removeEmptyFolders(storeFolder: string | undefined, name: string): Promise<void> {
  if (storeFolder === undefined) return;
  const indexes = join(storeFolder, `${name}.lance`, "_indices");
  const folders = await readdir(indexes).catch((): string[] => []);
  for (const folder of folders) await rmdir(join(indexes, folder)).catch(() => undefined);
}

/**
 * Terms come analysed, one space between them: the index must split at white space and change nothing. Positions are
 * only for phrases. Made before the first row, because a search without it ignores the settings.
 */
export async function createIndexes(table: LanceTable): Promise<void> {
  const { Index } = await loadLance();
  const config = Index.fts({
    baseTokenizer: "whitespace",
    withPosition: false,
    lowercase: false,
    stem: false,
    removeStopWords: false,
    asciiFolding: false,
    maxTokenLength: TOKEN_BYTES_MAX,
  });
  await table.createIndex(TERMS_COLUMN, { config });
  for (const column of KEY_COLUMNS) await table.createIndex(column, { config: Index.btree() });
}
