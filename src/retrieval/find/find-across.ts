import type { Hit, Notice } from "../../core/types.ts";
import type { CorpusReader, FindAnswer } from "../corpus-reader.ts";
import { compareIds, RRF_K } from "./fuse.ts";

/**
 * One query over several corpora, best first: `ask` is called once for each of them, all at once. Scores of two corpora
 * do not compare, so only ranks are fused (design §4): a hit's score is `1 / (RRF_K + rank in its own corpus)`, ties by
 * chunk id, then by corpus, so that the order of the corpora does not matter. A single corpus keeps its own scores. Every
 * corpus makes the query's vector with its own embedder. A notice that several corpora give alike is given once. Rejects
 * with what a corpus rejects with: a list that silently lacked a corpus would look like an answer.
 */
export async function findAcross<Corpus extends Pick<CorpusReader, "find">>(
  corpora: readonly Corpus[],
  ask: (corpus: Corpus) => Promise<FindAnswer>,
): Promise<FindAnswer> {
  const answers = await Promise.all(corpora.map(ask));
  const [only, ...others] = answers;
  if (only !== undefined && others.length === 0) return only;
  const hits = answers.flatMap((answer) => answer.hits.map((hit, i): Hit => ({ ...hit, score: 1 / (RRF_K + i + 1) })));
  hits.sort((a, b) => b.score - a.score || compareIds(a.chunk.id, b.chunk.id) || compareIds(a.corpus, b.corpus));
  return { hits, notices: distinct(answers.flatMap(({ notices }) => notices)) };
}

function distinct(notices: readonly Notice[]): Notice[] {
  return [...new Map(notices.map((notice) => [JSON.stringify([notice.code, notice.message]), notice])).values()];
}
