import { WinnowError } from "../core/errors.ts";
import { type ChromaHit, type ChromaSearch, similarity } from "../retrieval/chroma/cloud-search.ts";
import type {
  ChromaCollection,
  ChromaGet,
  ChromaMatch,
  ChromaQuery,
  ChromaRecord,
  ChromaWrite,
  CollectionInfo,
} from "../retrieval/chroma/collection.ts";
import type { ChromaConnection } from "../retrieval/chroma/connection.ts";
import type { ChromaPlace } from "../retrieval/chroma/place.ts";

const PAGE_DEFAULT = 1_000_000;

/** A record as a test writes it; what it leaves out is null. */
export type MemoryRecord = Pick<ChromaRecord, "id"> & Partial<ChromaRecord>;

/**
 * A collection in memory, answering as a server does: records in the order of their writing, exact nearness. `calls`
 * holds what was asked; `before` runs ahead of every call, to change the collection or to fail.
 */
export class MemoryCollection implements ChromaCollection {
  info: CollectionInfo;
  readonly calls: { readonly method: string; readonly query: Partial<ChromaGet> }[] = [];
  before: (method: string) => void = () => undefined;
  readonly #records: Map<string, ChromaRecord>;

  constructor(info: Partial<CollectionInfo> & Pick<CollectionInfo, "name">, records: readonly MemoryRecord[] = []) {
    this.info = {
      id: `id-${info.name}`,
      ...{ dimension: null, metadata: {}, embeddingFunction: null, space: "l2", wordIndex: null },
      ...info,
    };
    this.#records = new Map();
    this.put(records);
  }

  put(records: readonly MemoryRecord[]): void {
    for (const record of records) {
      this.#records.set(record.id, { document: null, metadata: null, embedding: null, ...record });
    }
  }

  remove(id: string): void {
    this.#records.delete(id);
  }

  async count(): Promise<number> {
    this.#called("count", {});
    return this.#records.size;
  }

  async get(query: ChromaGet): Promise<readonly ChromaRecord[]> {
    this.#called("get", query);
    query.signal?.throwIfAborted();
    const { ids, include, offset = 0, limit = PAGE_DEFAULT } = query;
    const wanted = ids === undefined ? undefined : new Set(ids);
    const found = [...this.#records.values()].filter(({ id }) => wanted?.has(id) !== false);
    return found.slice(offset, offset + limit).map((record) => ({
      id: record.id,
      document: include.includes("documents") ? record.document : null,
      metadata: include.includes("metadatas") ? record.metadata : null,
      embedding: include.includes("embeddings") ? record.embedding : null,
    }));
  }

  async query({ vector, limit, ids }: ChromaQuery): Promise<readonly ChromaMatch[]> {
    this.#called("query", { limit, ...(ids === undefined ? {} : { ids }) });
    const wanted = ids === undefined ? undefined : new Set(ids);
    return [...this.#records.values()]
      .flatMap(({ id, embedding }) =>
        embedding === null || wanted?.has(id) === false ? [] : [{ id, distance: squaredDistance(embedding, vector) }],
      )
      .sort((a, b) => a.distance - b.distance)
      .slice(0, limit)
      .map(({ id, distance }) => ({ id, distance, document: null, metadata: null }));
  }

  async search(search: ChromaSearch): Promise<readonly ChromaHit[]> {
    const matches = await this.query(search);
    return matches.map(({ id, distance }) => ({ id, score: similarity(distance, this.info.space) }));
  }

  async upsert(records: readonly ChromaWrite[]): Promise<void> {
    this.#called("upsert", { ids: records.map(({ id }) => id) });
    this.put(records.map((record) => ({ ...record, embedding: Array.from(record.embedding) })));
  }

  async delete(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#records.delete(id);
  }

  async describe(metadata: CollectionInfo["metadata"]): Promise<void> {
    this.#called("describe", {});
    this.info = { ...this.info, metadata };
  }

  async deleteWhere(): Promise<void> {
    throw new WinnowError("internal", "A collection in memory knows no filters.");
  }

  #called(method: string, query: Partial<ChromaGet>): void {
    this.calls.push({ method, query });
    this.before(method);
  }
}

/** A server where collections can be made and deleted; `collections` holds them by name. */
export function memoryServer(collections: Map<string, MemoryCollection>): ChromaConnection {
  return {
    ...memoryChroma([]).connection,
    collections: async () => [...collections.values()].map(({ info }) => info),
    async collection(name) {
      return memoryChroma([...collections.values()]).connection.collection(name);
    },
    async createCollection({ name, space, metadata = {} }) {
      const made = new MemoryCollection({ name, space, metadata });
      collections.set(name, made);
      return made;
    },
    async deleteCollection(name) {
      collections.delete(name);
    },
  };
}

/** A server that holds these collections. */
export function memoryChroma(collections: readonly MemoryCollection[]): ChromaPlace {
  const refused = async (): Promise<never> => {
    throw new WinnowError("internal", "Collections in memory are given, not made.");
  };
  const connection: ChromaConnection = {
    address: "memory",
    tenant: "default_tenant",
    database: "default_database",
    version: "1.0.0",
    cloud: false,
    notices: [],
    collections: async () => collections.map(({ info }) => info),
    async collection(name) {
      const found = collections.find(({ info }) => info.name === name);
      if (found === undefined) throw new WinnowError("corpus_not_found", `There is no collection ${name}.`);
      return found;
    },
    createCollection: refused,
    deleteCollection: refused,
  };
  return { connection, notices: [], close: async () => undefined };
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return sum;
}
