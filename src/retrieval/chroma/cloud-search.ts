import { z } from "zod/mini";
import type { SearchAnswer } from "./answers.ts";
import type { Bm25Options, SparseVector } from "./bm25-vector.ts";

/** Most results that Cloud gives for one query. */
export const CLOUD_RESULTS_MAX = 300;
/** Answers of a server that has no Search interface; a collection that is gone gives the first of them too. */
export const SEARCH_ABSENT_STATUSES: readonly number[] = [404, 501];
/** How deep each of two fused orders goes. What only one of them holds has the place behind the other's last. */
const FUSED_DEPTH = CLOUD_RESULTS_MAX;
/** A record scores WEIGHT / (FUSION_K + place) in each order, places counted from 0. */
const FUSION_K = 60;
const VECTOR_WEIGHT = 1;
const WORDS_WEIGHT = 1;
const VECTORS = "#embedding";
const TEXTS = "#document";

export interface ChromaSearch {
  readonly vector: ArrayLike<number>;
  /** What the vector was made of: a collection that has an index of words is asked for these too. */
  readonly text?: string | undefined;
  /** From 1 to `CLOUD_RESULTS_MAX` on Cloud. */
  readonly limit: number;
  /** Looks at these records only. */
  readonly ids?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface ChromaHit {
  readonly id: string;
  /** Larger is better: the similarity of the vectors, or a sum of reciprocal ranks where words were asked for too. */
  readonly score: number;
}

/** An index of sparse vectors that Chroma's BM25 makes. */
export interface WordIndex {
  /** Of the records' metadata. */
  readonly key: string;
  readonly options: Bm25Options;
}

export interface WordQuery {
  readonly key: string;
  readonly vector: SparseVector;
}

const number = z.optional(z.nullable(z.number()));
const wordIndexSchema = z.looseObject({
  sparse_vector: z.looseObject({
    sparse_vector_index: z.looseObject({
      enabled: z.literal(true),
      config: z.looseObject({
        source_key: z.optional(z.nullable(z.string())),
        embedding_function: z.looseObject({
          name: z.literal("chroma_bm25"),
          config: z.optional(
            z.nullable(
              z.looseObject({
                k: number,
                b: number,
                avg_doc_length: number,
                token_max_length: number,
                stopwords: z.optional(z.nullable(z.array(z.string()))),
              }),
            ),
          ),
        }),
      }),
    }),
  }),
});
const collectionSchema = z.looseObject({ keys: z.record(z.string(), z.unknown()) });

/**
 * The index of words in a collection's schema, that of its documents before any other. Null where there is none, and
 * for what is not understood: nothing depends on it but the order of what is found.
 */
export function wordIndexOf(schema: unknown): WordIndex | null {
  const { keys } = collectionSchema.safeParse(schema).data ?? { keys: {} };
  const found = Object.entries(keys).flatMap(([key, types]) => {
    const config = wordIndexSchema.safeParse(types).data?.sparse_vector.sparse_vector_index.config;
    return config === undefined ? [] : [{ key, config }];
  });
  const best = found.find(({ config }) => config.source_key === TEXTS) ?? found[0];
  if (best === undefined) return null;
  const options = best.config.embedding_function.config;
  return {
    key: best.key,
    options: {
      k: options?.k ?? undefined,
      b: options?.b ?? undefined,
      averageTokens: options?.avg_doc_length ?? undefined,
      tokenCharactersMax: options?.token_max_length ?? undefined,
      stopWords: options?.stopwords ?? undefined,
    },
  };
}

/** The words of a question as the index holds them; undefined without an index, and for a question without words. */
export async function wordQuery(index: WordIndex | null, text = ""): Promise<WordQuery | undefined> {
  if (index === null || text === "") return undefined;
  const { bm25Vector } = await import("./bm25-vector.ts");
  const vector = bm25Vector(text, index.options);
  return vector.indices.length === 0 ? undefined : { key: index.key, vector };
}

/** The body of a request: nearness alone, or fused with words by the server. Only ids and scores are asked for. */
export function searchBody({ vector, limit, ids }: ChromaSearch, words: WordQuery | undefined): unknown {
  const query = Array.from(vector);
  const rank =
    words === undefined
      ? { $knn: { query, key: VECTORS, limit } }
      : fused([reciprocal(VECTOR_WEIGHT, query, VECTORS), reciprocal(WORDS_WEIGHT, words.vector, words.key)]);
  const filter = ids === undefined ? {} : { filter: { "#id": { $in: ids } } };
  return { searches: [{ ...filter, rank, limit: { offset: 0, limit }, select: { keys: ["#score"] } }] };
}

function reciprocal(weight: number, query: readonly number[] | SparseVector, key: string): unknown {
  const place = { $knn: { query, key, limit: FUSED_DEPTH, default: FUSED_DEPTH, return_rank: true } };
  return { $div: { left: { $val: weight }, right: { $sum: [place, { $val: FUSION_K }] } } };
}

/** Servers put the smallest first, so the sum is negated. */
function fused(terms: readonly unknown[]): unknown {
  return { $mul: [{ $sum: terms }, { $val: -1 }] };
}

/** What a server found, best first. */
export function searchHits({ ids, scores }: SearchAnswer, space: string, isFused: boolean): readonly ChromaHit[] {
  return (ids[0] ?? []).map((id, at) => {
    const score = scores?.[0]?.[at] ?? Number.POSITIVE_INFINITY;
    return { id, score: isFused ? -score : similarity(score, space) };
  });
}

/** Larger for nearer. Of unit vectors it is their cosine: half the squared distance is 1 - cos. */
export function similarity(distance: number, space: string): number {
  return space === "l2" ? 1 - distance / 2 : 1 - distance;
}
