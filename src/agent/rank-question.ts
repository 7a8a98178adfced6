import { toWinnowError } from "../core/errors.ts";
import type { RankedPlace, RecordedChunk, RecordHeader } from "../record/events.ts";
import { type Library, rankInLibrary, toRecordedChunk } from "./tools/retrieve.ts";

export interface QuestionRanking {
  /** The best chunk of each document, best first. */
  readonly entries: readonly RankedPlace[];
  /** Those chunks whole, for documents that are listed unread. */
  readonly chunks: readonly RecordedChunk[];
  /** What the corpora had to say. */
  readonly notices: readonly string[];
}

/**
 * What one query of a run's question ranks. A corpus that cannot be asked now leaves an empty ranking and says why: the
 * policy's own calls may have more luck. Rejects only when the signal aborts.
 */
export async function rankQuestion(
  library: Library,
  header: Pick<RecordHeader, "query" | "documentsMax">,
  signal: AbortSignal,
): Promise<QuestionRanking> {
  try {
    const { documents, notices } = await rankInLibrary(library, header, signal);
    const chunks: RecordedChunk[] = [];
    const entries = documents.flatMap(({ score, hits: [best] }): RankedPlace[] => {
      if (best === undefined) return [];
      const chunk = toRecordedChunk(best.corpus, best.chunk);
      chunks.push(chunk);
      const { key, corpus, documentId, index } = chunk;
      return [{ key, corpus, documentId, index, score }];
    });
    return { entries, chunks, notices };
  } catch (error) {
    signal.throwIfAborted();
    return { entries: [], chunks: [], notices: [toWinnowError(error, "store_failed").message] };
  }
}
