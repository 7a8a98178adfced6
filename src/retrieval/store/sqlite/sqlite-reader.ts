import { setImmediate as breathe } from "node:timers/promises";
import { WinnowError } from "../../../core/errors.ts";
import type { Filter } from "../../../core/filter.ts";
import type { Chunk } from "../../../core/types.ts";
import { OVERFETCH_ROWS_MAX } from "../overfetch.ts";
import type {
  CandidateList,
  ChunkRange,
  ChunkSpan,
  DenseQuery,
  LexicalQuery,
  ScannedRow,
  StoreCapabilities,
  StoreCounts,
  StoreReader,
  StoreRow,
} from "../store.ts";
import { chooseCandidates, metadataTest } from "./choose.ts";
import { numberAt, type SqlRow, textOfKey, toChunk, toSpan } from "./row-codec.ts";
import { denseScores, lexicalScores } from "./scores.ts";
import { type LiveSegment, type LookupColumns, liveRows } from "./segment.ts";
import { guarded } from "./sqlite-errors.ts";

/** Rows that a scan yields at once. */
const SCAN_ROWS = 512;
/** Look-ups after which other work goes on. */
const SLICE_KEYS = 256;

/** Segments that stay open until they are released. */
export interface Lease {
  readonly live: readonly LiveSegment[];
  release(): void;
}

export interface SqliteReaderOptions {
  /** What this reader sees, asked for by every call. */
  readonly lease: () => Promise<Lease>;
  readonly vectorDimension: number | undefined;
  readonly close: () => Promise<void>;
}

/** Queries on one version of a table. The library is synchronous: a query holds up the process while it runs. */
export class SqliteReader implements StoreReader {
  readonly capabilities: StoreCapabilities;
  readonly #options: SqliteReaderOptions;

  constructor(options: SqliteReaderOptions) {
    this.#options = options;
    this.capabilities = {
      lexical: true,
      dense: options.vectorDimension !== undefined,
      fusion: "client",
      exclusion: { lexical: "native", dense: "native" },
      filters: "native",
      maxResults: OVERFETCH_ROWS_MAX,
      writable: true,
    };
  }

  async #with<T>(
    doing: string,
    signal: AbortSignal | undefined,
    work: (live: readonly LiveSegment[]) => T | Promise<T>,
  ): Promise<T> {
    return guarded(doing, async () => {
      signal?.throwIfAborted();
      const { live, release } = await this.#options.lease();
      try {
        return await work(live);
      } finally {
        release();
      }
    });
  }

  async lexical(query: LexicalQuery): Promise<CandidateList> {
    return this.#with("searching", query.signal, (live) =>
      chooseCandidates(live, lexicalScores(live, query.terms), query),
    );
  }

  async dense(query: DenseQuery): Promise<CandidateList> {
    const { vectorDimension } = this.#options;
    if (vectorDimension !== query.vector.length) {
      const holds = vectorDimension === undefined ? "no vectors" : `vectors of ${vectorDimension} numbers`;
      throw new WinnowError("invalid_argument", `The corpus holds ${holds}.`, { hint: "Use lexical search." });
    }
    return this.#with("searching", query.signal, (live) =>
      chooseCandidates(live, denseScores(live, query.vector), query),
    );
  }

  async chunks(ids: readonly string[], signal?: AbortSignal): Promise<readonly Chunk[]> {
    const rows = await this.#lookUp("id", ids, "chunk", signal);
    const found = new Map(rows.map(toChunk).map((chunk) => [chunk.id, chunk]));
    return ids.map((id) => found.get(id)).filter((chunk) => chunk !== undefined);
  }

  async chunksOf(documentIds: readonly string[], range?: ChunkRange, signal?: AbortSignal): Promise<readonly Chunk[]> {
    const within = (row: SqlRow): boolean => {
      const index = numberAt(row, "position");
      return range === undefined || (index >= range.from && index <= range.to);
    };
    const rows = await this.#lookUp("document", documentIds, "chunk", signal);
    return rows.filter(within).map(toChunk).sort(byDocument);
  }

  async spansOf(documentIds: readonly string[], signal?: AbortSignal): Promise<readonly ChunkSpan[]> {
    const rows = await this.#lookUp("document", documentIds, "span", signal);
    return rows.map(toSpan).sort(byDocument);
  }

  async #lookUp(
    column: "id" | "document",
    keys: readonly string[],
    columns: LookupColumns,
    signal: AbortSignal | undefined,
  ): Promise<readonly SqlRow[]> {
    return this.#with("reading chunks", signal, async (live) => {
      const found: SqlRow[] = [];
      for (const [i, key] of [...new Set(keys)].entries()) {
        if (i % SLICE_KEYS === SLICE_KEYS - 1) await breathe();
        signal?.throwIfAborted();
        for (const { segment, dead } of live) {
          for (const row of segment.lookUp(column, key, columns)) if (!dead.has(numberAt(row, "n"))) found.push(row);
        }
      }
      return found;
    });
  }

  async documentsWhere(filter: Filter, signal?: AbortSignal): Promise<ReadonlySet<string>> {
    return this.#with("filtering", signal, (live) => {
      const test = metadataTest(filter);
      const accepted = new Set<string>();
      for (const { segment, dead } of live) {
        for (const { n, document, metadata } of segment.allMetadata("documents")) {
          if (!dead.has(n) && test(metadata)) accepted.add(textOfKey(document));
        }
      }
      return accepted;
    });
  }

  async *scan(signal?: AbortSignal): AsyncGenerator<readonly ScannedRow[]> {
    for await (const { rows } of this.#slices(signal)) yield rows.map(({ row }) => row);
  }

  async *rows(signal?: AbortSignal): AsyncGenerator<readonly StoreRow[]> {
    const dimension = this.#options.vectorDimension;
    for await (const { from, rows, of } of this.#slices(signal)) {
      const vectors = await guarded("reading vectors", () => vectorsOf(of, from, from + SCAN_ROWS, dimension));
      yield rows.map(({ n, row }) => ({ ...row, ...(dimension !== undefined && { vector: vectors.get(n) ?? null }) }));
    }
  }

  async *#slices(signal: AbortSignal | undefined) {
    const { live, release } = await guarded("reading all chunks", this.#options.lease);
    try {
      for (const of of live) {
        for (let from = 0; from < of.segment.rows; from += SCAN_ROWS) {
          signal?.throwIfAborted();
          const rows = await guarded("reading all chunks", () => of.segment.scanned(from, from + SCAN_ROWS, of.dead));
          if (rows.length > 0) yield { from, rows, of };
        }
      }
    } finally {
      release();
    }
  }

  async counts(): Promise<StoreCounts> {
    return this.#with("counting", undefined, (live) => ({
      chunks: live.reduce((sum, one) => sum + liveRows(one), 0),
      unindexed: 0,
    }));
  }

  close(): Promise<void> {
    return this.#options.close();
  }
}

/** Vectors of the rows from `from` up to but without `to`, by row. */
function vectorsOf(
  { segment }: LiveSegment,
  from: number,
  to: number,
  dimension: number | undefined,
): ReadonlyMap<number, Float32Array> {
  const found = new Map<number, Float32Array>();
  if (dimension === undefined) return found;
  for (const { rows, data } of segment.vectorBlocks()) {
    if ((rows[0] ?? 0) >= to) break;
    if ((rows.at(-1) ?? 0) < from) continue;
    for (const [i, n] of rows.entries()) {
      if (n >= from && n < to) found.set(n, data.slice(i * dimension, (i + 1) * dimension));
    }
  }
  return found;
}

interface Placed {
  readonly documentId: string;
  readonly index: number;
}

function byDocument(a: Placed, b: Placed): number {
  return a.documentId < b.documentId ? -1 : a.documentId > b.documentId ? 1 : a.index - b.index;
}
