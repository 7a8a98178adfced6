import { WinnowError } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { matchesFilter } from "../../core/filter-match.ts";
import { provenanceOf } from "../../core/provenance.ts";
import type { Chunk, Hit } from "../../core/types.ts";
import type { RecordedChunk } from "../../record/events.ts";
import {
  type CorpusReader,
  chunkKey,
  type FindMode,
  type GrepAnswer,
  type GrepHit,
} from "../../retrieval/corpus-reader.ts";
import { checkWhere } from "../../retrieval/find/check-where.ts";
import { findAcross } from "../../retrieval/find/find-across.ts";
import type { FusionSettings } from "../../retrieval/find/fusion-settings.ts";
import { type RankedDocument, rankDocuments } from "../../retrieval/find/rank-documents.ts";
import { rankHits } from "../../retrieval/find/rank-hits.ts";

/** What a run searches: its corpora and what the caller ruled out. */
export interface Library {
  readonly corpora: readonly CorpusReader[];
  readonly mode: FindMode;
  readonly fusion?: FusionSettings;
  readonly where: Filter;
  readonly excludeDocuments: ReadonlySet<string>;
  /** Puts what a query found in another order, best first; `ask` puts the query to the documents that a filter accepts. */
  readonly arrange?: (hits: readonly Hit[], ask: (where: Filter) => Promise<readonly Hit[]>) => Promise<readonly Hit[]>;
}

/** One query over all corpora, best first, at most `chunksMax` hits. Rejects with `invalid_filter` as `checkWhere` does. */
export async function searchLibrary(
  library: Library,
  query: {
    readonly text: string;
    readonly where: Filter;
    readonly chunksMax: number;
    readonly exclude: ReadonlySet<string>;
  },
  signal: AbortSignal,
): Promise<{ readonly hits: readonly Hit[]; readonly notices: readonly string[] }> {
  await checkWhere(library.corpora, query.where);
  const { mode, fusion, excludeDocuments } = library;
  const shared = { ...query, mode, excludeDocuments, signal, ...(fusion === undefined ? {} : { fusion }) };
  const ask = (more: Filter) => {
    const where = [...library.where, ...query.where, ...more];
    return findAcross(library.corpora, shared, (corpus) => corpus.find({ ...shared, where }));
  };
  const { hits, notices } = await ask([]);
  const arranged = await library.arrange?.(hits, async (more) => (await ask(more)).hits);
  return { hits: (arranged ?? hits).slice(0, query.chunksMax), notices: notices.map(({ message }) => message) };
}

/** The documents that one query of the question ranks, as `find` does. */
export async function rankInLibrary(
  library: Library,
  { query, documentsMax }: { readonly query: string; readonly documentsMax: number },
  signal: AbortSignal,
): Promise<{ readonly documents: readonly RankedDocument[]; readonly notices: readonly string[] }> {
  const { corpora, mode, fusion, excludeDocuments } = library;
  const asked = { text: query, mode, documentsMax, excludeDocuments, signal, ...(fusion && { fusion }) };
  const ask = (more: Filter) => rankHits(corpora, { ...asked, where: [...library.where, ...more] });
  const { hits, notices } = await ask([]);
  const arranged = await library.arrange?.(hits, async (more) => (await ask(more)).hits);
  const documents = rankDocuments(arranged ?? hits).slice(0, documentsMax);
  return { documents, notices: notices.map(({ message }) => message) };
}

export async function grepLibrary(
  library: Library,
  query: { readonly pattern: string; readonly where: Filter; readonly chunksMax: number },
  signal: AbortSignal,
): Promise<
  Omit<GrepAnswer, "hits" | "notices"> & { readonly hits: readonly GrepHit[]; readonly notices: readonly string[] }
> {
  await checkWhere(library.corpora, query.where);
  const answers = await Promise.all(
    library.corpora.map((corpus) =>
      corpus.grep({
        pattern: query.pattern,
        chunksMax: query.chunksMax,
        where: [...library.where, ...query.where],
        excludeDocuments: library.excludeDocuments,
        signal,
      }),
    ),
  );
  return {
    hits: answers.flatMap((answer) => answer.hits).slice(0, query.chunksMax),
    matchesTotal: answers.reduce((total, answer) => total + answer.matchesTotal, 0),
    documentsTotal: answers.reduce((total, answer) => total + answer.documentsTotal, 0),
    truncated: answers.some((answer) => answer.truncated),
    notices: answers.flatMap((answer) => answer.notices.map((notice) => notice.message)),
  };
}

/** Documents that one join looks at, oldest first. */
const JOINED_DOCUMENTS_MAX = 50;

/**
 * Chunks of the documents that share a value of metadata, in every corpus that has the key: oldest document first, each
 * from its beginning, at most `chunksMax`. Rejects with `invalid_filter` for a key that no document carries.
 */
export async function followInLibrary(
  library: Library,
  { where, chunksMax }: { readonly where: Filter; readonly chunksMax: number },
  signal: AbortSignal,
): Promise<{ readonly chunks: readonly (readonly [corpus: string, chunk: Chunk])[]; readonly documents: number }> {
  await checkWhere(library.corpora, where);
  const all = [...library.where, ...where];
  const found: { readonly corpus: CorpusReader; readonly id: string; readonly date: number }[] = [];
  for (const corpus of library.corpora) {
    const { documents } = await corpus.documents({ where: all, signal });
    for (const { id, metadata } of documents) {
      if (library.excludeDocuments.has(id)) continue;
      found.push({ corpus, id, date: provenanceOf(metadata).date ?? 0 });
    }
  }
  // Ids of turns count up, so they order what bears the same date.
  found.sort((a, b) => a.date - b.date || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const chunks: (readonly [string, Chunk])[] = [];
  for (const { corpus, id } of found.slice(0, JOINED_DOCUMENTS_MAX)) {
    if (chunks.length >= chunksMax) break;
    const read = await corpus.read({ documentId: id, to: chunksMax - chunks.length - 1, signal });
    for (const chunk of read) chunks.push([corpus.name, chunk]);
  }
  return { chunks, documents: found.length };
}

/** All chunks of a document; looked for in the named corpus, or in each one in turn. */
export async function readFromLibrary(
  library: Library,
  document: { readonly corpus?: string; readonly id: string },
  range: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<{ readonly corpus: string; readonly chunks: readonly Chunk[] }> {
  let missing: unknown = new WinnowError("document_not_found", `There is no document ${document.id}.`);
  if (library.excludeDocuments.has(document.id)) throw missing;
  for (const corpus of library.corpora) {
    if (document.corpus !== undefined && corpus.name !== document.corpus) continue;
    try {
      const chunks = await corpus.read({ documentId: document.id, ...range, signal });
      // What the caller ruled out cannot be read either, whoever asks for it.
      if (chunks.some((chunk) => !matchesFilter(library.where, chunk.metadata))) throw missing;
      return { corpus: corpus.name, chunks };
    } catch (error) {
      if (!(WinnowError.isInstance(error) && error.code === "document_not_found")) throw error;
      missing = error;
    }
  }
  throw missing;
}

export function toRecordedChunk(corpus: string, chunk: Chunk): RecordedChunk {
  return {
    key: chunkKey(corpus, chunk.id),
    corpus,
    id: chunk.id,
    documentId: chunk.documentId,
    index: chunk.index,
    count: chunk.count,
    start: chunk.start,
    end: chunk.end,
    line: chunk.line,
    tokens: chunk.tokens,
    title: chunk.title,
    headings: chunk.headings,
    uri: chunk.uri,
    metadata: chunk.metadata,
    text: chunk.text,
  };
}
