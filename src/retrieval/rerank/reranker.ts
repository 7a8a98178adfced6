import { deadline } from "../../core/deadline.ts";
import { type ErrorCode, toWinnowError, WinnowError } from "../../core/errors.ts";
import type { Hit, Notice } from "../../core/types.ts";
import { indexedText } from "../corpus/indexed-text.ts";

/** Judges texts against a query with a model that reads both together. */
export interface Reranker {
  /** Kind and model, e.g. `cohere:rerank-v3.5`. Never holds an address or a key. */
  readonly name: string;
  /** One score for each text, in their order; higher is better, and only orders this list. Rejects with `rerank_failed`, `timeout` or `cancelled`. */
  score(query: string, texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]>;
}

/** The notice is named like the error behind it, whatever kept the reranker from answering. */
const NOTICE_CODE: ErrorCode = "rerank_failed";
/** Hits that are judged; those behind keep their order after them. */
export const RERANK_HITS_MAX = 50;
/** How long a query waits for its judgement, retries included, before it goes on without. */
export const RERANK_TIMEOUT_MS = 30_000;

/**
 * The hits in the order of the reranker's scores, ties in the order they had, each with its rank and with a score that
 * orders the list (its reciprocal rank). A reranker that fails costs only its effect: the hits come back as they were,
 * with a notice. Rejects only when the caller's signal aborts.
 */
export async function rerankHits(
  reranker: Reranker,
  query: string,
  hits: readonly Hit[],
  signal?: AbortSignal,
): Promise<{ readonly hits: readonly Hit[]; readonly notices: readonly Notice[] }> {
  if (hits.length === 0) return { hits, notices: [] };
  const judged = hits.slice(0, RERANK_HITS_MAX);
  const timer = deadline(RERANK_TIMEOUT_MS);
  try {
    const either = signal === undefined ? timer : AbortSignal.any([signal, timer]);
    const texts = judged.map(({ chunk }) => indexedText(chunk));
    const scores = await reranker.score(query, texts, either);
    if (scores.length !== texts.length || !scores.every(Number.isFinite)) {
      throw new WinnowError("rerank_failed", `${reranker.name} gave other scores than one for each text.`);
    }
    const order = [...judged.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
    const first = order.flatMap((i, rank): Hit[] => {
      const hit = judged[i];
      return hit === undefined ? [] : [{ ...hit, rerankRank: rank + 1, score: 1 / (rank + 1) }];
    });
    const rest = hits.slice(RERANK_HITS_MAX).map((hit, i) => ({ ...hit, score: 1 / (judged.length + i + 1) }));
    return { hits: [...first, ...rest], notices: [] };
  } catch (error) {
    if (signal?.aborted === true) throw toWinnowError(signal.reason, "cancelled");
    const { message, hint } = toWinnowError(error, "rerank_failed");
    const told = hint === undefined ? message : `${message} ${hint}`;
    return { hits, notices: [{ code: NOTICE_CODE, message: `The results were not reranked: ${told}` }] };
  }
}
