import { type ErrorCode, toWinnowError, WinnowError } from "../../core/errors.ts";
import type { Chunk, Hit, Notice } from "../../core/types.ts";
import { indexedText } from "../corpus/indexed-text.ts";
import { chunkKey, type FindAnswer, type FindQuery } from "../corpus-reader.ts";
import { analyzeQuery, analyzeText } from "../lexical/analyze.ts";
import type { CandidateList, StoreReader } from "../store/store.ts";
import type { EmbedderIdentity, EmbedQuery } from "./embed-query.ts";
import { expandQuery } from "./feedback.ts";
import { type Fused, fuse } from "./fuse.ts";
import { fuseInteraction, fuseScores, type ScoredId } from "./fuse-scores.ts";
import { DEFAULT_FUSION, isRankFusion } from "./fusion-settings.ts";
import type { ScorePassages } from "./score-passages.ts";
import { demoteNoise } from "./text-form.ts";

/** Most chunks that one query returns. */
export const CHUNKS_MAX = 1_000;
/** Where ranks are fused, candidates of each kind are at least this many, and so many for each chunk that is asked for. */
const CANDIDATES_MIN = 25;
const CANDIDATES_PER_CHUNK = 3;
/** Where scores are fused, so many for each chunk, and never fewer than the pool: a longer list begins as a short one does. */
const POOL_PER_CHUNK = 2;
/** Chunks of the first round that show which terms are common among what a query finds. */
const FEEDBACK_CANDIDATES = 50;
/** Hits beyond those wanted that may move up for lists of links, encoded data and the like. */
const DEMOTED_MAX = 10;
/** Terms of a query that are looked up; a longer text is a document, and its beginning says what it is about. */
const QUERY_TERMS_MAX = 256;

const LEXICAL_ONLY: Notice = {
  code: "lexical_only",
  message: "The corpus has no vectors; only words were matched. `winnow reembed` makes vectors.",
};
const NO_TERMS: Notice = { code: "no_terms", message: "The query holds no word that can be searched for." };
const QUERY_CUT: Notice = {
  code: "query_cut",
  message: `The query is long; its first ${QUERY_TERMS_MAX} words were searched for.`,
};
/** Failures of the embedder, or of the server where vectors lie elsewhere: words are found without either. */
const DENSE_FAILURES: ReadonlySet<ErrorCode> = new Set([
  "embedder_failed",
  "timeout",
  "dependency_missing",
  "corpus_not_found",
  "limit_exceeded",
]);
const INCOMPLETE: Notice = {
  code: "filter_incomplete",
  message: "The filter excludes so much of what matches that there may be better hits than these.",
};

export interface FindSource {
  /** Name of the corpus. */
  readonly corpus: string;
  readonly store: StoreReader;
  /** The embedder behind the vectors of the corpus, where it has any. */
  readonly embedder?: EmbedderIdentity;
  readonly embedQuery?: EmbedQuery;
  /** The second stage of hybrid mode; without it the first one stands. */
  readonly scorePassages?: ScorePassages;
}

/**
 * One-shot search. Lexical and dense candidates besides those already seen are fetched concurrently in one turn of the
 * store and fused as the settings say: by ranks, or by scores with a second stage that reads the first candidates. The
 * score of a hit is BM25 in lexical mode, cosine in dense mode, the fused score in hybrid mode, less
 * for what is no text to read where a question is asked (`demoteNoise`). Rejects with `invalid_argument` for dense mode where there are no vectors, and with
 * what the embedder rejects with; in hybrid mode an embedder that cannot be asked leaves the lexical half and a notice.
 */
export async function findChunks(source: FindSource, query: FindQuery): Promise<FindAnswer> {
  checkCount(query.chunksMax);
  query.signal?.throwIfAborted();
  const { embedder, embedQuery, store } = source;
  const embed = store.capabilities.dense && embedder !== undefined ? embedQuery : undefined;
  if (query.mode === "dense" && embed === undefined) {
    throw new WinnowError("invalid_argument", `The corpus ${source.corpus} has no vectors to search.`, {
      hint: "Use lexical mode, or make vectors with: winnow reembed",
    });
  }
  const notices: Notice[] = query.mode === "hybrid" && embed === undefined ? [LEXICAL_ONLY] : [];
  // Before the store is asked: who waits for a service that makes vectors keeps nobody from the store.
  const vector =
    query.mode === "lexical" || embedder === undefined
      ? undefined
      : await embed?.(query.text, embedder, query.signal).catch((error: unknown) => degraded(error, query, notices));
  const put = (reader: StoreReader) => findWith({ ...source, store: reader }, query, vector, notices);
  return store.turn === undefined ? put(store) : store.turn(query.signal, put);
}

async function findWith(
  source: FindSource,
  query: FindQuery,
  vector: Float32Array | undefined,
  notices: Notice[],
): Promise<FindAnswer> {
  const dense = vector === undefined ? undefined : denseCandidates(source, query, vector);
  const [lexicalList, denseList] = await Promise.all([
    query.mode === "dense" ? undefined : lexicalCandidates(source, query, notices),
    dense?.catch((error: unknown) => degraded(error, query, notices)),
  ]);
  const expandedList = await expandedCandidates(source, query, lexicalList, denseList);
  if (expandedList !== undefined) {
    return { hits: await toHits(source, query, { lexical: expandedList, dense: denseList }, notices), notices };
  }
  const lists = [lexicalList, denseList].filter((list) => list !== undefined);
  if (lists.some((list) => !list.complete)) notices.push(INCOMPLETE);
  return { hits: await toHits(source, query, { lexical: lexicalList, dense: denseList }, notices), notices };
}

async function lexicalCandidates(source: FindSource, query: FindQuery, notices: Notice[]): Promise<CandidateList> {
  const terms = analyzeQuery(query.text);
  if (terms.length === 0) notices.push(NO_TERMS);
  if (terms.length > QUERY_TERMS_MAX) notices.push(QUERY_CUT);
  return source.store.lexical({ terms: terms.slice(0, QUERY_TERMS_MAX), ...candidateQuery(source, query) });
}

/** The lexical half again, for the query with what its best chunks add; undefined where that is not asked for. */
async function expandedCandidates(
  source: FindSource,
  query: FindQuery,
  lexical: CandidateList | undefined,
  dense: CandidateList | undefined,
): Promise<CandidateList | undefined> {
  if (query.feedback === undefined || lexical === undefined) return undefined;
  const first = await toHits(source, { ...query, chunksMax: FEEDBACK_CANDIDATES }, { lexical, dense }, []);
  const terms = analyzeQuery(query.text).slice(0, QUERY_TERMS_MAX);
  const expanded = expandQuery(terms, first, (chunk) => analyzeText(indexedText(chunk)), query.feedback);
  return source.store.lexical({ terms: expanded, ...candidateQuery(source, query) });
}

async function denseCandidates(source: FindSource, query: FindQuery, vector: Float32Array): Promise<CandidateList> {
  // Zeros stand for a text that says nothing to the embedder, and are near to nothing.
  if (vector.every((value) => value === 0)) return { candidates: [], complete: true };
  return source.store.dense({ vector, text: query.text, ...candidateQuery(source, query) });
}

/** What remains of a hybrid query when its dense half failed: nothing of that half, and a notice that says why. */
function degraded(error: unknown, query: FindQuery, notices: Notice[]): undefined {
  const failure = toWinnowError(error, "embedder_failed");
  const isDenseOnly = DENSE_FAILURES.has(failure.code) || failure.retryable;
  if (query.mode !== "hybrid" || query.signal?.aborted === true || !isDenseOnly) throw failure;
  const hint = failure.hint === undefined ? "" : ` ${failure.hint}`;
  notices.push({ code: LEXICAL_ONLY.code, message: `Only words were matched: ${failure.message}${hint}` });
}

function candidateQuery(source: FindSource, query: FindQuery) {
  const fusion = query.fusion ?? DEFAULT_FUSION;
  const limit =
    query.mode !== "hybrid" || isRankFusion(fusion)
      ? Math.max(CANDIDATES_MIN, CANDIDATES_PER_CHUNK * query.chunksMax)
      : Math.max(fusion.pool, POOL_PER_CHUNK * query.chunksMax);
  return {
    limit: Math.min(limit, source.store.capabilities.maxResults),
    exclude: chunkIdsOf(source.corpus, query.exclude),
    ...(query.excludeDocuments === undefined ? {} : { excludeDocuments: query.excludeDocuments }),
    ...(query.where === undefined ? {} : { where: query.where }),
    ...(query.signal === undefined ? {} : { signal: query.signal }),
  };
}

/** The chunks of this corpus among keys of several. */
function chunkIdsOf(corpus: string, keys: ReadonlySet<string> | undefined): ReadonlySet<string> {
  const prefix = chunkKey(corpus, "");
  const own = [...(keys ?? [])].filter((key) => key.startsWith(prefix));
  return new Set(own.map((key) => key.slice(prefix.length)));
}

/** The first `chunksMax` of what was found, whole. A second stage that cannot be had is left out, with a notice. */
async function toHits(
  source: FindSource,
  query: FindQuery,
  { lexical, dense }: Halves,
  notices: Notice[],
): Promise<Hit[]> {
  const byId = new Map<string, Chunk>();
  for (const { chunk } of [...(lexical?.candidates ?? []), ...(dense?.candidates ?? [])]) {
    if (chunk !== undefined) byId.set(chunk.id, chunk);
  }
  const load = async (ids: readonly string[]): Promise<void> => {
    const missing = ids.filter((id) => !byId.has(id));
    if (missing.length === 0) return;
    for (const chunk of await source.store.chunks(missing, query.signal)) byId.set(chunk.id, chunk);
  };
  const fused = joined(query, lexical, dense);
  const read = await readClosely(source, query, { lexical, dense }, { byId, load }, notices);
  const best = (read === undefined ? fused : fuseInteraction(fused, read.scores, read.share)).slice(
    0,
    // Some more than are wanted, so that others move up for what is demoted.
    query.chunksMax + DEMOTED_MAX,
  );
  await load(best.map(({ id }) => id));
  const hits = best.flatMap(({ id, score, ranks: [lexicalRank, denseRank] }): Hit[] => {
    const chunk = byId.get(id);
    if (chunk === undefined) return [];
    return [
      {
        corpus: source.corpus,
        chunk,
        score,
        ...(lexicalRank === undefined ? {} : { lexicalRank }),
        ...(denseRank === undefined ? {} : { denseRank }),
      },
    ];
  });
  return demoteNoise(hits, query.text).slice(0, query.chunksMax);
}

interface Halves {
  readonly lexical: CandidateList | undefined;
  readonly dense: CandidateList | undefined;
}

/** Both halves as one list, best first. A single half keeps its order and its scores. */
function joined(query: FindQuery, lexical: CandidateList | undefined, dense: CandidateList | undefined): Fused[] {
  const only = lexical === undefined ? dense : dense === undefined ? lexical : undefined;
  if (only !== undefined) {
    const own = only === lexical ? 0 : 1;
    return only.candidates.map(({ id, score }, i) => {
      const ranks: [number | undefined, number | undefined] = [undefined, undefined];
      ranks[own] = i + 1;
      return { id, score, ranks };
    });
  }
  const [words, meaning] = [lexical?.candidates ?? [], dense?.candidates ?? []];
  const fusion = query.fusion ?? DEFAULT_FUSION;
  if (!isRankFusion(fusion)) return fuseScores(words, meaning, fusion);
  const { k, lexicalWeight, denseWeight, absentRank } = fusion;
  const ids = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);
  const weighted = [
    { ids: ids(words), weight: lexicalWeight },
    { ids: ids(meaning), weight: denseWeight },
  ];
  return fuse(weighted, { k, ...(absentRank === null ? {} : { absentRank }) });
}

interface Loading {
  readonly byId: ReadonlyMap<string, Chunk>;
  load(ids: readonly string[]): Promise<void>;
}

/** Scores of the second stage for the first candidates of both halves; undefined where there is none, or it failed. */
async function readClosely(
  source: FindSource,
  query: FindQuery,
  { lexical, dense }: Halves,
  { byId, load }: Loading,
  notices: Notice[],
): Promise<{ readonly share: number; readonly scores: readonly ScoredId[] } | undefined> {
  const fusion = query.fusion ?? DEFAULT_FUSION;
  const { scorePassages } = source;
  if (query.mode !== "hybrid" || isRankFusion(fusion) || fusion.interaction === null) return undefined;
  // A single half has scores of its own kind, which do not join.
  if (scorePassages === undefined || lexical === undefined || dense === undefined) return undefined;
  const { candidates, share } = fusion.interaction;
  const first = [...lexical.candidates.slice(0, candidates), ...dense.candidates.slice(0, candidates)];
  const ids = [...new Set(first.map(({ id }) => id))];
  await load(ids);
  const chunks = ids.map((id) => byId.get(id)).filter((chunk) => chunk !== undefined);
  try {
    const scores = await scorePassages(query.text, chunks.map(indexedText), query.signal);
    return { share, scores: chunks.map(({ id }, i) => ({ id, score: scores[i] ?? 0 })) };
  } catch (error) {
    const failure = toWinnowError(error, "embedder_failed");
    if (query.signal?.aborted === true) throw failure;
    notices.push({ code: "first_stage_only", message: `The second stage of ranking was left out: ${failure.message}` });
    return undefined;
  }
}

/** Rejects anything but a whole number from 1 to `CHUNKS_MAX`. */
export function checkCount(chunksMax: number): void {
  if (Number.isInteger(chunksMax) && chunksMax >= 1 && chunksMax <= CHUNKS_MAX) return;
  throw new WinnowError("invalid_argument", `The number of chunks must be a whole number from 1 to ${CHUNKS_MAX}.`);
}
