import type { Connection } from "@lancedb/lancedb";
import { isAddress } from "../../../core/address.ts";
import { systemClock } from "../../../core/clock.ts";
import type { Store, StoreReader, StoreVersion, StoreWriter } from "../store.ts";
import { guarded } from "./lance-errors.ts";
import { LanceReader } from "./lance-reader.ts";
import { chunkSchema } from "./lance-rows.ts";
import { createIndexes, LanceWriter } from "./lance-writer.ts";
import { loadLance } from "./load-lance.ts";

/**
 * Rows that may wait outside the index before the store is not ready. Measured with chunks of 330 words among 40,000:
 * with up to 4 such rows a query takes 1.1 to 1.2 times as long, with 8 1.24, with 64 1.5, with 1,000 13 times.
 */
export const UNINDEXED_ROWS_MAX = 4;

export interface LanceStoreOptions {
  /** Folder or object-store address that holds the tables. Created by the first write. */
  readonly folder: string;
  /** Numbers in a vector; without it rows have no vectors. */
  readonly vectorDimension?: number;
  readonly now?: () => number;
}

/**
 * The embedded default: BM25, vectors and filters in one folder. Lexical exclusion by over-fetching (measured faster
 * than a native condition), dense exclusion native; dense search is exhaustive. The native library is loaded by the
 * first call.
 */
export function lanceStore(options: LanceStoreOptions): Store {
  const { folder, vectorDimension, now = systemClock.now } = options;
  let connection: Promise<Connection> | undefined;
  const connect = (): Promise<Connection> => {
    connection ??= guarded("opening", async () => (await loadLance()).connect(folder));
    return connection;
  };
  const writerOf = async (name: string, committed: number | undefined, restore: boolean): Promise<StoreWriter> => {
    const database = await connect();
    return guarded("opening for writing", async () => {
      const table = await database.openTable(name);
      if (committed !== undefined && restore && (await table.version()) !== committed) {
        await table.checkout(committed);
        await table.restore();
      }
      const schema = await chunkSchema(vectorDimension);
      return new LanceWriter(
        { folder: isAddress(folder) ? undefined : folder, name, table, schema, vectorDimension, now },
        committed,
      );
    });
  };

  return {
    async openReader(at: StoreVersion): Promise<StoreReader> {
      const database = await connect();
      return guarded("opening", async () => {
        const table = await database.openTable(at.table);
        await table.checkout(at.version);
        return new LanceReader(table, vectorDimension);
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
