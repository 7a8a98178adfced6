import { availableParallelism } from "node:os";
import type { Connection } from "@lancedb/lancedb";
import { isAddress } from "../../../core/address.ts";
import { systemClock } from "../../../core/clock.ts";
import { Gate } from "../../../core/gate.ts";
import { inTurns } from "../in-turns.ts";
import type { Store, StoreReader, StoreVersion, StoreWriter } from "../store.ts";
import { guarded } from "./lance-errors.ts";
import { LanceReader } from "./lance-reader.ts";
import { chunkSchema } from "./lance-rows.ts";
import { createIndexes, LanceWriter } from "./lance-writer.ts";
import { loadLance } from "./load-lance.ts";
import { checkPlainVersions } from "./plain-versions.ts";
import { VECTOR_INDEX_ROWS_MIN } from "./vector-index.ts";

const UNINDEXED_ROWS_MIN = 4;
const UNINDEXED_ROWS_WATCHED_MIN = 64;
const ROWS_PER_UNINDEXED_ROW = 10_000;

/**
 * Rows that may wait outside the index before the store is not ready. Measured with chunks of 330 words among 40,000:
 * with up to 4 such rows a query takes 1.1 to 1.2 times as long, with 8 1.24, with 64 1.5, with 1,000 13 times. A
 * larger table may have more: its queries take longer without them, and indexing them writes the whole table anew.
 */
export function unindexedRowsMax(rows: number): number {
  return Math.max(UNINDEXED_ROWS_MIN, Math.floor(rows / ROWS_PER_UNINDEXED_ROW));
}

/**
 * Rows that a watch lets wait under continuous change, since bringing any number of them in costs eight times what a
 * small commit does; once nothing has changed for a moment it goes down to the other limit.
 */
export function unindexedRowsWatched(rows: number): number {
  return Math.max(UNINDEXED_ROWS_WATCHED_MIN, unindexedRowsMax(rows));
}

/**
 * Turns that the library is given at once in this process, each one query with its halves. It takes any number, and each one that it has begun holds
 * its memory until it ends: with 1,000 hybrid queries at once it took 3.7 GB and did half as many a second as with 8;
 * behind this gate 0.5 GB, and as many a second as ever.
 */
const LOCAL_QUERIES = new Gate({ runningMax: 2 * availableParallelism() });
/** For data behind a network, where a query mostly waits. */
const REMOTE_QUERIES = new Gate({ runningMax: 32 });

export interface LanceStoreOptions {
  /** Folder or object-store address that holds the tables. Created by the first write. */
  readonly folder: string;
  /** Numbers in a vector; without it rows have no vectors. */
  readonly vectorDimension?: number;
  /** Rows with a vector from which on they are indexed, default `VECTOR_INDEX_ROWS_MIN`. */
  readonly vectorIndexRows?: number;
  readonly now?: () => number;
}

/**
 * The embedded default: BM25, vectors and filters in one folder. Lexical exclusion by over-fetching (measured faster
 * than a native condition), dense exclusion native; dense search is exhaustive, with an index of the vectors or without.
 * The native library is loaded by the first call.
 */
export function lanceStore(options: LanceStoreOptions): Store {
  const { folder, vectorDimension, vectorIndexRows = VECTOR_INDEX_ROWS_MIN, now = systemClock.now } = options;
  let connection: Promise<Connection> | undefined;
  const connect = (): Promise<Connection> => {
    connection ??= guarded("opening", async () => (await loadLance()).connect(folder));
    return connection;
  };
  const checkLocal = async (name: string): Promise<void> => {
    if (!isAddress(folder)) await checkPlainVersions(folder, name);
  };
  const writerOf = async (name: string, committed: number | undefined, restore: boolean): Promise<StoreWriter> => {
    const database = await connect();
    return guarded("opening for writing", async () => {
      await checkLocal(name);
      const table = await database.openTable(name);
      if (committed !== undefined && restore && (await table.version()) !== committed) {
        await table.checkout(committed);
        await table.restore();
      }
      const local = isAddress(folder) ? undefined : folder;
      return new LanceWriter({ folder: local, name, table, vectorDimension, vectorIndexRows, now }, committed);
    });
  };

  return {
    async openReader(at: StoreVersion): Promise<StoreReader> {
      const database = await connect();
      return guarded("opening", async () => {
        await checkLocal(at.table);
        const table = await database.openTable(at.table);
        await table.checkout(at.version);
        return inTurns(
          new LanceReader(table, vectorDimension),
          folder.includes("://") ? REMOTE_QUERIES : LOCAL_QUERIES,
        );
      });
    },
    openWriter: (at) => writerOf(at.table, at.version, true),
    async createWriter(name) {
      const database = await connect();
      await guarded("creating", async () => {
        const table = await database.createEmptyTable(name, await chunkSchema(vectorDimension), { mode: "overwrite" });
        await createIndexes(table);
        table.close();
      });
      return writerOf(name, undefined, false);
    },
    async dropOtherTables(name) {
      const database = await connect();
      await guarded("dropping", async () => {
        for (const other of await database.tableNames()) {
          if (other !== name) await database.dropTable(other);
        }
      });
    },
    async close() {
      const open = await connection?.catch(() => undefined);
      connection = undefined;
      open?.close();
    },
  };
}
