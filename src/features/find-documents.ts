import { systemClock } from "../core/clock.ts";
import { WinnowError } from "../core/errors.ts";
import type { Filter } from "../core/filter.ts";
import { parseFilter } from "../core/filter-parse.ts";
import type { Hit, Metadata, Notice, Passage } from "../core/types.ts";
import type { CorpusReader, FindMode } from "../retrieval/corpus-reader.ts";
import { checkWhere } from "../retrieval/find/check-where.ts";
import type { FeedbackSettings } from "../retrieval/find/feedback.ts";
import type { FusionSettings } from "../retrieval/find/fusion-settings.ts";
import { type RankedDocument, rankDocuments } from "../retrieval/find/rank-documents.ts";
import { rankHits } from "../retrieval/find/rank-hits.ts";
import type { Reranker } from "../retrieval/rerank/reranker.ts";
import { judgeAbsence } from "./absence.ts";
import { arrange, gather, isOfTime, type QuestionOrder, readOrder, timeNotice } from "./question/question-order.ts";
import { standingNotices } from "./standing-notices.ts";

/** Passages of one document in an answer. */
const PASSAGES_PER_DOCUMENT_MAX = 3;
/** Chunks that one query asks a corpus for at most while it looks for enough documents. */
const CHUNKS_MAX = 1_000;

export interface FindDocumentsOptions {
  readonly text: string;
  readonly mode: FindMode | "grep";
  /** Documents at most. */
  readonly documentsMax: number;
  readonly where?: readonly string[];
  readonly exclude?: readonly string[];
  /** How hybrid mode joins its halves, default `DEFAULT_FUSION`. */
  readonly fusion?: FusionSettings;
  /** Expands the query by what its best chunks hold (pseudo-relevance feedback). */
  readonly feedback?: FeedbackSettings;
  /** Judges the best chunks of lexical, dense and hybrid mode once more. */
  readonly reranker?: Reranker;
  /** What relative times of the query are meant from, milliseconds since the epoch; the present when left out. */
  readonly now?: number;
  readonly signal?: AbortSignal;
}

export interface FoundDocument {
  readonly id: string;
  readonly corpus: string;
  readonly uri: string;
  readonly title: string;
  readonly metadata: Metadata;
  readonly rank: number;
  /** Of its best chunk; orders this list only, but for documents that a time or a form of the query puts first. */
  readonly score: number;
  readonly chunkIds: readonly string[];
  readonly passages: readonly Passage[];
  /** Ranks of the best chunk within each half of the search, where it has them. */
  readonly lexicalRank?: number;
  readonly denseRank?: number;
  readonly rerankRank?: number;
}

export interface FoundDocuments {
  readonly schema: "find/1";
  readonly query: string;
  readonly mode: FindMode | "grep";
  readonly corpora: readonly string[];
  readonly documents: readonly FoundDocument[];
  /** Grep only. */
  readonly matchesTotal?: number;
  readonly documentsTotal?: number;
  readonly notices: readonly Notice[];
}

/** One query over open corpora, without an agent. Lists count documents. Rejects with `WinnowError`. */
export async function findDocuments(
  corpora: readonly CorpusReader[],
  options: FindDocumentsOptions,
): Promise<FoundDocuments> {
  const found = await query(corpora, options);
  return { ...found, notices: [...found.notices, ...(await standingNotices(corpora, found.documents))] };
}

async function query(corpora: readonly CorpusReader[], options: FindDocumentsOptions): Promise<FoundDocuments> {
  const text = options.text.trim();
  if (text === "")
    throw new WinnowError("invalid_argument", "The query is empty.", {
      hint: 'Example: winnow find "connection pool"',
    });
  const where = parseFilter(options.where ?? []);
  await checkWhere(corpora, where);
  const shared = {
    schema: "find/1" as const,
    query: text,
    mode: options.mode,
    corpora: corpora.map((corpus) => corpus.name),
  };
  const { mode } = options;
  if (mode === "grep") {
    const { hits, notices, ...totals } = await grepAll(corpora, text, options, where);
    return { ...shared, documents: toDocuments(hits, options.documentsMax), ...totals, notices };
  }
  const order = await readOrder(text, corpora, options.now ?? systemClock.now());
  const { fusion, feedback } = options;
  const ask = (more: Filter) =>
    rankHits(corpora, {
      text,
      mode,
      documentsMax: options.documentsMax,
      where: [...where, ...more],
      excludeDocuments: new Set(options.exclude ?? []),
      ...(fusion && { fusion }),
      ...(feedback && { feedback }),
      ...(options.signal && { signal: options.signal }),
    });
  const { hits: answers, notices } = await ask([]);
  const hits = order === undefined ? answers : await gather(order, answers, async (more) => (await ask(more)).hits);
  const { reranker, documentsMax, signal } = options;
  const excludeDocuments = new Set(options.exclude ?? []);
  const absence = await judgeAbsence(corpora, { text, mode, hits, where, excludeDocuments, signal, order });
  const told = [...notices, ...absence.notices];
  if (absence.isUnlisted) return { ...shared, documents: [], notices: told };
  if (reranker === undefined) return { ...shared, ...listDocuments(hits, documentsMax, told, order) };
  const { rerankHits } = await import("../retrieval/rerank/reranker.ts");
  const reranked = await rerankHits(reranker, text, hits, signal);
  return { ...shared, ...listDocuments(reranked.hits, documentsMax, [...told, ...reranked.notices], order) };
}

interface Answer {
  readonly hits: readonly Hit[];
  readonly notices: readonly Notice[];
}

async function grepAll(
  corpora: readonly CorpusReader[],
  pattern: string,
  options: FindDocumentsOptions,
  where: Filter,
): Promise<Answer & { readonly matchesTotal: number; readonly documentsTotal: number }> {
  const answers = await Promise.all(
    corpora.map((corpus) =>
      corpus.grep({
        pattern,
        chunksMax: CHUNKS_MAX,
        where,
        excludeDocuments: new Set(options.exclude ?? []),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
    ),
  );
  const hits = answers.flatMap((answer) =>
    answer.hits.map(({ hit, match }): Hit => {
      const { start, end, line, lineText } = match;
      // The passage of a grep hit is its line, not the chunk around it.
      return { ...hit, score: 1, chunk: { ...hit.chunk, start, end, line, text: lineText } };
    }),
  );
  return {
    hits,
    notices: answers.flatMap((answer) => answer.notices),
    matchesTotal: answers.reduce((total, answer) => total + answer.matchesTotal, 0),
    documentsTotal: answers.reduce((total, answer) => total + answer.documentsTotal, 0),
  };
}

function listDocuments(
  hits: readonly Hit[],
  documentsMax: number,
  notices: readonly Notice[],
  order: QuestionOrder | undefined,
): Pick<FoundDocuments, "documents" | "notices"> {
  if (order === undefined) return { documents: toDocuments(hits, documentsMax), notices };
  const documents = toDocuments(hits, documentsMax, (ranked) => arrange(order, ranked, ({ hits: [best] }) => best));
  const known = new Set(documents.flatMap(({ chunkIds }) => chunkIds));
  const isTimed = hits.some((hit) => known.has(hit.chunk.id) && isOfTime(order, hit));
  return { documents, notices: isTimed ? [...notices, ...timeNotice(order)] : notices };
}

function toDocuments(
  hits: readonly Hit[],
  documentsMax: number,
  reorder: (ranked: readonly RankedDocument[]) => readonly RankedDocument[] = (ranked) => ranked,
): FoundDocument[] {
  return reorder(rankDocuments(hits))
    .slice(0, documentsMax)
    .flatMap(({ hits: group }, i) => {
      const [best] = group;
      return best === undefined ? [] : [foundDocument(group, best, i + 1)];
    });
}

function foundDocument(hits: readonly Hit[], best: Hit, rank: number): FoundDocument {
  const { chunk, corpus, score, lexicalRank, denseRank, rerankRank } = best;
  return {
    id: chunk.documentId,
    corpus,
    uri: chunk.uri,
    title: chunk.title,
    metadata: chunk.metadata,
    rank,
    score,
    chunkIds: hits.map((hit) => hit.chunk.id),
    passages: hits
      .slice(0, PASSAGES_PER_DOCUMENT_MAX)
      .map((hit) => ({ start: hit.chunk.start, end: hit.chunk.end, text: hit.chunk.text, line: hit.chunk.line })),
    ...(lexicalRank === undefined ? {} : { lexicalRank }),
    ...(denseRank === undefined ? {} : { denseRank }),
    ...(rerankRank === undefined ? {} : { rerankRank }),
  };
}
