import { WinnowError } from "../../../core/errors.ts";
import type { ChromaConnection } from "../../chroma/connection.ts";
import type { Store, StoreReader, StoreVersion, StoreWriter } from "../store.ts";
import { ChromaReader, type TableCollection } from "./chroma-reader.ts";
import { ChromaWriter } from "./chroma-writer.ts";

/** Names in a collection's own metadata that it is ours, and for which store. */
const OWNER_KEY = "winnow:store";
/** Looks so far that HNSW is nearly exact; at the server's own 100 it misses neighbours. */
export const SEARCH_WIDTH = 1_000;

export interface ChromaStoreOptions {
  /** Keeps the rows and their words beside the server; without vectors. Closed with this store. */
  readonly words: Store;
  /** Reaches the server, at the first need. */
  readonly connect: () => Promise<ChromaConnection>;
  /** What the collections' names begin with; each table has a collection of its own. */
  readonly name: string;
  readonly vectorDimension: number;
  readonly cloud?: boolean;
}

/**
 * Vectors in a Chroma server, words in a store beside it. What a version holds is what the words hold: a record is
 * written before its row and deleted after it, and one without a row is passed over. Against Cloud it is untested.
 */
export function chromaStore(options: ChromaStoreOptions): Store {
  const { words, name, vectorDimension, cloud = false } = options;
  let connecting: Promise<ChromaConnection> | undefined;
  const connect = (): Promise<ChromaConnection> => {
    connecting ??= options.connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };
  const collectionName = (table: string): string => `${name}-${table}`;
  const opener = (table: string) => once(() => openTable(connect, collectionName(table), name));
  const writerOf = (inner: StoreWriter, open: () => Promise<TableCollection>): StoreWriter =>
    new ChromaWriter({ words: inner, open, vectorDimension, cloud });
  return {
    async openReader(at: StoreVersion): Promise<StoreReader> {
      const reader = await words.openReader(at);
      return new ChromaReader({ words: reader, vectorDimension, open: opener(at.table), cloud });
    },
    async openWriter(at): Promise<StoreWriter> {
      const inner = await words.openWriter(at);
      return writerOf(inner, opener(at.table));
    },
    async createWriter(table): Promise<StoreWriter> {
      const connection = await connect();
      await dropCollection(connection, collectionName(table), name);
      const collection = await connection.createCollection({
        name: collectionName(table),
        space: "l2",
        searchWidth: SEARCH_WIDTH,
        metadata: { [OWNER_KEY]: name },
      });
      const open = async (): Promise<TableCollection> => ({ collection, cloud: connection.cloud });
      return writerOf(await words.createWriter(table), open);
    },
    async dropOtherTables(table) {
      await words.dropOtherTables(table);
      const connection = await connect();
      for (const { name: other, metadata } of await connection.collections()) {
        const isOurs = metadata[OWNER_KEY] === name;
        if (isOurs && other !== collectionName(table)) await connection.deleteCollection(other);
      }
    },
    close: () => words.close(),
  };
}

async function openTable(
  connect: () => Promise<ChromaConnection>,
  collectionName: string,
  owner: string,
): Promise<TableCollection> {
  const connection = await connect();
  try {
    const collection = await connection.collection(collectionName);
    if (collection.info.metadata[OWNER_KEY] !== owner) throw notOurs(collectionName);
    return { collection, cloud: connection.cloud };
  } catch (error) {
    if (!WinnowError.isInstance(error) || error.code !== "corpus_not_found") throw error;
    throw new WinnowError("corpus_corrupt", `The vectors of the index are gone: ${error.message}`, {
      hint: "Run `winnow index --rebuild` to build the index anew from its sources.",
      cause: error,
    });
  }
}

/** Rejects with `store_failed` where a collection of that name is somebody else's. */
async function dropCollection(connection: ChromaConnection, collectionName: string, owner: string): Promise<void> {
  const found = (await connection.collections()).find((one) => one.name === collectionName);
  if (found === undefined) return;
  if (found.metadata[OWNER_KEY] !== owner) throw notOurs(collectionName);
  await connection.deleteCollection(collectionName);
}

function notOurs(name: string): WinnowError {
  return new WinnowError("store_failed", `The collection ${name} is there already, and not of this index.`, {
    hint: "Give the index another name on the server.",
  });
}

function once<T>(create: () => Promise<T>): () => Promise<T> {
  let created: Promise<T> | undefined;
  return () => {
    created ??= create().catch((error: unknown) => {
      created = undefined;
      throw error;
    });
    return created;
  };
}
