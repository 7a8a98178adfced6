import { seededRandom } from "../core/clock.ts";

/**
 * Intervals and tests by resampling, over one number per question and measure. Pure: the same columns, seed and counts
 * give the same result. All columns of a call are drawn together, one draw of questions (or signs) for all measures.
 */

export const RESAMPLES = 10_000;
export const RESAMPLES_MAX = 1_000_000;
export const CONFIDENCE = 0.95;
/** Up to so many questions that differ, every assignment of signs is enumerated: 2^16 of them. */
export const EXACT_PAIRS_MAX = 16;

/** Sums that differ by less than this share of the sum of absolute differences are equal: their order of adding varies. */
const TIE_SHARE = 1e-9;

export interface ResampleOptions {
  /** Default `RESAMPLES`. */
  readonly resamples?: number;
  /** Default 0. */
  readonly seed?: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface SignFlipTest {
  /** Two-sided, in (0, 1]. */
  readonly p: number;
  /** True when all assignments of signs were enumerated, false when they were sampled. */
  readonly exact: boolean;
}

/**
 * Percentile bootstrap intervals at `CONFIDENCE` for the mean of each column: questions are drawn with replacement, and
 * with B resamples and a = (1 - CONFIDENCE) / 2 the bounds are the floor((B + 1) a)-th smallest and largest of their
 * means (Efron & Tibshirani 1993, An Introduction to the Bootstrap, §13.3). For paired differences, give the column of
 * differences. Columns have one length; an empty one gives an interval of zeros.
 */
export function meanIntervals(columns: readonly (readonly number[])[], options: ResampleOptions = {}): Interval[] {
  const { resamples = RESAMPLES, seed = 0 } = options;
  const questions = columns[0]?.length ?? 0;
  if (questions === 0) return columns.map(() => ({ low: 0, high: 0 }));
  const random = seededRandom(seed);
  const values = columns.map((column) => Float64Array.from(column));
  const means = columns.map(() => new Float64Array(resamples));
  const drawn = new Int32Array(questions);
  for (let b = 0; b < resamples; b++) {
    for (let i = 0; i < questions; i++) drawn[i] = Math.floor(random() * questions);
    for (let m = 0; m < columns.length; m++) {
      const [column, target] = [values[m], means[m]];
      if (column !== undefined && target !== undefined) target[b] = sumAt(column, drawn) / questions;
    }
  }
  return means.map(percentiles);
}

function sumAt(column: Float64Array, drawn: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < drawn.length; i++) sum += column[drawn[i] ?? 0] ?? 0;
  return sum;
}

function percentiles(means: Float64Array): Interval {
  const sorted = means.sort();
  const rank = Math.max(1, Math.floor(((sorted.length + 1) * (1 - CONFIDENCE)) / 2));
  return { low: sorted[rank - 1] ?? 0, high: sorted[sorted.length - rank] ?? 0 };
}

/**
 * Paired permutation (randomization) tests of "no difference" for each column of paired differences: under it, each
 * question's difference could as well have the other sign, so the mean is compared with its means under random signs
 * (Smucker, Allan & Carterette 2007, CIKM, §3.2). Two-sided. Exact where at most `EXACT_PAIRS_MAX` differences are not
 * zero; else from sampled signs with the observed ones counted in, (1 + extreme) / (1 + resamples), so that p is never
 * zero and the test never too bold (Phipson & Smyth 2010).
 */
export function signFlipTests(columns: readonly (readonly number[])[], options: ResampleOptions = {}): SignFlipTest[] {
  const sampled = columns.filter((column) => nonZero(column).length > EXACT_PAIRS_MAX);
  const ps = sampledTests(sampled, options);
  return columns.map((column) => {
    const p = ps[sampled.indexOf(column)];
    return p === undefined ? { p: exactTest(nonZero(column)), exact: true } : { p, exact: false };
  });
}

function nonZero(column: readonly number[]): number[] {
  return column.filter((value) => value !== 0);
}

function exactTest(differences: readonly number[]): number {
  const threshold = thresholdOf(differences);
  const assignments = 2 ** differences.length;
  let extreme = 0;
  for (let signs = 0; signs < assignments; signs++) {
    let sum = 0;
    for (const [i, value] of differences.entries()) sum += (signs >>> i) & 1 ? -value : value;
    if (Math.abs(sum) >= threshold) extreme++;
  }
  return extreme / assignments;
}

function sampledTests(columns: readonly (readonly number[])[], options: ResampleOptions): number[] {
  const { resamples = RESAMPLES, seed = 0 } = options;
  const questions = columns[0]?.length ?? 0;
  // Another stream than the bootstrap's, so that an interval and its p-value do not err together.
  const random = seededRandom(seed ^ 0x5bd1e995);
  const values = columns.map((column) => Float64Array.from(column));
  const thresholds = columns.map(thresholdOf);
  const extreme = columns.map(() => 0);
  const signs = new Float64Array(questions);
  for (let b = 0; b < resamples && columns.length > 0; b++) {
    drawSigns(signs, random);
    for (let m = 0; m < columns.length; m++) {
      const sum = signedSum(values[m] ?? signs, signs);
      if (Math.abs(sum) >= (thresholds[m] ?? 0)) extreme[m] = (extreme[m] ?? 0) + 1;
    }
  }
  return extreme.map((count) => (1 + count) / (1 + resamples));
}

/** Thirty-two signs from each number drawn. */
function drawSigns(signs: Float64Array, random: () => number): void {
  let bits = 0;
  for (let i = 0; i < signs.length; i++) {
    if (i % 32 === 0) bits = Math.floor(random() * 4_294_967_296) >>> 0;
    signs[i] = bits & 1 ? -1 : 1;
    bits >>>= 1;
  }
}

function signedSum(column: Float64Array, signs: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < signs.length; i++) sum += (signs[i] ?? 0) * (column[i] ?? 0);
  return sum;
}

/** The observed sum, less what rounding may take from an equal one. */
function thresholdOf(differences: readonly number[]): number {
  let sum = 0;
  let total = 0;
  for (const value of differences) {
    sum += value;
    total += Math.abs(value);
  }
  return Math.abs(sum) - TIE_SHARE * total;
}
