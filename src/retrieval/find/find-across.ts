import type { Chunk, Hit, Notice } from "../../core/types.ts";
import type { CorpusReader, FindAnswer, FindQuery } from "../corpus-reader.ts";
import { analyzeQuery, analyzeText } from "../lexical/analyze.ts";
import { compareIds } from "./fuse.ts";
import { demoteNoise } from "./text-form.ts";

/** How answers of several corpora are joined. */
export interface MergeSettings {
  /** The constant of reciprocal rank fusion. */
  readonly k: number;
  /** What a rank among all hits by words counts for, against 1 for the rank within the hit's own corpus. */
  readonly wordsWeight: number;
}

export const DEFAULT_MERGE: MergeSettings = { k: 60, wordsWeight: 1 };

/** BM25's usual constants (Robertson and Zaragoza 2009). */
const K1 = 1.2;
const B = 0.75;

/**
 * One query over several corpora, best first: `ask` is called once for each of them, all at once. Scores of two corpora
 * do not compare, and ranks alone would put the best of a corpus that knows nothing beside the best of one that knows the
 * answer. So a hit has two ranks that are fused: that within its own corpus, and that among the hits of all corpora by
 * BM25, whose frequencies are counted over these hits (merging by what is in the documents: Craswell, Hawking and
 * Thistlewaite 1999). Ties by chunk id, then by corpus, so that the order of the corpora does not matter. A single corpus
 * keeps its own scores. Every corpus makes the query's vector with its own embedder. A notice that several corpora give
 * alike is given once. Rejects with what a corpus rejects with: a list that silently lacked a corpus would look like an
 * answer.
 */
export async function findAcross<Corpus extends Pick<CorpusReader, "find">>(
  corpora: readonly Corpus[],
  { text, mode }: Pick<FindQuery, "text" | "mode">,
  ask: (corpus: Corpus) => Promise<FindAnswer>,
  settings: MergeSettings = DEFAULT_MERGE,
): Promise<FindAnswer> {
  const answers = await Promise.all(corpora.map(ask));
  const [only, ...others] = answers;
  if (only !== undefined && others.length === 0) return only;
  const hits = merged(
    answers.map((answer) => answer.hits),
    text,
    // Who asks by meaning alone wants no words to decide.
    mode === "dense" ? { ...settings, wordsWeight: 0 } : settings,
  );
  return { hits, notices: distinct(answers.flatMap(({ notices }) => notices)) };
}

function merged(lists: readonly (readonly Hit[])[], text: string, { k, wordsWeight }: MergeSettings): readonly Hit[] {
  const all = lists.flatMap((hits) => hits.map((hit, i) => ({ hit, own: i + 1 })));
  const byWords =
    wordsWeight > 0
      ? wordRanks(
          analyzeQuery(text),
          all.map(({ hit }) => hit.chunk),
        )
      : [];
  const scored = all.map(({ hit, own }, i): Hit => {
    const rank = byWords[i];
    return { ...hit, score: 1 / (k + own) + (rank === undefined ? 0 : wordsWeight / (k + rank)) };
  });
  const sorted = scored.sort(
    (a, b) => b.score - a.score || compareIds(a.chunk.id, b.chunk.id) || compareIds(a.corpus, b.corpus),
  );
  // Words alone lifted again what its own corpus demoted.
  return demoteNoise(sorted, text);
}

/** Ranks from 1 of the chunks that share a word with the query, undefined for the others; equal ones share the better rank. */
function wordRanks(query: readonly string[], chunks: readonly Chunk[]): (number | undefined)[] {
  const scores = wordScores(query, chunks);
  const ranks = new Map<number, number>();
  for (const [i, score] of [...scores].sort((a, b) => b - a).entries()) {
    if (score > 0 && !ranks.has(score)) ranks.set(score, i + 1);
  }
  return scores.map((score) => ranks.get(score));
}

/** BM25 of the query's terms for each chunk, its title and headings included, as they are when they are indexed. */
function wordScores(query: readonly string[], chunks: readonly Chunk[]): number[] {
  const wanted = new Set(query);
  const counted = chunks.map(({ title, headings, text }) => {
    const terms = analyzeText([title, ...headings, text].join("\n"));
    const counts = new Map<string, number>();
    for (const term of terms) if (wanted.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
    return { counts, length: terms.length };
  });
  const averageLength = counted.reduce((sum, { length }) => sum + length, 0) / Math.max(1, counted.length);
  const weights = new Map(
    [...wanted].map((term) => {
      const frequency = counted.filter(({ counts }) => counts.has(term)).length;
      return [term, Math.log(1 + (chunks.length - frequency + 0.5) / (frequency + 0.5))] as const;
    }),
  );
  return counted.map(({ counts, length }) => {
    let score = 0;
    for (const [term, count] of counts) {
      const norm = count + K1 * (1 - B + (B * length) / averageLength);
      score += ((weights.get(term) ?? 0) * count * (K1 + 1)) / norm;
    }
    return score;
  });
}

function distinct(notices: readonly Notice[]): Notice[] {
  return [...new Map(notices.map((notice) => [JSON.stringify([notice.code, notice.message]), notice])).values()];
}
