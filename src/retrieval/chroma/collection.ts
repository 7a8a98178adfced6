import type { z } from "zod/mini";
import {
  ANSWERS,
  type CollectionAnswer,
  checkRecords,
  type MetadataScalar,
  onlyAnswer,
  readAnswer,
} from "./answers.ts";
import {
  type ChromaHit,
  type ChromaSearch,
  SEARCH_ABSENT_STATUSES,
  searchBody,
  searchHits,
  similarity,
  type WordIndex,
  wordIndexOf,
  wordQuery,
} from "./cloud-search.ts";
import type { CallKind, ChromaWire } from "./wire.ts";

/** Values as they were stored: newer servers hold lists, Cloud also sparse vectors. */
export type ChromaMetadata = Readonly<Record<string, unknown>>;

/** A filter in Chroma's own language, see its documentation of `where`. */
export type ChromaWhere = Readonly<Record<string, unknown>>;

export type ChromaInclude = "documents" | "metadatas" | "embeddings" | "distances";

/** A stored record; parts that were not asked for, or that it lacks, are null. */
export interface ChromaRecord {
  readonly id: string;
  readonly document: string | null;
  readonly metadata: ChromaMetadata | null;
  readonly embedding: readonly number[] | null;
}

export interface ChromaMatch {
  readonly id: string;
  /** In the collection's space; smaller is nearer. */
  readonly distance: number;
  readonly document: string | null;
  readonly metadata: ChromaMetadata | null;
}

export interface ChromaGet {
  readonly ids?: readonly string[];
  readonly where?: ChromaWhere;
  readonly whereDocument?: ChromaWhere;
  readonly limit?: number;
  readonly offset?: number;
  readonly include: readonly Exclude<ChromaInclude, "distances">[];
  readonly signal?: AbortSignal | undefined;
}

export interface ChromaQuery {
  readonly vector: ArrayLike<number>;
  readonly limit: number;
  readonly ids?: readonly string[];
  readonly where?: ChromaWhere;
  readonly whereDocument?: ChromaWhere;
  readonly include?: readonly Exclude<ChromaInclude, "distances" | "embeddings">[];
  readonly signal?: AbortSignal | undefined;
}

/** A record to write. `embedding` is ours: no collection embeds anything for us. */
export interface ChromaWrite {
  readonly id: string;
  readonly document: string;
  readonly embedding: ArrayLike<number>;
  readonly metadata: Readonly<Record<string, MetadataScalar>>;
}

export interface CollectionInfo {
  readonly id: string;
  readonly name: string;
  /** Of its vectors; null before the first record. */
  readonly dimension: number | null;
  readonly metadata: ChromaMetadata;
  /** Name of the embedding function in its configuration (`default` is all-MiniLM-L6-v2); null where none is named. */
  readonly embeddingFunction: string | null;
  /** `l2` (squared), `cosine` or `ip`. */
  readonly space: string;
  /** Null where words are not indexed beside the vectors, which only Cloud does. */
  readonly wordIndex: WordIndex | null;
}

/** Records that one write holds at most, below what servers take; vectors as JSON are about 8 kB each. */
const WRITE_RECORDS_MAX = 1_000;
/** A read of at most so many records is a small one. */
const SMALL_READ_RECORDS = 50;

export function collectionInfo(answer: CollectionAnswer): CollectionInfo {
  const { configuration_json: configuration } = answer;
  const named = configuration?.embedding_function?.name;
  const legacySpace = answer.metadata?.["hnsw:space"];
  return {
    id: answer.id,
    name: answer.name,
    dimension: answer.dimension ?? null,
    metadata: answer.metadata ?? {},
    embeddingFunction: named ?? null,
    space:
      configuration?.hnsw?.space ??
      configuration?.spann?.space ??
      (typeof legacySpace === "string" ? legacySpace : "l2"),
    wordIndex: wordIndexOf(answer.schema),
  };
}

/**
 * One collection, addressed by its id: one that is deleted and made again under the same name is another. Rejects as
 * `ChromaWire` does; `corpus_not_found` means that the collection is gone.
 */
export interface ChromaCollection {
  readonly info: CollectionInfo;
  count(signal?: AbortSignal): Promise<number>;
  /** Records, each once, in the server's order, which paging by `offset` relies on: it is stable while nothing is written. */
  get(query: ChromaGet): Promise<readonly ChromaRecord[]>;
  /** The nearest records, nearest first. A vector of another dimension is refused by the server (`store_failed`). */
  query(query: ChromaQuery): Promise<readonly ChromaMatch[]>;
  /**
   * The best records for a question, best first: the nearest, on Cloud fused with those that hold its words where the
   * collection has an index of them. Asks as `query` does where the server knows nothing else.
   */
  search(search: ChromaSearch): Promise<readonly ChromaHit[]>;
  /** Writes records, replacing those with the same ids, in parts that the server takes. */
  upsert(records: readonly ChromaWrite[], signal?: AbortSignal): Promise<void>;
  delete(ids: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Replaces the collection's own metadata. */
  describe(metadata: Readonly<Record<string, MetadataScalar>>, signal?: AbortSignal): Promise<void>;
  /** Removes every record that the filter accepts. */
  deleteWhere(where: ChromaWhere, signal?: AbortSignal): Promise<void>;
}

export interface ServerCollectionOptions {
  readonly wire: ChromaWire;
  /** Of its database, encoded. */
  readonly path: string;
  readonly info: CollectionInfo;
  readonly recordsPerWriteMax: number;
  /** Whether the server is to be asked by the Search interface, as long as it has one. */
  readonly searches: boolean;
}

/** A collection on a server. */
export class ServerCollection implements ChromaCollection {
  readonly info: CollectionInfo;
  readonly #wire: ChromaWire;
  readonly #path: string;
  readonly #recordsPerWriteMax: number;
  #searches: boolean;

  constructor({ wire, path, info, recordsPerWriteMax, searches }: ServerCollectionOptions) {
    this.info = info;
    this.#wire = wire;
    this.#path = `${path}/collections/${encodeURIComponent(info.id)}`;
    this.#recordsPerWriteMax = Math.min(recordsPerWriteMax, WRITE_RECORDS_MAX);
    this.#searches = searches;
  }

  async count(signal?: AbortSignal): Promise<number> {
    return readAnswer(ANSWERS.count, await this.#wire.call({ method: "GET", path: `${this.#path}/count`, signal }));
  }

  async get({ signal, whereDocument, ...query }: ChromaGet): Promise<readonly ChromaRecord[]> {
    const body = { ...query, ...(whereDocument === undefined ? {} : { where_document: whereDocument }) };
    const { ids: asked, limit: rows = asked?.length ?? Number.POSITIVE_INFINITY } = query;
    const kind = rows <= SMALL_READ_RECORDS ? "small" : "page";
    const answer = await this.#post("get", body, ANSWERS.get, kind, signal);
    checkRecords(answer.ids, rows, Object.fromEntries(query.include.map((part) => [part, answer[part]])));
    return answer.ids.map((id, at) => ({
      id,
      document: answer.documents?.[at] ?? null,
      metadata: answer.metadatas?.[at] ?? null,
      embedding: answer.embeddings?.[at] ?? null,
    }));
  }

  async query(query: ChromaQuery): Promise<readonly ChromaMatch[]> {
    const { vector, limit, ids, where, whereDocument, include = [], signal } = query;
    const body = {
      query_embeddings: [Array.from(vector)],
      n_results: limit,
      include: ["distances", ...include],
      ...(ids === undefined ? {} : { ids }),
      ...(where === undefined ? {} : { where }),
      ...(whereDocument === undefined ? {} : { where_document: whereDocument }),
    };
    const answer = await this.#post("query", body, ANSWERS.query, "query", signal);
    const found = onlyAnswer(answer.ids);
    const { distances, ...parts } = answer;
    checkRecords(found, limit, {
      distances: distances?.[0],
      ...Object.fromEntries(include.map((part) => [part, parts[part]?.[0]])),
    });
    return found.map((id, at) => ({
      id,
      distance: distances?.[0]?.[at] ?? Number.POSITIVE_INFINITY,
      document: answer.documents?.[0]?.[at] ?? null,
      metadata: answer.metadatas?.[0]?.[at] ?? null,
    }));
  }

  async search(search: ChromaSearch): Promise<readonly ChromaHit[]> {
    const hits = this.#searches ? await this.#searched(search) : undefined;
    if (hits !== undefined) return hits;
    const { text: _words, ...query } = search;
    const matches = await this.query(query);
    // Only now: of a collection that is gone both calls are answered with 404.
    this.#searches = false;
    return matches.map(({ id, distance }) => ({ id, score: similarity(distance, this.info.space) }));
  }

  /** Undefined where the server has no Search interface. */
  async #searched(search: ChromaSearch): Promise<readonly ChromaHit[] | undefined> {
    const words = await wordQuery(this.info.wordIndex, search.text);
    const answer = await this.#wire.call({
      method: "POST",
      path: `${this.#path}/search`,
      body: searchBody(search, words),
      kind: "query",
      signal: search.signal,
      absentStatuses: SEARCH_ABSENT_STATUSES,
    });
    if (answer === undefined) return undefined;
    const found = readAnswer(ANSWERS.search, answer);
    checkRecords(onlyAnswer(found.ids), search.limit, { scores: found.scores?.[0] });
    return searchHits(found, this.info.space, words !== undefined);
  }

  async upsert(records: readonly ChromaWrite[], signal?: AbortSignal): Promise<void> {
    for (let start = 0; start < records.length; start += this.#recordsPerWriteMax) {
      const part = records.slice(start, start + this.#recordsPerWriteMax);
      const body = {
        ids: part.map(({ id }) => id),
        documents: part.map(({ document }) => document),
        embeddings: part.map(({ embedding }) => Array.from(embedding)),
        metadatas: part.map(({ metadata }) => (Object.keys(metadata).length === 0 ? null : metadata)),
      };
      await this.#post("upsert", body, ANSWERS.ignored, "write", signal);
    }
  }

  async delete(ids: readonly string[], signal?: AbortSignal): Promise<void> {
    for (let start = 0; start < ids.length; start += this.#recordsPerWriteMax) {
      await this.#post(
        "delete",
        { ids: ids.slice(start, start + this.#recordsPerWriteMax) },
        ANSWERS.ignored,
        "write",
        signal,
      );
    }
  }

  async describe(metadata: Readonly<Record<string, MetadataScalar>>, signal?: AbortSignal): Promise<void> {
    const body = { new_metadata: metadata };
    await this.#wire.call({ method: "PUT", path: this.#path, body, kind: "write", signal });
  }

  async deleteWhere(where: ChromaWhere, signal?: AbortSignal): Promise<void> {
    await this.#post("delete", { where }, ANSWERS.ignored, "write", signal);
  }

  async #post<T extends z.ZodMiniType>(
    verb: string,
    body: unknown,
    schema: T,
    kind: CallKind,
    signal: AbortSignal | undefined,
  ): Promise<z.output<T>> {
    const path = `${this.#path}/${verb}`;
    return readAnswer(schema, await this.#wire.call({ method: "POST", path, body, kind, signal }));
  }
}
