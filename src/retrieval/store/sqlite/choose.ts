import type { Filter } from "../../../core/filter.ts";
import { matchesFilter } from "../../../core/filter-match.ts";
import { rankCandidates } from "../overfetch.ts";
import type { Candidate, CandidateList, CandidateQuery } from "../store.ts";
import { rankedBlocks, type ScoredRows } from "./ranking.ts";
import { parseMetadata } from "./row-codec.ts";
import type { LiveSegment } from "./segment.ts";

/** Rows of equal score that are put in the order of their ids; among more copies of a text than that, any may come. */
const TIED_ROWS_MAX = 5_000;
/** Rows whose metadata is read one by one, best first, before all metadata is read through at once. */
const TRIED_ROWS_MAX = 2_000;

/** The best rows that the query lets through: exact, whatever it excludes or filters. */
export function chooseCandidates(
  live: readonly LiveSegment[],
  scored: ScoredRows,
  query: CandidateQuery,
): CandidateList {
  const accepts = filterOf(live, query.where ?? []);
  const kept: Candidate[] = [];
  let tied = 0;
  for (const block of rankedBlocks(scored)) {
    for (const place of block) {
      const score = scored.scores[place] ?? 0;
      if (kept.length >= query.limit) {
        if (score < (kept.at(-1)?.score ?? 0) || tied++ >= TIED_ROWS_MAX) return listOf(kept, query.limit);
      }
      const [at, n] = [scored.segments[place] ?? 0, scored.rows[place] ?? 0];
      if (!accepts(at, n)) continue;
      const { id, documentId } = live[at]?.segment.idsOf(n) ?? { id: "", documentId: "" };
      if (query.exclude?.has(id) === true || query.excludeDocuments?.has(documentId) === true) continue;
      kept.push({ id, documentId, score });
    }
  }
  return listOf(kept, query.limit);
}

function listOf(kept: readonly Candidate[], limit: number): CandidateList {
  return { candidates: rankCandidates(kept).slice(0, limit), complete: true };
}

/** Chunks of one document repeat its metadata, so each distinct text is parsed once. */
export function metadataTest(filter: Filter): (metadata: string) => boolean {
  const known = new Map<string, boolean>();
  return (metadata) => {
    const before = known.get(metadata);
    if (before !== undefined) return before;
    const accepted = matchesFilter(filter, parseMetadata(metadata));
    known.set(metadata, accepted);
    return accepted;
  };
}

/** Whether the filter accepts a row. A filter that accepts little would have nearly all rows looked up one by one. */
function filterOf(live: readonly LiveSegment[], filter: Filter): (segment: number, n: number) => boolean {
  if (filter.length === 0) return () => true;
  const test = metadataTest(filter);
  let tried = 0;
  let accepted: readonly Uint8Array[] | undefined;
  return (at, n) => {
    const part = live[at]?.segment;
    if (part === undefined) return false;
    if (tried++ < TRIED_ROWS_MAX) return test(part.metadataOf(n));
    accepted ??= live.map(({ segment }) => {
      const mask = new Uint8Array(segment.rows);
      for (const row of segment.allMetadata("rows")) if (test(row.metadata)) mask[row.n] = 1;
      return mask;
    });
    return accepted[at]?.[n] === 1;
  };
}
