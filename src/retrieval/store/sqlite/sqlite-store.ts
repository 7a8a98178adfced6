import { join } from "node:path";
import type { Store, StoreReader, StoreVersion, StoreWriter } from "../store.ts";
import { RowSet } from "./row-set.ts";
import type { LiveSegment } from "./segment.ts";
import { SegmentPool } from "./segment-pool.ts";
import { guarded, guardedWrite } from "./sqlite-errors.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { SqliteWriter } from "./sqlite-writer.ts";
import { removeOtherTables, type SegmentEntry, TableFiles } from "./table-files.ts";

export interface SqliteStoreOptions {
  /** Folder that holds the tables, created by the first write. Readers need to be able to write to it too. */
  readonly folder: string;
  /** Numbers in a vector; without it rows have no vectors. */
  readonly vectorDimension?: number;
  readonly now?: () => number;
}

/**
 * A store that needs nothing native: SQLite compiled to WebAssembly keeps segments of rows with their postings and
 * vectors, BM25 and cosine are computed here, both exactly. Segments never change, so that any number of processes reads
 * while one writes. For platforms without a Lance binary and for corpora of up to some 100,000 chunks; a query works
 * synchronously.
 */
export function sqliteStore({ folder, vectorDimension, now }: SqliteStoreOptions): Store {
  const pool = new SegmentPool();
  const filesOf = (table: string) => new TableFiles(join(folder, table));
  const openVersion = async (at: StoreVersion): Promise<readonly LiveSegment[]> => {
    const files = filesOf(at.table);
    const opened: LiveSegment[] = [];
    try {
      for (const entry of await files.readVersion(at.version)) opened.push(await openSegment(pool, files, entry));
      return opened;
    } catch (error) {
      for (const { name } of opened) pool.release(files.pathOf(name));
      throw error;
    }
  };
  return {
    async openReader(at): Promise<StoreReader> {
      // The library makes a folder beside the file, so that even reading takes room.
      const live = await guardedWrite("opening", folder, () => openVersion(at));
      const files = filesOf(at.table);
      let closed = false;
      return new SqliteReader({
        lease: async () => ({ live, release: () => undefined }),
        vectorDimension,
        async close() {
          if (closed) return;
          closed = true;
          for (const { name } of live) pool.release(files.pathOf(name));
        },
      });
    },
    async openWriter(at): Promise<StoreWriter> {
      const files = filesOf(at.table);
      return guardedWrite("opening for writing", folder, async () => {
        const live = await openVersion(at);
        const versions = await files.versions();
        await files.removeVersions(versions.filter(({ version }) => version > at.version));
        await files.sweep([]);
        const nextSegment = await files.nextSegment();
        return new SqliteWriter({
          ...{ table: at.table, files, pool, vectorDimension, live, committed: at.version, nextSegment },
          ...(now && { now }),
        });
      });
    },
    async createWriter(table): Promise<StoreWriter> {
      const files = filesOf(table);
      return guardedWrite("creating", folder, async () => {
        await files.create();
        return new SqliteWriter({
          ...{ table, files, pool, vectorDimension, live: [], committed: 0, nextSegment: 1 },
          ...(now && { now }),
        });
      });
    },
    dropOtherTables: (table) => guarded("dropping", () => removeOtherTables(folder, table)),
    close: () => pool.close(),
  };
}

async function openSegment(pool: SegmentPool, files: TableFiles, entry: SegmentEntry): Promise<LiveSegment> {
  const path = files.pathOf(entry.name);
  const segment = await pool.acquire(path);
  if (segment.rows !== entry.rows) {
    pool.release(path);
    throw new Error(`Invalid segment: it holds ${segment.rows} rows instead of ${entry.rows}.`);
  }
  return { name: entry.name, segment, dead: RowSet.fromBase64(entry.rows, entry.dead) };
}
