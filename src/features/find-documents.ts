import { systemClock } from "../core/clock.ts";
import { WinnowError } from "../core/errors.ts";
import type { Filter } from "../core/filter.ts";
import { parseFilter } from "../core/filter-parse.ts";
import type { DocumentName, Hit, Metadata, Notice, Passage } from "../core/types.ts";
import type { CorpusReader, FindMode } from "../retrieval/corpus-reader.ts";
import { checkWhere } from "../retrieval/find/check-where.ts";
import type { FeedbackSettings } from "../retrieval/find/feedback.ts";
import type { FusionSettings } from "../retrieval/find/fusion-settings.ts";
import { type RankedDocument, rankDocuments } from "../retrieval/find/rank-documents.ts";
import { rankHits } from "../retrieval/find/rank-hits.ts";
import type { Reranker } from "../retrieval/rerank/reranker.ts";
import { judgeAbsence } from "./absence.ts";
import { type DistinctDocument, foldDuplicates } from "./fold-duplicates.ts";
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
  /** Documents that say the same in the same words and take no place of their own; none in grep mode. */
  readonly duplicates: readonly DocumentName[];
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
  const { mode, reranker, documentsMax, signal } = options;
  if (mode === "grep") {
    const { hits, notices, ...totals } = await grepAll(corpora, text, options, where);
    // Grep tells where a text stands: every place counts, and lines that match are alike.
    const documents = rankDocuments(hits).slice(0, documentsMax);
    const named = documents.map((document) => ({ ...document, duplicates: [] }));
    return { ...shared, documents: toDocuments(named), ...totals, notices };
  }
  const order = await readOrder(text, corpora, options.now ?? systemClock.now());
  const { fusion, feedback } = options;
  const excludeDocuments = new Set(options.exclude ?? []);
  const put = (wanted: number, more: Filter): Promise<Answer> =>
    rankHits(corpora, {
      text,
      mode,
      documentsMax: wanted,
      where: [...where, ...more],
      excludeDocuments,
      ...(fusion && { fusion }),
      ...(feedback && { feedback }),
      ...(signal && { signal }),
    });
  const ask = async (wanted: number): Promise<Answer> => {
    const { hits, notices } = await put(wanted, []);
    if (order === undefined) return { hits, notices };
    return { hits: await gather(order, hits, async (more) => (await put(wanted, more)).hits), notices };
  };
  const first = await ask(documentsMax);
  const absence = await judgeAbsence(corpora, { text, mode, hits: first.hits, where, excludeDocuments, signal, order });
  const told = [...first.notices, ...absence.notices];
  if (absence.isUnlisted) return { ...shared, documents: [], notices: told };
  if (reranker === undefined) {
    const documents = await distinctDocuments(corpora, first, ask, options, order);
    return { ...shared, ...listed(documents, told, order) };
  }
  const { rerankHits } = await import("../retrieval/rerank/reranker.ts");
  const reranked = await rerankHits(reranker, text, first.hits, signal);
  const ranked = inOrder(rankDocuments(reranked.hits), order);
  const documents = await foldDuplicates(corpora, ranked, documentsMax, signal);
  return { ...shared, ...listed(documents, [...told, ...reranked.notices], order) };
}

/** Asks for more documents where so many are near-duplicates that too few are left of those that were asked for. */
async function distinctDocuments(
  corpora: readonly CorpusReader[],
  first: Answer,
  ask: (wanted: number) => Promise<Answer>,
  { documentsMax, signal }: FindDocumentsOptions,
  order: QuestionOrder | undefined,
): Promise<readonly DistinctDocument[]> {
  let answer = first;
  for (let wanted = documentsMax; ; wanted *= 2) {
    const ranked = inOrder(rankDocuments(answer.hits), order);
    const documents = await foldDuplicates(corpora, ranked, documentsMax, signal);
    const isAll = ranked.length < wanted || wanted >= CHUNKS_MAX;
    if (documents.length >= documentsMax || isAll) return documents;
    answer = await ask(wanted * 2);
  }
}

/** Documents of the time and the kind that the question asks for first. */
function inOrder(ranked: readonly RankedDocument[], order: QuestionOrder | undefined): readonly RankedDocument[] {
  return order === undefined ? ranked : arrange(order, ranked, ({ hits: [best] }) => best);
}

/** The list, and which time was understood where it holds a document of it. */
function listed(
  documents: readonly DistinctDocument[],
  notices: readonly Notice[],
  order: QuestionOrder | undefined,
): Pick<FoundDocuments, "documents" | "notices"> {
  const hits = documents.flatMap((document) => document.hits.slice(0, PASSAGES_PER_DOCUMENT_MAX));
  const isTimed = order !== undefined && hits.some((hit) => isOfTime(order, hit));
  return { documents: toDocuments(documents), notices: isTimed ? [...notices, ...timeNotice(order)] : notices };
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

function toDocuments(ranked: readonly DistinctDocument[]): FoundDocument[] {
  return ranked.flatMap((document, i) => {
    const [best] = document.hits;
    return best === undefined ? [] : [foundDocument(document, best, i + 1)];
  });
}

function foundDocument({ hits, duplicates }: DistinctDocument, best: Hit, rank: number): FoundDocument {
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
    duplicates,
    ...(lexicalRank === undefined ? {} : { lexicalRank }),
    ...(denseRank === undefined ? {} : { denseRank }),
    ...(rerankRank === undefined ? {} : { rerankRank }),
  };
}
