/**
 * Measures of one query. A list is ranked, best first; a document that comes twice counts where it comes first. Gold is
 * the set of relevant documents. All values lie in 0..1. Pure.
 *
 * Equal to trec_eval's recall, ndcg_cut, set_recall, set_P and set_F to 1e-9 (python/metrics/make_golden.py), given the
 * same order. trec_eval orders a run itself, equal scores by id, last first; here the order is the caller's, and ties
 * were broken before, by id, first first. Without gold trec_eval says 0, which no evaluation of ours meets.
 */

/** Relevant documents of a query with their grades (> 0). */
export type Gold = ReadonlyMap<string, number>;

/** |list ∩ gold| / |gold|; 1 without gold, since nothing is missing. (Manning et al., Introduction to IR, §8.3.) */
export function recall(list: readonly string[], gold: Gold): number {
  return gold.size === 0 ? 1 : hits(list, gold) / gold.size;
}

/** |list ∩ gold| / |list|; 0 for an empty list. (Manning et al., §8.3.) */
export function precision(list: readonly string[], gold: Gold): number {
  const size = new Set(list).size;
  return size === 0 ? 0 : hits(list, gold) / size;
}

/** Harmonic mean 2PR / (P + R); 0 when both are 0. (van Rijsbergen, Information Retrieval, ch. 7.) */
export function f1(list: readonly string[], gold: Gold): number {
  const [p, r] = [precision(list, gold), recall(list, gold)];
  return p + r === 0 ? 0 : (2 * p * r) / (p + r);
}

/** Recall of the first `k` distinct documents, `k` >= 1. Not divided by min(k, |gold|): with k < |gold| it stays below 1. */
export function recallAt(list: readonly string[], gold: Gold, k: number): number {
  return recall(firstDistinct(list, k), gold);
}

/** 1 when the first `k` distinct documents hold all of gold, else 0. */
export function allGoldAt(list: readonly string[], gold: Gold, k: number): number {
  return recallAt(list, gold, k) === 1 ? 1 : 0;
}

/** Recall over everything that a run was shown, pruned or not (Context-1 report, trajectory recall). Order is of no matter. */
export function trajectoryRecall(seen: readonly string[], gold: Gold): number {
  return recall(seen, gold);
}

/**
 * 1 − |pruned ∩ gold| / |pruned| over distinct documents; null without prunes, so that such runs stay out of a mean
 * (Context-1 report, prune accuracy).
 */
export function pruneAccuracy(pruned: readonly string[], gold: Gold): number | null {
  const distinct = new Set(pruned);
  return distinct.size === 0 ? null : 1 - hits(pruned, gold) / distinct.size;
}

/**
 * DCG@k / ideal DCG@k with DCG = Σ grade(i) / log2(i + 1), i from 1, as trec_eval's ndcg_cut; 1 without gold. The ideal
 * order is that of all labelled documents, whether a list could hold them or not. (Järvelin & Kekäläinen 2002, Cumulated
 * gain-based evaluation of IR techniques, with linear gain and the discount log2(rank + 1) of trec_eval's m_ndcg_cut.c.)
 */
export function ndcgAt(list: readonly string[], gold: Gold, k: number): number {
  const ideal = dcg([...gold.values()].sort((a, b) => b - a).slice(0, k));
  return ideal === 0 ? 1 : dcg(firstDistinct(list, k).map((id) => gold.get(id) ?? 0)) / ideal;
}

/**
 * 1 when one of the listed texts holds one of the answers, else 0; null when there are no answers to look for. Both
 * sides are compared as words: NFKC, lower case, everything but letters and numbers one space, whole words only.
 */
export function answerFound(texts: Iterable<string>, answers: readonly string[]): number | null {
  const wanted = answers.map(asWords).filter((answer) => answer.trim() !== "");
  if (wanted.length === 0) return null;
  for (const text of texts) {
    const words = asWords(text);
    if (wanted.some((answer) => words.includes(answer))) return 1;
  }
  return 0;
}

function asWords(text: string): string {
  return ` ${text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim()} `;
}

function firstDistinct(list: readonly string[], k: number): string[] {
  return [...new Set(list)].slice(0, k);
}

function hits(list: readonly string[], gold: Gold): number {
  let count = 0;
  for (const id of new Set(list)) if (gold.has(id)) count++;
  return count;
}

function dcg(grades: readonly number[]): number {
  return grades.reduce((sum, grade, i) => sum + grade / Math.log2(i + 2), 0);
}
