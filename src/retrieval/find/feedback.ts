import type { Chunk } from "../../core/types.ts";

/**
 * Pseudo-relevance feedback in the manner of RM3 (Abdul-Jaleel et al., UMass at TREC 2004; relevance model 1 of Lavrenko
 * and Croft, SIGIR 2001): the first chunks of a query are taken as relevant, and their strongest terms join it.
 */
export interface FeedbackSettings {
  /** Chunks that are taken as relevant. */
  readonly chunks: number;
  /** Terms that are added at most. */
  readonly terms: number;
  /** Share of the query's own terms in the expanded one, between 0 and 1. */
  readonly queryShare: number;
}

/** The customary settings of RM3, as Anserini ships them. */
export const DEFAULT_FEEDBACK: FeedbackSettings = { chunks: 10, terms: 10, queryShare: 0.5 };

/** A term in more than this share of the candidates tells them apart from nothing. */
const CANDIDATE_SHARE_MAX = 0.25;
const TERM_UNITS_MIN = 2;
const TERM_UNITS_MAX = 20;
/** Weights become repeats of a term, so many in all: fine enough to tell ten terms apart. */
const REPEATS_TOTAL = 100;

export interface FeedbackChunk {
  readonly chunk: Chunk;
  /** Of the first query, above zero. */
  readonly score: number;
}

/**
 * The terms of the expanded query, repeated in proportion to their weights: `queryShare` of the query's own terms, the
 * rest of P(w | R) = Σ P(w | chunk) · score(chunk), normalized over the kept terms. `candidates` are what the query found,
 * best first; the first of them are relevant, all of them show which terms are common. Without candidates the query stays.
 */
export function expandQuery(
  queryTerms: readonly string[],
  candidates: readonly FeedbackChunk[],
  termsOf: (chunk: Chunk) => readonly string[],
  settings: FeedbackSettings = DEFAULT_FEEDBACK,
): string[] {
  const texts = candidates.map(({ chunk }) => termsOf(chunk));
  const model = relevanceModel(candidates.slice(0, settings.chunks), texts);
  const common = (term: string): boolean => holders(term, texts) > CANDIDATE_SHARE_MAX * texts.length;
  const kept = [...model]
    .filter(([term]) => term.length >= TERM_UNITS_MIN && term.length <= TERM_UNITS_MAX)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .filter(([term]) => texts.length < settings.chunks || !common(term))
    .slice(0, settings.terms);
  if (kept.length === 0 || queryTerms.length === 0) return [...queryTerms];
  const total = kept.reduce((sum, [, weight]) => sum + weight, 0);
  const own = Math.max(1, Math.round((settings.queryShare * REPEATS_TOTAL) / queryTerms.length));
  const expanded = queryTerms.flatMap((term) => Array.from({ length: own }, () => term));
  for (const [term, weight] of kept) {
    const repeats = Math.round(((1 - settings.queryShare) * REPEATS_TOTAL * weight) / total);
    for (let i = 0; i < repeats; i++) expanded.push(term);
  }
  return expanded;
}

function relevanceModel(
  relevant: readonly FeedbackChunk[],
  texts: readonly (readonly string[])[],
): Map<string, number> {
  const model = new Map<string, number>();
  for (const [i, { score }] of relevant.entries()) {
    const terms = texts[i] ?? [];
    for (const term of terms) model.set(term, (model.get(term) ?? 0) + score / terms.length);
  }
  return model;
}

function holders(term: string, texts: readonly (readonly string[])[]): number {
  return texts.reduce((count, terms) => count + (terms.includes(term) ? 1 : 0), 0);
}
