import { WinnowError } from "../../../core/errors.ts";
import type { Filter } from "../../../core/filter.ts";
import { matchesFilter } from "../../../core/filter-match.ts";
import type { Chunk } from "../../../core/types.ts";
import type { ChromaCollection, ChromaRecord } from "../../chroma/collection.ts";
import { overfetch, rankCandidates } from "../overfetch.ts";
import type {
  Candidate,
  CandidateList,
  ChunkRange,
  DenseQuery,
  LexicalQuery,
  StoreCapabilities,
  StoreReader,
  StoreRow,
} from "../store.ts";
import { chunkIdOf, recordIdOf, unitVector, vectorOfRecord } from "./row-record.ts";

/** Most results that Cloud gives for one query. */
export const CLOUD_RESULTS_MAX = 300;
/** Records that one call reads; Cloud's limit. */
export const PAGE_RECORDS = 300;
/** Fewer results cost a server as much, and so many show most ties whole. */
const FIRST_ROWS_MIN = 100;
/** Chunks that a filter may leave for their vectors to be compared here: exact, and servers are slow with conditions. */
const COMPARED_CHUNKS_MAX = 2_000;

/** A collection that is open, and what its server allows. */
export interface TableCollection {
  readonly collection: ChromaCollection;
  readonly cloud: boolean;
}

export interface ChromaReaderOptions {
  readonly words: StoreReader;
  readonly vectorDimension: number;
  readonly open: () => Promise<TableCollection>;
  /** Whether results are capped as on Cloud; known before the server is reached. */
  readonly cloud: boolean;
}

/** Rows and words of one version beside a collection, whose records are looked up by nearness. */
export class ChromaReader implements StoreReader {
  readonly capabilities: StoreCapabilities;
  readonly #options: ChromaReaderOptions;
  readonly #words: StoreReader;

  constructor(options: ChromaReaderOptions) {
    this.#options = options;
    this.#words = options.words;
    const { exclusion, maxResults, ...capabilities } = options.words.capabilities;
    this.capabilities = {
      ...capabilities,
      dense: true,
      exclusion: { ...exclusion, dense: "overfetch" },
      filters: "overfetch",
      maxResults: options.cloud ? CLOUD_RESULTS_MAX : maxResults,
    };
  }

  async dense(query: DenseQuery): Promise<CandidateList> {
    const { vectorDimension, open } = this.#options;
    if (query.vector.length !== vectorDimension) {
      throw new WinnowError("invalid_argument", `The corpus holds vectors of ${vectorDimension} numbers.`, {
        hint: "Use lexical search.",
      });
    }
    if ((await this.#words.counts()).chunks === 0) return { candidates: [], complete: true };
    const few = await this.#fewChunks(query);
    const { collection, cloud } = await open();
    if (few !== undefined) return this.#compared(collection, few, query);
    const vector = unitVector(query.vector);
    return overfetch({
      fetch: async (limit) => {
        const matches = await collection.query({ vector, limit, signal: query.signal });
        const chunks = await this.#chunksOfRecords(matches.map(({ id }) => id));
        // Half the squared distance of unit vectors is 1 - cos.
        return matches.map(({ id, distance }) => candidateOf(id, chunks.get(id), 1 - distance / 2));
      },
      keep: ({ chunk }) => chunk !== undefined && lets(query, chunk),
      limit: query.limit,
      firstRows: Math.min(
        Math.max(query.limit + (query.exclude?.size ?? 0), FIRST_ROWS_MIN),
        cloud ? CLOUD_RESULTS_MAX - 1 : Number.POSITIVE_INFINITY,
      ),
      ...(cloud && { rowsMax: CLOUD_RESULTS_MAX }),
    });
  }

  /** The chunks that a filter leaves, where they are few. */
  async #fewChunks({ where = [], signal }: DenseQuery): Promise<readonly Chunk[] | undefined> {
    if (where.length === 0) return undefined;
    const documents = await this.#words.documentsWhere(where, signal);
    if (documents.size > COMPARED_CHUNKS_MAX) return undefined;
    const spans = await this.#words.spansOf([...documents], signal);
    if (spans.length > COMPARED_CHUNKS_MAX) return undefined;
    return this.#words.chunksOf([...documents], undefined, signal);
  }

  async #compared(collection: ChromaCollection, chunks: readonly Chunk[], query: DenseQuery): Promise<CandidateList> {
    const found: Candidate[] = [];
    const vector = unitVector(query.vector);
    const byRecord = new Map(chunks.filter((chunk) => lets(query, chunk)).map((chunk) => [recordIdOf(chunk), chunk]));
    for await (const records of recordsOf(collection, [...byRecord.keys()], ["embeddings"], query.signal)) {
      for (const { id, embedding } of records) {
        const score = (embedding ?? []).reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0);
        found.push(candidateOf(id, byRecord.get(id), score));
      }
    }
    return { candidates: rankCandidates(found).slice(0, query.limit), complete: true };
  }

  /** By record; a record of another version, or whose chunk is gone, has none. */
  async #chunksOfRecords(recordIds: readonly string[]): Promise<ReadonlyMap<string, Chunk>> {
    const ids = recordIds.map(chunkIdOf).filter((id) => id !== undefined);
    const chunks = await this.#words.chunks([...new Set(ids)]);
    return new Map(chunks.map((chunk) => [recordIdOf(chunk), chunk]));
  }

  async *rows(signal?: AbortSignal): AsyncGenerator<readonly StoreRow[]> {
    const { collection } = await this.#options.open();
    for await (const rows of this.#words.scan(signal)) {
      const keyed = rows.map((row) => ({ row, recordId: recordIdOf(row.chunk) }));
      const vectors = new Map<string, Float32Array>();
      const ids = keyed.map(({ recordId }) => recordId);
      for await (const records of recordsOf(collection, ids, ["embeddings", "metadatas"], signal)) {
        for (const record of records) vectors.set(record.id, vectorOfRecord(record));
      }
      yield keyed.map(({ row, recordId }) => ({ ...row, vector: vectors.get(recordId) ?? null }));
    }
  }

  lexical = (query: LexicalQuery) => this.#words.lexical(query);
  chunks = (ids: readonly string[], signal?: AbortSignal) => this.#words.chunks(ids, signal);
  chunksOf = (documentIds: readonly string[], range?: ChunkRange, signal?: AbortSignal) =>
    this.#words.chunksOf(documentIds, range, signal);
  spansOf = (documentIds: readonly string[], signal?: AbortSignal) => this.#words.spansOf(documentIds, signal);
  documentsWhere = (filter: Filter, signal?: AbortSignal) => this.#words.documentsWhere(filter, signal);
  scan = (signal?: AbortSignal) => this.#words.scan(signal);
  counts = () => this.#words.counts();
  close = () => this.#words.close();
}

function candidateOf(recordId: string, chunk: Chunk | undefined, score: number): Candidate {
  return { id: chunk?.id ?? recordId, documentId: chunk?.documentId ?? "", score, ...(chunk && { chunk }) };
}

function lets({ exclude, excludeDocuments, where = [] }: DenseQuery, chunk: Chunk): boolean {
  if (exclude?.has(chunk.id) === true || excludeDocuments?.has(chunk.documentId) === true) return false;
  return matchesFilter(where, chunk.metadata);
}

/** Those of the named records that are there. */
async function* recordsOf(
  collection: ChromaCollection,
  ids: readonly string[],
  include: readonly ("embeddings" | "metadatas")[],
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly ChromaRecord[]> {
  for (let i = 0; i < ids.length; i += PAGE_RECORDS) {
    yield await collection.get({ ids: ids.slice(i, i + PAGE_RECORDS), include, signal });
  }
}
