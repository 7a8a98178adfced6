import { availableParallelism } from "node:os";
import { deadline } from "../../core/deadline.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { Gate, through } from "../../core/gate.ts";
import type { Notice } from "../../core/types.ts";
import { type DocumentMatches, MatchCollector, type OpenSegment } from "./collector.ts";
import { DocumentReader } from "./document-reader.ts";
import {
  GREP_TIMEOUT_MS,
  type GrepEngine,
  type GrepMatch,
  type GrepOptions,
  type GrepRequest,
  type GrepResult,
  MATCHES_RETURNED_MAX,
} from "./grep.ts";
import { locateMatches, unitBounds } from "./locate.ts";
import { compileRe2, matchBounds, scanWithRe2 } from "./re2-driver.ts";
import { ripgrepPath, type ScanOptions, scanWithRipgrep } from "./ripgrep-driver.ts";
import { readSegmentIndex } from "./segment.ts";

const MATCHES_RETURNED_DEFAULT = 1_000;

const FALLBACK_NOTICE: Notice = {
  code: "grep_fallback",
  message: "ripgrep is not available on this platform; the slower built-in engine was used.",
};
const TIMEOUT_NOTICE: Notice = {
  code: "grep_timeout",
  message: "The time limit of grep was reached; there may be more matches.",
};

/**
 * Scans at once in this process: each is a process of its own that keeps a core busy. Waiting for one's turn is no part
 * of the time limit.
 */
const SCANS = new Gate({ runningMax: availableParallelism() });

/** Opens segments for searching. Nothing is read before the first `grep`; there is nothing to close. */
export function openGrep(options: GrepOptions): GrepEngine {
  return new SegmentGrep(options);
}

class SegmentGrep implements GrepEngine {
  readonly #options: GrepOptions;
  #segments: Promise<readonly OpenSegment[]> | undefined;

  constructor(options: GrepOptions) {
    this.#options = options;
  }

  async grep(request: GrepRequest): Promise<GrepResult> {
    const { signal } = request;
    try {
      return await through(SCANS, signal, () => this.#grep(request));
    } catch (error) {
      if (signal?.aborted) throw toWinnowError(signal.reason, "cancelled");
      throw toWinnowError(error, "store_failed");
    }
  }

  async #grep(request: GrepRequest): Promise<GrepResult> {
    const matchesMax = limit(request.matchesMax ?? MATCHES_RETURNED_DEFAULT, "matchesMax", MATCHES_RETURNED_MAX);
    const documentsMax = limit(
      request.documentsMax ?? Number.MAX_SAFE_INTEGER,
      "documentsMax",
      Number.MAX_SAFE_INTEGER,
    );
    const { isLive, timeoutMs = GREP_TIMEOUT_MS } = this.#options;
    const accept = request.accept ?? (() => true);
    const collector = new MatchCollector((id, segmentIndex) => isLive(id, segmentIndex) && accept(id));
    const timer = deadline(timeoutMs);
    const scan = {
      pattern: request.pattern,
      ignoreCase: request.ignoreCase ?? false,
      segments: await this.#openSegments(),
      collector,
      signal: request.signal === undefined ? timer : AbortSignal.any([timer, request.signal]),
      deadlineMs: performance.now() + timeoutMs,
    };
    const notices = await this.#scan(scan);
    request.signal?.throwIfAborted();
    const reader = new DocumentReader();
    try {
      await recheckDocuments(scan, reader);
      if (timer.aborted || performance.now() >= scan.deadlineMs) {
        collector.truncated = true;
        notices.push(TIMEOUT_NOTICE);
      }
      request.signal?.throwIfAborted();
      const matches = await firstMatches(collector.documents, matchesMax, documentsMax, reader);
      const { matchesTotal, truncated } = collector;
      return { matches, matchesTotal, documentsTotal: collector.documents.length, truncated, notices };
    } finally {
      await reader.close();
    }
  }

  /** Returns notices, as a list of the caller's own. */
  async #scan(scan: ScanOptions): Promise<Notice[]> {
    if (this.#options.engine === "re2") {
      await scanWithRe2(scan);
      return [];
    }
    const path = this.#options.ripgrepPath ?? (await ripgrepPath());
    if (path !== undefined) {
      try {
        await scanWithRipgrep(path, scan);
        return [];
      } catch (error) {
        if (!WinnowError.isInstance(error) || error.code !== "dependency_missing") throw error;
      }
    }
    await scanWithRe2(scan);
    return [FALLBACK_NOTICE];
  }

  /** Segments never change once written, so their indexes are read once; a failure is not remembered. */
  #openSegments(): Promise<readonly OpenSegment[]> {
    this.#segments ??= Promise.all(
      this.#options.segments.map(async ({ folder }, segmentIndex) => ({
        ...(await readSegmentIndex(folder)),
        segmentIndex,
      })),
    ).catch((error: unknown) => {
      this.#segments = undefined;
      throw error;
    });
    return this.#segments;
  }
}

/**
 * Searches again, by itself, every document with a match that begins at its pad, where ripgrep cannot be exact. Past
 * the time limit, and for the few patterns that only ripgrep takes, the pad is cut off the match instead.
 */
async function recheckDocuments(
  { pattern, ignoreCase, collector, signal, deadlineMs }: ScanOptions,
  reader: DocumentReader,
): Promise<void> {
  if (!collector.documents.some((entry) => entry.recheck)) return;
  const match = await compileRe2(pattern, ignoreCase).catch(() => undefined);
  await collector.recheck(async (entry) => {
    const bytes = await reader.read(entry);
    if (match !== undefined && !signal.aborted && performance.now() < deadlineMs) {
      return matchBounds(match, bytes.toString("utf8"));
    }
    const [end = 0, ...others] = entry.bounds.slice(1);
    return unitBounds(bytes, end > 0 ? [0, end, ...others] : others);
  });
}

async function firstMatches(
  documents: readonly DocumentMatches[],
  matchesMax: number,
  documentsMax: number,
  reader: DocumentReader,
): Promise<GrepMatch[]> {
  const ordered = [...documents].sort((a, b) =>
    a.documentId < b.documentId ? -1 : a.documentId > b.documentId ? 1 : 0,
  );
  const matches: GrepMatch[] = [];
  for (const entry of ordered.slice(0, documentsMax)) {
    const room = matchesMax - matches.length;
    if (room <= 0) break;
    const bytes = await reader.read(entry);
    const bounds = entry.bounds.slice(0, 2 * room);
    const units = entry.unit === "byte" ? unitBounds(bytes, bounds) : bounds;
    matches.push(...locateMatches(entry.documentId, bytes.toString("utf8"), units));
  }
  return matches;
}

function limit(value: number, name: string, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new WinnowError("invalid_argument", `${name} must be a whole number from 1 to ${max}.`);
}
