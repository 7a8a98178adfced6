import { decodePostings } from "./postings.ts";
import type { ScoredRows } from "./ranking.ts";
import { type LiveSegment, liveRows } from "./segment.ts";

const BM25_K1 = 1.2;
const BM25_B = 0.75;

interface TermRows {
  readonly segment: number;
  readonly row: number;
  readonly count: number;
}

/**
 * BM25 of every live row that holds one of the terms, as Robertson and Zaragoza (2009) define it, with Lucene's idf
 * `ln(1 + (N - n + 0.5) / (n + 0.5))`; all statistics are those of the live rows. A repeated term counts as often.
 */
export function lexicalScores(live: readonly LiveSegment[], terms: readonly string[]): ScoredRows {
  const total = live.reduce((sum, one) => sum + liveRows(one), 0);
  const lengthMean = live.reduce((sum, one) => sum + liveLength(one), 0) / Math.max(1, total);
  const scores = live.map(({ segment }) => new Float64Array(segment.rows));
  const weights = new Map<string, number>();
  for (const term of terms) weights.set(term, (weights.get(term) ?? 0) + 1);
  for (const [term, weight] of weights) {
    const holding = rowsHolding(live, term);
    const idf = Math.log(1 + (total - holding.length + 0.5) / (holding.length + 0.5));
    for (const { segment, row, count } of holding) {
      const ofSegment = scores[segment];
      const length = live[segment]?.segment.lengths[row] ?? 0;
      const norm = BM25_K1 * (1 - BM25_B + (BM25_B * length) / lengthMean);
      if (ofSegment !== undefined) {
        ofSegment[row] = (ofSegment[row] ?? 0) + (weight * idf * count * (BM25_K1 + 1)) / (count + norm);
      }
    }
  }
  return gathered(scores);
}

function rowsHolding(live: readonly LiveSegment[], term: string): TermRows[] {
  const holding: TermRows[] = [];
  for (const [segment, { segment: part, dead }] of live.entries()) {
    const data = part.postings(term);
    if (data === undefined) continue;
    decodePostings(data, (row, count) => {
      if (row >= part.rows) throw new Error("Invalid postings: there is no such row.");
      if (!dead.has(row)) holding.push({ segment, row, count });
    });
  }
  return holding;
}

function liveLength({ segment, dead }: LiveSegment): number {
  let sum = 0;
  for (let n = 0; n < segment.rows; n++) if (!dead.has(n)) sum += segment.lengths[n] ?? 0;
  return sum;
}

/** Rows with a score above 0: every row that holds a term has one, since no idf is 0. */
function gathered(scores: readonly Float64Array[]): ScoredRows {
  const count = scores.reduce((sum, one) => sum + one.reduce((found, score) => found + (score > 0 ? 1 : 0), 0), 0);
  const result = emptyRows(count);
  let at = 0;
  for (const [segment, ofSegment] of scores.entries()) {
    for (let row = 0; row < ofSegment.length; row++) {
      const score = ofSegment[row] ?? 0;
      if (score > 0) put(result, at++, segment, row, score);
    }
  }
  return result;
}

/** The cosine of every live row that has a vector. */
export function denseScores(live: readonly LiveSegment[], vector: Float32Array): ScoredRows {
  const length = Math.hypot(...vector);
  const unit = Float64Array.from(vector, (value) => (length === 0 ? 0 : value / length));
  const result = emptyRows(live.reduce((sum, one) => sum + liveRows(one), 0));
  let at = 0;
  for (const [segment, { segment: part, dead }] of live.entries()) {
    for (const { rows, data, scales } of part.vectorBlocks()) {
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i] ?? 0;
        if (dead.has(row)) continue;
        put(result, at++, segment, row, dot(unit, data, i * unit.length) * (scales[i] ?? 0));
      }
    }
  }
  return { ...result, count: at };
}

function dot(unit: Float64Array, data: Float32Array, from: number): number {
  let sum = 0;
  for (let j = 0; j < unit.length; j++) sum += (unit[j] ?? 0) * (data[from + j] ?? 0);
  return sum;
}

function emptyRows(count: number): ScoredRows {
  return { count, segments: new Int32Array(count), rows: new Int32Array(count), scores: new Float64Array(count) };
}

function put(into: ScoredRows, at: number, segment: number, row: number, score: number): void {
  into.segments[at] = segment;
  into.rows[at] = row;
  into.scores[at] = score;
}
