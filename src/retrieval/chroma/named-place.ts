import { WinnowError } from "../../core/errors.ts";
import type { ChromaCollection } from "./collection.ts";
import type { ChromaConnection } from "./connection.ts";

/**
 * A connection to a server that we started on a directory: what fails names the directory, which the user knows, and not
 * the server's address, which nobody chose.
 */
export function namedAfter(connection: ChromaConnection, address: string, place: string): ChromaConnection {
  const told = <T>(work: Promise<T>): Promise<T> => toldOf(work, address, place);
  const opened = async (work: Promise<ChromaCollection>): Promise<ChromaCollection> =>
    collectionOf(await told(work), told);
  return {
    address: connection.address,
    tenant: connection.tenant,
    database: connection.database,
    version: connection.version,
    cloud: connection.cloud,
    notices: connection.notices,
    collections: (signal) => told(connection.collections(signal)),
    collection: (name, signal) => opened(connection.collection(name, signal)),
    createCollection: (options, signal) => opened(connection.createCollection(options, signal)),
    deleteCollection: (name, signal) => told(connection.deleteCollection(name, signal)),
  };
}

/** The same work; an error that names the address names the place instead. */
export async function toldOf<T>(work: Promise<T>, address: string, place: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!WinnowError.isInstance(error) || !error.message.includes(address)) throw error;
    const { code, message, hint, retryable } = error;
    throw new WinnowError(code, message.replaceAll(address, place), {
      retryable,
      cause: error,
      ...(hint === undefined ? {} : { hint: hint.replaceAll(address, place) }),
    });
  }
}

function collectionOf(collection: ChromaCollection, told: <T>(work: Promise<T>) => Promise<T>): ChromaCollection {
  return {
    get info() {
      return collection.info;
    },
    count: (signal) => told(collection.count(signal)),
    get: (query) => told(collection.get(query)),
    query: (query) => told(collection.query(query)),
    search: (search) => told(collection.search(search)),
    upsert: (records, signal) => told(collection.upsert(records, signal)),
    delete: (ids, signal) => told(collection.delete(ids, signal)),
    describe: (metadata, signal) => told(collection.describe(metadata, signal)),
    deleteWhere: (where, signal) => told(collection.deleteWhere(where, signal)),
  };
}
