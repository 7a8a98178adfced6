import type { Filter } from "../../core/filter.ts";
import type { Chunk } from "../../core/types.ts";

/** What a driver can do itself; what it cannot, the code above it does or refuses. */
export interface StoreCapabilities {
  readonly lexical: boolean;
  /** True only where rows carry vectors. */
  readonly dense: boolean;
  /** Who fuses ranks. */
  readonly fusion: "server" | "client";
  /** `native`: excluded chunks never leave the store; `overfetch`: more are fetched and dropped. */
  readonly exclusion: { readonly lexical: "native" | "overfetch"; readonly dense: "native" | "overfetch" };
  /** Who evaluates `where`. */
  readonly filters: "native" | "overfetch";
  /** Most candidates that one query returns. */
  readonly maxResults: number;
  readonly writable: boolean;
}

/** A chunk that matched. A higher score is better; scores of different queries do not compare. */
export interface Candidate {
  readonly id: string;
  readonly documentId: string;
  readonly score: number;
  /** The chunk itself, where fetching it along costs less than fetching it later. */
  readonly chunk?: Chunk;
}

export interface CandidateQuery {
  /** How many candidates to return at most, from 1 to the driver's `maxResults`. */
  readonly limit: number;
  /** Chunk ids that must not come back. */
  readonly exclude?: ReadonlySet<string>;
  readonly excludeDocuments?: ReadonlySet<string>;
  readonly where?: Filter;
  readonly signal?: AbortSignal;
}

export interface LexicalQuery extends CandidateQuery {
  /** Analysed terms; a term that is repeated weighs more. An empty list matches nothing. */
  readonly terms: readonly string[];
}

export interface DenseQuery extends CandidateQuery {
  /** Of the store's vector dimension. Nearness is cosine; the score is the cosine similarity. */
  readonly vector: Float32Array;
  /** What the vector was made of, for stores that fuse nearness with words themselves. */
  readonly text?: string;
}

export interface CandidateList {
  /** Best first, ties by id; no chunk twice. */
  readonly candidates: readonly Candidate[];
  /** False when a named limit stopped the search before it could be sure that these are the best. */
  readonly complete: boolean;
}

/** Where a chunk lies, without its text. */
export interface ChunkSpan {
  readonly id: string;
  readonly documentId: string;
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

export interface StoreCounts {
  readonly chunks: number;
  /** Rows that queries have to scan because no index holds them yet. */
  readonly unindexed: number;
}

/**
 * One committed version of a store. Every method sees that version only, whatever a writer does meanwhile. All chunks
 * of a document carry the same metadata: the document's. Rejects with `WinnowError` only.
 */
export interface StoreReader {
  readonly capabilities: StoreCapabilities;
  /** BM25 (k1 = 1.2, b = 0.75, statistics over all rows) over title, headings and text. */
  lexical(query: LexicalQuery): Promise<CandidateList>;
  /** Rejects with `invalid_argument` when the store has no vectors or they have another dimension. */
  dense(query: DenseQuery): Promise<CandidateList>;
  /** The chunks with these ids, in the order of `ids`; ids that the store does not hold are left out. */
  chunks(ids: readonly string[], signal?: AbortSignal): Promise<readonly Chunk[]>;
  /** Chunks of these documents by document id, then index; with a range only those with `from <= index <= to`. */
  chunksOf(documentIds: readonly string[], range?: ChunkRange, signal?: AbortSignal): Promise<readonly Chunk[]>;
  /** As `chunksOf`, without the texts. */
  spansOf(documentIds: readonly string[], signal?: AbortSignal): Promise<readonly ChunkSpan[]>;
  /** Ids of all documents whose metadata the filter accepts. */
  documentsWhere(filter: Filter, signal?: AbortSignal): Promise<ReadonlySet<string>>;
  /** Every row once, without its vector, in parts of the driver's size and no particular order. */
  scan(signal?: AbortSignal): AsyncIterable<readonly ScannedRow[]>;
  /** As `scan`, with the vectors, so that they can be appended elsewhere as they are. */
  rows(signal?: AbortSignal): AsyncIterable<readonly StoreRow[]>;
  counts(): Promise<StoreCounts>;
  /**
   * Of stores that work on so many things at once only: does the work when its turn has come. What the work asks of the
   * reader that it is given waits no more. Rejects with the signal's reason as soon as who waits gives up.
   */
  turn?<T>(signal: AbortSignal | undefined, work: (reader: StoreReader) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A stored row without its vector. */
export type ScannedRow = Omit<StoreRow, "vector">;

export interface ChunkRange {
  readonly from: number;
  readonly to: number;
}

/** A row to store. */
export interface StoreRow {
  readonly chunk: Chunk;
  /** Key of the source item that the chunk came from; the unit of removal. */
  readonly item: string;
  /** Analysed title, headings and text. No term is empty or holds white space. */
  readonly terms: readonly string[];
  /** Null where the store has a vector dimension and this chunk has no vector. */
  readonly vector?: Float32Array | null;
}

/**
 * The one writer of a store. Nothing that it does is seen by readers of an earlier version. Work that was not
 * committed is dropped when the next writer opens the last committed version. Rejects with `WinnowError` only.
 */
export interface StoreWriter {
  append(rows: readonly StoreRow[]): Promise<void>;
  /** Removes the rows of these source items. */
  remove(items: readonly string[]): Promise<void>;
  /** Makes everything so far durable against process death, and returns the version that holds it. */
  commit(): Promise<StoreVersion>;
  /** Brings every row into the indexes and merges small parts. Needs a commit afterwards. */
  optimize(): Promise<void>;
  /**
   * Frees versions older than the last commit, but none that was written less than `ageMs` ago. For the moment after a
   * commit. A driver may put it off until the next `optimize`, where there is little to free.
   */
  cleanUp(ageMs: number): Promise<void>;
  counts(): Promise<StoreCounts>;
  /** Reads what is written so far, committed or not. Closed with the writer. */
  reader(): StoreReader;
  close(): Promise<void>;
}

/** Names one committed state: which table, which of its versions. */
export interface StoreVersion {
  readonly table: string;
  readonly version: number;
}

/** A driver, bound to the place where its data lies. */
export interface Store {
  /** Rejects with `corpus_corrupt` when that version cannot be opened. */
  openReader(at: StoreVersion): Promise<StoreReader>;
  /** Continues from a committed version; what was written after it is dropped. */
  openWriter(at: StoreVersion): Promise<StoreWriter>;
  /** A new, empty table; one of that name is replaced. */
  createWriter(table: string): Promise<StoreWriter>;
  /** Deletes every table but this one. */
  dropOtherTables(table: string): Promise<void>;
  close(): Promise<void>;
}
