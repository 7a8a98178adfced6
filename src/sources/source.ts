import type { SourceDocument } from "../core/types.ts";

/** One thing that a source can read, with what a cheap unchanged check needs. */
export interface SourceItem {
  /** Stable key within the corpus; for files the POSIX path relative to the corpus root. */
  readonly key: string;
  /** Where `read` finds it; for files the absolute path. */
  readonly location: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  /** Of files: when the file system last changed anything about it. Left out where that means nothing. */
  readonly ctimeMs?: number | undefined;
}

/** Why an item is not indexed. One word each, shown by `winnow status`. */
export type SkipReason =
  | "binary"
  | "empty"
  | "ignored"
  | "private"
  | "too_large"
  | "too_many_rows"
  | "too_deep"
  | "unreadable"
  | "unsupported_type"
  | "malformed"
  /** What it holds could not be redacted, so none of it may be kept. */
  | "unredactable"
  | "outside_root"
  | "not_a_file"
  | "vanished";

export interface Skipped {
  readonly key: string;
  readonly reason: SkipReason;
  /** One sentence with the particulars, e.g. the size and the limit. */
  readonly detail: string;
}

export type Listed = { readonly item: SourceItem } | { readonly skipped: Skipped };

export interface ReadDocuments {
  readonly documents: readonly SourceDocument[];
  /** Identifies the content; equal hashes yield equal documents. */
  readonly hash: string;
  /** Things worth telling, e.g. a guessed encoding. */
  readonly notes: readonly string[];
  /** How many secrets were replaced in the documents, by kind. */
  readonly redacted?: Readonly<Record<string, number>>;
}

export type ReadOutcome = ReadDocuments | { readonly skipped: Skipped; readonly hash?: string };

/**
 * A connector that yields documents. `list` is cheap (no content is read) and ordered by key; `read` never throws for
 * what is wrong with the item itself, it returns `skipped`. Both stop promptly when the signal aborts.
 */
export interface Source {
  readonly type: string;
  list(signal: AbortSignal): AsyncIterable<Listed>;
  /** Content hash alone, for an item whose size or mtime changed. Undefined when it cannot be read. */
  hash(item: SourceItem, signal: AbortSignal): Promise<string | undefined>;
  read(item: SourceItem, signal: AbortSignal): Promise<ReadOutcome>;
}
