import { WinnowError } from "../core/errors.ts";
import { matchesFilter } from "../core/filter-match.ts";
import type { Chunk } from "../core/types.ts";
import { rankCandidates } from "../retrieval/store/overfetch.ts";
import type {
  Candidate,
  CandidateList,
  CandidateQuery,
  Store,
  StoreReader,
  StoreRow,
  StoreVersion,
  StoreWriter,
} from "../retrieval/store/store.ts";

const BM25_K1 = 1.2;
const BM25_B = 0.75;
const RESULTS_MAX = 20_000;

type Rows = readonly StoreRow[];

/**
 * Exact BM25 scores of all rows that share a term with the query, as Robertson and Zaragoza (2009) define it, with
 * Lucene's idf `ln(1 + (N - n + 0.5) / (n + 0.5))`. The reference that a store's lexical side is compared with.
 */
export function exactBm25(rows: Rows, terms: readonly string[]): Map<string, number> {
  const lengthMean = rows.reduce((sum, row) => sum + row.terms.length, 0) / Math.max(1, rows.length);
  const frequencies = rows.map((row) => {
    const counts = new Map<string, number>();
    for (const term of row.terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    return counts;
  });
  const scores = new Map<string, number>();
  for (const term of terms) {
    const holding = frequencies.filter((counts) => counts.has(term)).length;
    const idf = Math.log(1 + (rows.length - holding + 0.5) / (holding + 0.5));
    for (const [i, row] of rows.entries()) {
      const frequency = frequencies[i]?.get(term);
      if (frequency === undefined) continue;
      const norm = BM25_K1 * (1 - BM25_B + (BM25_B * row.terms.length) / lengthMean);
      const gain = (idf * frequency * (BM25_K1 + 1)) / (frequency + norm);
      scores.set(row.chunk.id, (scores.get(row.chunk.id) ?? 0) + gain);
    }
  }
  return scores;
}

/** A store in memory, exact and slow: for tests, and as proof that the store interface is one. */
export function memoryStore(options: { readonly vectorDimension?: number } = {}): Store {
  const tables = new Map<string, Rows[]>();
  const versionOf = (at: StoreVersion): Rows => {
    const rows = tables.get(at.table)?.[at.version];
    if (rows === undefined) throw new WinnowError("corpus_corrupt", `There is no version ${at.version}.`);
    return rows;
  };
  const writerOf = (table: string): StoreWriter => {
    const versions = tables.get(table) ?? [];
    let rows: Rows = versions.at(-1) ?? [];
    return {
      async append(added) {
        rows = [...rows, ...added];
      },
      async remove(items) {
        const removed = new Set(items);
        rows = rows.filter((row) => !removed.has(row.item));
      },
      async commit() {
        versions.push(rows);
        return { table, version: versions.length - 1 };
      },
      async optimize() {},
      async cleanUp() {},
      counts: async () => ({ chunks: rows.length, unindexed: 0 }),
      reader: () => readerOf(() => rows, options.vectorDimension),
      async close() {},
    };
  };
  return {
    async openReader(at) {
      const rows = versionOf(at);
      return readerOf(() => rows, options.vectorDimension);
    },
    async openWriter(at) {
      versionOf(at);
      tables.set(at.table, (tables.get(at.table) ?? []).slice(0, at.version + 1));
      return writerOf(at.table);
    },
    async createWriter(table) {
      tables.set(table, [[]]);
      return writerOf(table);
    },
    async dropOtherTables(table) {
      for (const other of [...tables.keys()]) if (other !== table) tables.delete(other);
    },
    async close() {},
  };
}

function readerOf(rows: () => Rows, vectorDimension: number | undefined): StoreReader {
  const chunksWhere = (test: (chunk: Chunk) => boolean): Chunk[] =>
    rows()
      .map((row) => row.chunk)
      .filter(test)
      .sort((a, b) => (a.documentId < b.documentId ? -1 : a.documentId > b.documentId ? 1 : a.index - b.index));
  const chunksOf: StoreReader["chunksOf"] = async (documentIds, range) =>
    chunksWhere(
      ({ documentId, index }) =>
        documentIds.includes(documentId) && (range === undefined || (index >= range.from && index <= range.to)),
    );
  return {
    capabilities: {
      lexical: true,
      dense: vectorDimension !== undefined,
      fusion: "client",
      exclusion: { lexical: "native", dense: "native" },
      filters: "native",
      maxResults: RESULTS_MAX,
      writable: true,
    },
    lexical: async (query) => select(rows(), query, exactBm25(rows(), query.terms)),
    async dense(query) {
      if (query.vector.length !== vectorDimension) {
        throw new WinnowError("invalid_argument", "The store has no such vectors.");
      }
      const scored = rows().flatMap(({ chunk, vector }): [string, number][] =>
        vector === undefined || vector === null ? [] : [[chunk.id, cosine(vector, query.vector)]],
      );
      return select(rows(), query, new Map(scored));
    },
    async chunks(ids) {
      const found = new Map(rows().map(({ chunk }) => [chunk.id, chunk]));
      return ids.map((id) => found.get(id)).filter((chunk) => chunk !== undefined);
    },
    chunksOf,
    async spansOf(documentIds) {
      const chunks = await chunksOf(documentIds);
      return chunks.map(({ id, documentId, index, start, end }) => ({ id, documentId, index, start, end }));
    },
    documentsWhere: async (filter) =>
      new Set(chunksWhere((chunk) => matchesFilter(filter, chunk.metadata)).map((chunk) => chunk.documentId)),
    async *scan() {
      yield rows().map(({ chunk, item, terms }) => ({ chunk, item, terms }));
    },
    async *rows() {
      yield rows();
    },
    counts: async () => ({ chunks: rows().length, unindexed: 0 }),
    async close() {},
  };
}

function select(rows: Rows, query: CandidateQuery, scores: ReadonlyMap<string, number>): CandidateList {
  query.signal?.throwIfAborted();
  const found: Candidate[] = [];
  for (const { chunk } of rows) {
    const score = scores.get(chunk.id);
    if (score === undefined || (query.exclude?.has(chunk.id) ?? false)) continue;
    if (query.excludeDocuments?.has(chunk.documentId) ?? false) continue;
    if (matchesFilter(query.where ?? [], chunk.metadata))
      found.push({ id: chunk.id, documentId: chunk.documentId, score });
  }
  return { candidates: rankCandidates(found).slice(0, query.limit), complete: true };
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
