import type { Table as LanceTable } from "@lancedb/lancedb";
import type { Table } from "apache-arrow";
import { WinnowError } from "../../../core/errors.ts";
import type { Filter } from "../../../core/filter.ts";
import { matchesFilter } from "../../../core/filter-match.ts";
import type { Chunk } from "../../../core/types.ts";
import { OVERFETCH_GROWTH, OVERFETCH_ROWS_MAX, overfetch } from "../overfetch.ts";
import type {
  Candidate,
  CandidateList,
  CandidateQuery,
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
import { guarded } from "./lance-errors.ts";
import {
  CHUNK_COLUMNS,
  type Columns,
  numbers,
  parseMetadata,
  SCAN_COLUMNS,
  SPAN_COLUMNS,
  TERMS_COLUMN,
  texts,
  toChunks,
  toScannedRows,
  toSpans,
  toStoreRows,
  VECTOR_COLUMN,
} from "./lance-rows.ts";
import { loadLance } from "./load-lance.ts";
import { sqlAnd, sqlIn } from "./sql.ts";
import { EVERY_PARTITION } from "./vector-index.ts";

/** The index that `createIndex("terms")` makes. */
export const TERMS_INDEX = "terms_idx";

/** Above this, a query that lists ids is slower than fetching more and dropping (about 70 ms at 10,000). */
const PREFILTER_DOCUMENTS_MAX = 10_000;
/** Ids in one `IN (…)` of a look-up. */
const LOOKUP_IDS_MAX = 1_000;
/** Up to so many rows, fetching whole chunks at once is faster (9 ms) than in a second step for the best 30 (6 + 8 ms). */
const WHOLE_ROWS_MAX = 128;
/** With a filter, the first round fetches this many times what is asked for. */
const FILTERED_ROUNDS_MAX = 2;

type Fetch = (limit: number, where: string | undefined, columns: readonly string[]) => Promise<Table>;
interface Row extends Candidate {
  readonly metadata: string;
}

/** Queries on one table handle; the handle is checked out at one version by whoever made it. */
export class LanceReader implements StoreReader {
  readonly capabilities: StoreCapabilities;
  readonly #table: LanceTable;
  readonly #vectorDimension: number | undefined;

  constructor(table: LanceTable, vectorDimension: number | undefined) {
    this.#table = table;
    this.#vectorDimension = vectorDimension;
    this.capabilities = {
      lexical: true,
      dense: vectorDimension !== undefined,
      fusion: "client",
      exclusion: { lexical: "overfetch", dense: "native" },
      filters: "overfetch",
      maxResults: OVERFETCH_ROWS_MAX,
      writable: true,
    };
  }

  async lexical(query: LexicalQuery): Promise<CandidateList> {
    if (query.terms.length === 0) return { candidates: [], complete: true };
    const { MatchQuery, Operator } = await loadLance();
    // A match query takes terms, not a query language: whatever they hold, they are looked up as they are.
    const match = new MatchQuery(query.terms.join(" "), TERMS_COLUMN, { fuzziness: 0, operator: Operator.Or });
    return this.#candidates(query, undefined, "_score", (limit, where, columns) => {
      const search = this.#table
        .query()
        .fullTextSearch(match)
        .select([...columns])
        .limit(limit);
      return (where === undefined ? search : search.where(where)).toArrow();
    });
  }

  async dense(query: DenseQuery): Promise<CandidateList> {
    if (this.#vectorDimension !== query.vector.length) {
      const holds = this.#vectorDimension === undefined ? "no vectors" : `vectors of ${this.#vectorDimension} numbers`;
      throw new WinnowError("invalid_argument", `The corpus holds ${holds}.`, { hint: "Use lexical search." });
    }
    // Rows without a vector have no distance, and the library leaves them out; to say so in a condition would cost a
    // fifth of the search.
    const excluded = sqlAnd([notIn("id", query.exclude), notIn("document", query.excludeDocuments)]);
    return this.#candidates(query, excluded, "_distance", (limit, where, columns) => {
      const search = this.#table
        .query()
        .nearestTo(query.vector)
        .distanceType("cosine")
        .nprobes(EVERY_PARTITION)
        .select([...columns]);
      return (where === undefined ? search : search.where(where)).limit(limit).toArrow();
    });
  }

  /**
   * Without a filter: over-fetch what is excluded. With one: two rounds of over-fetching, which is enough for filters
   * that accept much; then the documents that the filter accepts are listed, and if they are few the store searches
   * only them; if they are many, more rounds follow, up to the cap.
   */
  async #candidates(
    query: CandidateQuery,
    native: string | undefined,
    score: "_score" | "_distance",
    fetch: Fetch,
  ): Promise<CandidateList> {
    const excluded = native === undefined ? (query.exclude?.size ?? 0) : 0;
    const filter = query.where ?? [];
    const run = async (limit: number, where: string | undefined): Promise<readonly Row[]> => {
      const whole = limit <= WHOLE_ROWS_MAX;
      const columns = whole ? CHUNK_COLUMNS : ["id", "document", ...(filter.length > 0 ? ["metadata"] : [])];
      query.signal?.throwIfAborted();
      const table = await fetch(limit, sqlAnd([native, where]), [...columns, score]);
      query.signal?.throwIfAborted();
      return toRows(table, score, whole, filter.length > 0);
    };
    const search = (where: string | undefined, accepts: (row: Row) => boolean, firstRows: number, rowsMax: number) =>
      overfetch<Row>({
        fetch: (limit) => run(limit, where),
        keep: (row) =>
          !(query.exclude?.has(row.id) ?? false) &&
          !(query.excludeDocuments?.has(row.documentId) ?? false) &&
          accepts(row),
        limit: query.limit,
        firstRows,
        rowsMax,
      });
    const wanted = query.limit + excluded;
    return guarded("searching", async () => {
      if (filter.length === 0) return search(undefined, () => true, wanted, OVERFETCH_ROWS_MAX);
      const accepts = metadataTest(filter);
      const trialRows = Math.min(wanted * OVERFETCH_GROWTH ** FILTERED_ROUNDS_MAX, OVERFETCH_ROWS_MAX);
      const trial = await search(undefined, accepts, wanted * OVERFETCH_GROWTH, trialRows);
      if (trial.complete) return trial;
      const documents = await this.documentsWhere(filter, query.signal);
      if (documents.size === 0) return { candidates: [], complete: true };
      if (documents.size <= PREFILTER_DOCUMENTS_MAX) {
        return search(sqlIn("document", documents), () => true, wanted, OVERFETCH_ROWS_MAX);
      }
      return search(undefined, accepts, trialRows, OVERFETCH_ROWS_MAX);
    });
  }

  async chunks(ids: readonly string[], signal?: AbortSignal): Promise<readonly Chunk[]> {
    const found = new Map<string, Chunk>();
    await this.#lookUp("id", ids, CHUNK_COLUMNS, undefined, signal, (table) => {
      for (const chunk of toChunks(table)) found.set(chunk.id, chunk);
    });
    return ids.map((id) => found.get(id)).filter((chunk) => chunk !== undefined);
  }

  async chunksOf(documentIds: readonly string[], range?: ChunkRange, signal?: AbortSignal): Promise<readonly Chunk[]> {
    const within =
      range === undefined ? undefined : `chunk_index >= ${integer(range.from)} AND chunk_index <= ${integer(range.to)}`;
    const found: Chunk[] = [];
    await this.#lookUp("document", documentIds, CHUNK_COLUMNS, within, signal, (table) => {
      found.push(...toChunks(table));
    });
    return found.sort(byDocument);
  }

  async spansOf(documentIds: readonly string[], signal?: AbortSignal): Promise<readonly ChunkSpan[]> {
    const found: ChunkSpan[] = [];
    await this.#lookUp("document", documentIds, SPAN_COLUMNS, undefined, signal, (table) => {
      found.push(...toSpans(table));
    });
    return found.sort(byDocument);
  }

  async #lookUp(
    column: "id" | "document",
    keys: readonly string[],
    columns: readonly string[],
    condition: string | undefined,
    signal: AbortSignal | undefined,
    take: (table: Table) => void,
  ): Promise<void> {
    const unique = [...new Set(keys)];
    for (let i = 0; i < unique.length; i += LOOKUP_IDS_MAX) {
      signal?.throwIfAborted();
      const where = sqlAnd([sqlIn(column, unique.slice(i, i + LOOKUP_IDS_MAX)), condition]);
      await guarded("reading chunks", async () => {
        const query = this.#table.query().select([...columns]);
        take(await (where === undefined ? query : query.where(where)).toArrow());
      });
    }
  }

  async documentsWhere(filter: Filter, signal?: AbortSignal): Promise<ReadonlySet<string>> {
    return guarded("filtering", async () => {
      signal?.throwIfAborted();
      const accepts = metadataTest(filter);
      const accepted = new Set<string>();
      const batches = this.#table.query().where("chunk_index = 0").select(["document", "metadata"]);
      const table = await batches.toArrow();
      const metadata = texts(table, "metadata");
      for (const [i, documentId] of texts(table, "document").entries()) {
        if (accepts({ metadata: metadata[i] ?? "{}" })) accepted.add(documentId);
      }
      return accepted;
    });
  }

  scan(signal?: AbortSignal): AsyncGenerator<readonly ScannedRow[]> {
    return this.#batches(SCAN_COLUMNS, toScannedRows, signal);
  }

  rows(signal?: AbortSignal): AsyncGenerator<readonly StoreRow[]> {
    if (this.#vectorDimension === undefined) return this.scan(signal);
    return this.#batches([...SCAN_COLUMNS, VECTOR_COLUMN], toStoreRows, signal);
  }

  async *#batches<Row>(
    columns: readonly string[],
    toRows: (batch: Columns) => readonly Row[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly Row[]> {
    const batches = this.#table
      .query()
      .select([...columns])
      [Symbol.asyncIterator]();
    for (;;) {
      signal?.throwIfAborted();
      const rows = await guarded("reading all chunks", async () => {
        const { done, value } = await batches.next();
        return done === true ? undefined : toRows(value);
      });
      if (rows === undefined) return;
      yield rows;
    }
  }

  async counts(): Promise<StoreCounts> {
    return guarded("counting", async () => {
      const [chunks, stats] = await Promise.all([this.#table.countRows(), this.#table.indexStats(TERMS_INDEX)]);
      return { chunks, unindexed: stats?.numUnindexedRows ?? chunks };
    });
  }

  async close(): Promise<void> {
    this.#table.close();
  }
}

function toRows(table: Table, score: "_score" | "_distance", whole: boolean, withMetadata: boolean): Row[] {
  const [ids, documents, scores] = [texts(table, "id"), texts(table, "document"), numbers(table, score)];
  const metadata = withMetadata ? texts(table, "metadata") : [];
  const chunks = whole ? toChunks(table) : [];
  return ids.map((id, i) => ({
    id,
    documentId: documents[i] ?? "",
    score: score === "_score" ? (scores[i] ?? 0) : 1 - (scores[i] ?? 0),
    metadata: metadata[i] ?? "{}",
    ...(chunks[i] === undefined ? {} : { chunk: chunks[i] }),
  }));
}

/** Chunks of one document repeat its metadata, so each distinct text is parsed once. */
function metadataTest(filter: Filter): (row: { readonly metadata: string }) => boolean {
  const known = new Map<string, boolean>();
  return ({ metadata }) => {
    const before = known.get(metadata);
    if (before !== undefined) return before;
    const accepted = matchesFilter(filter, parseMetadata(metadata));
    known.set(metadata, accepted);
    return accepted;
  };
}

function notIn(column: string, values: ReadonlySet<string> | undefined): string | undefined {
  return values === undefined || values.size === 0 ? undefined : `NOT (${sqlIn(column, values)})`;
}

function integer(value: number): number {
  return Math.trunc(Math.min(Math.max(value, 0), 2 ** 31 - 1));
}

interface Placed {
  readonly documentId: string;
  readonly index: number;
}

function byDocument(a: Placed, b: Placed): number {
  return a.documentId < b.documentId ? -1 : a.documentId > b.documentId ? 1 : a.index - b.index;
}
