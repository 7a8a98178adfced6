import type { Candidate, CandidateList } from "./store.ts";

/** Rounds of fetching grow by this factor. */
export const OVERFETCH_GROWTH = 4;
/** The most rows that one query may fetch in order to drop most of them. */
export const OVERFETCH_ROWS_MAX = 20_000;

/**
 * A store cuts rows of equal score where it likes. Up to this many rounds are spent on fetching all that tie with the
 * last one kept, so that copies of a text come back in the order of their ids; among more copies than that, any may.
 */
const TIE_ROUNDS_MAX = 2;

export interface OverfetchOptions<Row extends Candidate> {
  /** Best rows first, at most `limit`; fewer only when there are no more. */
  readonly fetch: (limit: number) => Promise<readonly Row[]>;
  readonly keep: (row: Row) => boolean;
  readonly limit: number;
  /** Rows to fetch in the first round; what is known to be dropped should be included. */
  readonly firstRows: number;
  /** Rows to fetch at most, default `OVERFETCH_ROWS_MAX`. */
  readonly rowsMax?: number;
}

/**
 * The best `limit` rows that are kept, found by fetching more and more. `complete` is false only when `rowsMax` rows
 * did not hold enough of them.
 */
export async function overfetch<Row extends Candidate>(options: OverfetchOptions<Row>): Promise<CandidateList> {
  const rowsMax = options.rowsMax ?? OVERFETCH_ROWS_MAX;
  // One more than needed shows whether the next row ties with the last one.
  let rows = Math.min(Math.max(options.firstRows, options.limit) + 1, rowsMax);
  for (let round = 1; ; round++) {
    const fetched = await options.fetch(rows);
    const kept = rankCandidates(fetched.filter(options.keep)).slice(0, options.limit);
    const exhausted = fetched.length < rows;
    const tied = kept[options.limit - 1]?.score === fetched.at(-1)?.score && round <= TIE_ROUNDS_MAX && rows < rowsMax;
    if (exhausted || (kept.length >= options.limit && !tied)) return { candidates: kept, complete: true };
    if (rows >= rowsMax) return { candidates: kept, complete: false };
    rows = Math.min(rows * OVERFETCH_GROWTH, rowsMax);
  }
}

/** Best first, ties by id. */
export function rankCandidates(rows: readonly Candidate[]): Candidate[] {
  return rows
    .map(({ id, documentId, score, chunk }) => ({ id, documentId, score, ...(chunk === undefined ? {} : { chunk }) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
