/** Nouns of the domain (design §2). Pure data: everything here survives a round trip through JSON. */

export type MetadataValue = string | number | boolean | readonly string[];
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** How a document's text is built, which decides where it may be split. */
export type TextFormat = "markdown" | "text" | "code" | "row";

/** What a source yields. `text` is the text that every offset refers to (UTF-16 units, line ends are `\n`). */
export interface SourceDocument {
  /** Stable and unique within its corpus, e.g. a POSIX path relative to the corpus root, `data.jsonl#12` for a row. */
  readonly id: string;
  /** Where a person reopens it: an address or a path; a path within the corpus root is relative to it, in POSIX form. */
  readonly uri: string;
  readonly title: string;
  readonly format: TextFormat;
  readonly text: string;
  readonly metadata: Metadata;
}

/** Names a document where there are several corpora: ids are unique within a corpus only. */
export interface DocumentName {
  readonly corpus: string;
  readonly id: string;
}

/**
 * A contiguous span of a document. The chunks of a document tile it: `text === document.text.slice(start, end)`,
 * the first starts at 0, each next one starts where the last ended, the last ends at the document's end.
 */
export interface Chunk {
  /** Unique within its corpus; opaque, never parsed. */
  readonly id: string;
  readonly documentId: string;
  /** Position within the document, from 0. */
  readonly index: number;
  /** How many chunks the document has. */
  readonly count: number;
  readonly start: number;
  readonly end: number;
  /** 1-based line of the document on which the chunk starts. */
  readonly line: number;
  readonly text: string;
  /** Tokens of `shownText(text)` under the corpus's token counter. */
  readonly tokens: number;
  readonly title: string;
  /** Headings above the chunk, outermost first; empty outside structured text. */
  readonly headings: readonly string[];
  readonly uri: string;
  readonly metadata: Metadata;
}

/** A chunk as returned by a query. Ranks count from 1 within their own list; a score only orders its own list. */
export interface Hit {
  /** Name of the corpus it came from. */
  readonly corpus: string;
  readonly chunk: Chunk;
  readonly score: number;
  readonly lexicalRank?: number;
  readonly denseRank?: number;
  readonly rerankRank?: number;
}

/** A range of a document's text that answers a query, in UTF-16 offsets into the document. */
export interface Passage {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** 1-based line on which it starts. */
  readonly line: number;
}

/** A degraded mode or a fact that the caller should know; never only logged. */
export interface Notice {
  /** Stable, snake_case. */
  readonly code: string;
  readonly message: string;
}
