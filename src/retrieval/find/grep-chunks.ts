import type { GrepAnswer, GrepHit, GrepQuery } from "../corpus-reader.ts";
import { type GrepEngine, type GrepMatch, MATCHES_RETURNED_MAX } from "../grep/grep.ts";
import type { ChunkSpan, StoreReader } from "../store/store.ts";
import { checkCount } from "./find-chunks.ts";

export interface GrepSource {
  /** Name of the corpus. */
  readonly corpus: string;
  readonly store: StoreReader;
  readonly engine: GrepEngine;
}

interface MatchedChunk {
  readonly span: ChunkSpan;
  readonly first: GrepMatch;
  matches: number;
}

/** Regular expression search: matches in documents, mapped to the chunks in which they start. */
export async function grepChunks(source: GrepSource, query: GrepQuery): Promise<GrepAnswer> {
  checkCount(query.chunksMax);
  query.signal?.throwIfAborted();
  const { where = [], excludeDocuments, signal } = query;
  const accepted = where.length === 0 ? undefined : await source.store.documentsWhere(where, signal);
  const result = await source.engine.grep({
    pattern: query.pattern,
    ignoreCase: query.ignoreCase ?? false,
    matchesMax: MATCHES_RETURNED_MAX,
    // Every document with a match gives at least one chunk.
    documentsMax: query.chunksMax,
    accept: (id) => !(excludeDocuments?.has(id) ?? false) && (accepted?.has(id) ?? true),
    ...(signal === undefined ? {} : { signal }),
  });
  const { matchesTotal, documentsTotal, truncated, notices } = result;
  const spans = await source.store.spansOf([...new Set(result.matches.map(({ documentId }) => documentId))], signal);
  const matched = locate(result.matches, spans).slice(0, query.chunksMax);
  return { hits: await toGrepHits(source, matched, signal), matchesTotal, documentsTotal, truncated, notices };
}

/** Both lists are ordered by document id, then position, and the spans of a document tile it. */
function locate(matches: readonly GrepMatch[], spans: readonly ChunkSpan[]): MatchedChunk[] {
  const located: MatchedChunk[] = [];
  let next = 0;
  for (const match of matches) {
    const isBefore = (span: ChunkSpan): boolean =>
      span.documentId < match.documentId || (span.documentId === match.documentId && span.end <= match.start);
    let span = spans[next];
    while (span !== undefined && isBefore(span)) span = spans[++next];
    if (span === undefined || span.documentId !== match.documentId) continue;
    const last = located.at(-1);
    if (last?.span === span) last.matches++;
    else located.push({ span, first: match, matches: 1 });
  }
  return located;
}

async function toGrepHits(
  source: GrepSource,
  matched: readonly MatchedChunk[],
  signal: AbortSignal | undefined,
): Promise<GrepHit[]> {
  const chunks = await source.store.chunks(
    matched.map(({ span }) => span.id),
    signal,
  );
  const byId = new Map(chunks.map((chunk) => [chunk.id, chunk]));
  return matched.flatMap(({ span, first, matches }): GrepHit[] => {
    const chunk = byId.get(span.id);
    if (chunk === undefined) return [];
    const { start, end, line, lineText } = first;
    return [{ hit: { corpus: source.corpus, chunk, score: 1 }, match: { start, end, line, lineText }, matches }];
  });
}
