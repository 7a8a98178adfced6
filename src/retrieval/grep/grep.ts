import type { Notice } from "../../core/types.ts";

/** Longest pattern, in UTF-16 units. */
export const PATTERN_UNITS_MAX = 1_000;
/** Most matches that are counted; beyond it `truncated` is true and totals are lower bounds. */
export const MATCHES_COUNTED_MAX = 100_000;
/** Most matches that one call returns. */
export const MATCHES_RETURNED_MAX = 10_000;
/** Most text of a line that is shown around a match, in UTF-16 units. */
export const LINE_UNITS_MAX = 400;
/** Most that is read from ripgrep, so that a pattern that matches everything does not copy the corpus. */
export const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
/** How long one call may search before it returns what it has, with `truncated`. */
export const GREP_TIMEOUT_MS = 10_000;

/** A folder that `writeGrepSegment` filled. */
export interface GrepSegment {
  readonly folder: string;
}

export type GrepEngineName = "ripgrep" | "re2";

export interface GrepOptions {
  readonly segments: readonly GrepSegment[];
  /** False for a document of a segment that has since been replaced or forgotten. */
  readonly isLive: (documentId: string, segmentIndex: number) => boolean;
  /** Default `ripgrep`, which falls back to `re2` with a notice where there is no binary. */
  readonly engine?: GrepEngineName;
  /** The ripgrep binary; default the one that was installed with Winnow. */
  readonly ripgrepPath?: string;
  /** Default `GREP_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
}

export interface GrepRequest {
  /**
   * Syntax of Rust's regex crate without look-around and back-references; `{`, `[` and escapes that only other dialects
   * know are read as those do where that is unambiguous. `^` and `$` match at lines, `.` stays on a line, `\s` and `\n`
   * may cross lines, nothing crosses documents.
   */
  readonly pattern: string;
  readonly ignoreCase?: boolean;
  /** How many matches to return at most, 1 to `MATCHES_RETURNED_MAX`; default 1,000. Counting goes on. */
  readonly matchesMax?: number;
  /** From how many documents to return matches at most; default no limit. */
  readonly documentsMax?: number;
  /** Only documents for which this is true are searched and counted. Pure: it may be called more than once. */
  readonly accept?: (documentId: string) => boolean;
  readonly signal?: AbortSignal;
}

export interface GrepMatch {
  readonly documentId: string;
  /** UTF-16 offsets into the document's text; never empty. */
  readonly start: number;
  readonly end: number;
  /** 1-based line on which the match starts. */
  readonly line: number;
  /** That line, or the part of it around the match, at most `LINE_UNITS_MAX` units. */
  readonly lineText: string;
}

export interface GrepResult {
  /** Ordered by document id (by code unit), then position. Empty matches are not matches. */
  readonly matches: readonly GrepMatch[];
  readonly matchesTotal: number;
  readonly documentsTotal: number;
  /** True when a limit (count, output, time) stopped the count: the totals are lower bounds then. */
  readonly truncated: boolean;
  readonly notices: readonly Notice[];
}

export interface GrepEngine {
  /**
   * Rejects with `invalid_pattern`, whose message is one sentence and whose hint says what to write instead, with
   * `cancelled` (or `timeout`, by the signal's reason), with `corpus_corrupt` when a segment is damaged.
   */
  grep(request: GrepRequest): Promise<GrepResult>;
}
