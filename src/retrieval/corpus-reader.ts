import type { Role } from "../core/corpus-role.ts";
import type { Filter } from "../core/filter.ts";
import type { Chunk, Hit, Metadata, Notice } from "../core/types.ts";
import type { FeedbackSettings } from "./find/feedback.ts";
import type { FusionSettings } from "./find/fusion-settings.ts";

/** How a one-shot query is answered. `hybrid` falls back to `lexical` with a notice where there are no vectors. */
export type FindMode = "hybrid" | "lexical" | "dense";

/** Identity of a chunk across corpora; opaque. Build it with `chunkKey`. */
export type ChunkKey = string;

export function chunkKey(corpus: string, chunkId: string): ChunkKey {
  return `${corpus}\u0000${chunkId}`;
}

export interface FindQuery {
  readonly text: string;
  readonly mode: FindMode;
  /** How many chunks to return at most, 1 to 1,000. */
  readonly chunksMax: number;
  /** Chunks that must not come back (already shown). */
  readonly exclude?: ReadonlySet<ChunkKey>;
  /** Documents that must not come back. */
  readonly excludeDocuments?: ReadonlySet<string>;
  readonly where?: Filter;
  /** How hybrid mode joins its halves, default `DEFAULT_FUSION`. */
  readonly fusion?: FusionSettings;
  /** Expands the query by what its best chunks hold, then asks the lexical half again; not in dense mode. */
  readonly feedback?: FeedbackSettings;
  readonly signal?: AbortSignal;
}

export interface FindAnswer {
  /** Best first; never more than `chunksMax`; no excluded chunk; no chunk twice. */
  readonly hits: readonly Hit[];
  readonly notices: readonly Notice[];
}

export interface GrepQuery {
  /** A pattern in the syntax of Rust's regex crate (no look-around, no back-references). `^` and `$` match at lines, `.` stays on a line. */
  readonly pattern: string;
  /** How many chunks to return at most, 1 to 1,000. */
  readonly chunksMax: number;
  readonly ignoreCase?: boolean;
  readonly where?: Filter;
  readonly excludeDocuments?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** A chunk in which a match starts, with where. */
export interface GrepHit {
  readonly hit: Hit;
  /** First match in the chunk: offsets into the document, 1-based line, and the text of that line (at most 400 units). */
  readonly match: { readonly start: number; readonly end: number; readonly line: number; readonly lineText: string };
  /** How many matches start in this chunk. */
  readonly matches: number;
}

export interface GrepAnswer {
  /** Ordered by document id, then position. */
  readonly hits: readonly GrepHit[];
  /** Matches in all documents; a lower bound when `truncated`. */
  readonly matchesTotal: number;
  readonly documentsTotal: number;
  /** True when a named limit stopped the count. */
  readonly truncated: boolean;
  readonly notices: readonly Notice[];
}

export interface ReadQuery {
  readonly documentId: string;
  /** First chunk index, default 0. */
  readonly from?: number;
  /** Last chunk index, inclusive; default the document's last. */
  readonly to?: number;
  readonly signal?: AbortSignal;
}

export interface DocumentsQuery {
  readonly where?: Filter;
  readonly signal?: AbortSignal;
}

/** A document without its text. */
export interface DocumentSummary {
  readonly id: string;
  readonly uri: string;
  readonly title: string;
  readonly metadata: Metadata;
  /** How many chunks it has. */
  readonly chunks: number;
  /** How its text begins, at most `OPENING_UNITS_MAX` UTF-16 units. */
  readonly opening: string;
}

export interface DocumentsAnswer {
  /** Ordered by id. */
  readonly documents: readonly DocumentSummary[];
  /** True when `LISTED_DOCUMENTS_MAX` cut the list. */
  readonly truncated: boolean;
  /** What else is to be said of the list. */
  readonly notices?: readonly Notice[];
}

export interface StaleDocument {
  readonly id: string;
  readonly state: "changed" | "gone";
}

/** Metadata keys that a corpus lists. */
export const METADATA_KEYS_MAX = 200;

export interface CorpusInfo {
  readonly name: string;
  /** Folder of the index, or the address of the collection. */
  readonly location: string;
  /** Folder that the keys of source items are relative to, where there is one. */
  readonly base?: string;
  /** Grows by one with every committed change; equal generations answer equally. */
  readonly generation: number;
  readonly documents: number;
  readonly chunks: number;
  readonly tokens: number;
  /** Name of the token counter behind `Chunk.tokens`. */
  readonly tokenCounter: string;
  /** Name of the embedder behind the vectors, or null when there are none. */
  readonly embedder: string | null;
  /** Metadata keys that documents carry or carried, at most `METADATA_KEYS_MAX`; a list so long may lack some. */
  readonly metadataKeys: readonly string[];
}

/**
 * A corpus as the agent and the commands read it. Readers see a new generation at their next call without reopening;
 * one call sees one generation. All methods reject with `WinnowError` only.
 */
export interface CorpusReader {
  readonly name: string;
  /** What it is to its owner, where the configuration or the kind of index says so. */
  readonly role?: Role;
  info(): Promise<CorpusInfo>;
  /** Ids of the documents that a source item holds, e.g. the rows of a file, in order; empty for an unknown key. */
  documentsOf?(key: string): Promise<readonly string[]>;
  find(query: FindQuery): Promise<FindAnswer>;
  /** Rejects with `invalid_pattern` when the pattern is not supported. */
  grep(query: GrepQuery): Promise<GrepAnswer>;
  /** Chunks in order. Rejects with `document_not_found`; an empty range beyond the end gives an empty list. */
  read(query: ReadQuery): Promise<readonly Chunk[]>;
  /** Every document that a filter accepts. */
  documents(query: DocumentsQuery): Promise<DocumentsAnswer>;
  /** Which of these documents have changed where they came from since they were indexed; absent where nobody can tell. */
  stale?(ids: readonly string[]): Promise<readonly StaleDocument[]>;
  close(): Promise<void>;
}
