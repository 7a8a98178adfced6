import type { Hit, Notice } from "../../core/types.ts";
import type { CorpusReader, FindQuery } from "../corpus-reader.ts";
import { findAcross } from "./find-across.ts";
import { CHUNKS_MAX } from "./find-chunks.ts";

/** Chunks that are asked for at first for each document wanted, and times as many each time that they were too few. */
const CHUNKS_PER_DOCUMENT = 3;
const GROWTH = 4;

export interface RankQuery extends Omit<FindQuery, "chunksMax"> {
  /** Documents at most, from 1. */
  readonly documentsMax: number;
}

export interface RankedHits {
  /** Best first; of more documents than were asked for where their chunks came along. */
  readonly hits: readonly Hit[];
  readonly notices: readonly Notice[];
}

/** The hits of one query over all corpora, so many that they belong to `documentsMax` documents where there are that many. */
export function rankHits(corpora: readonly CorpusReader[], query: RankQuery): Promise<RankedHits> {
  return findAcross(corpora, query, (corpus) => findEnough(corpus, query));
}

/** Asks for more chunks until they belong to enough documents: several chunks of one document may lead the list. */
async function findEnough(corpus: CorpusReader, { documentsMax, ...query }: RankQuery): Promise<RankedHits> {
  for (
    let chunksMax = Math.min(CHUNKS_MAX, documentsMax * CHUNKS_PER_DOCUMENT);
    ;
    chunksMax = Math.min(CHUNKS_MAX, chunksMax * GROWTH)
  ) {
    const answer = await corpus.find({ ...query, chunksMax });
    const documents = new Set(answer.hits.map((hit) => hit.chunk.documentId)).size;
    if (documents >= documentsMax || answer.hits.length < chunksMax || chunksMax === CHUNKS_MAX) return answer;
  }
}
