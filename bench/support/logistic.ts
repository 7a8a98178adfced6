/** One case: its features, and whether it is of the class that is told. */
export interface LabelledCase {
  readonly features: readonly number[];
  readonly isPositive: boolean;
}

/** Log-odds of the positive class: `base` plus the weighted features. */
export interface LogisticModel {
  readonly base: number;
  readonly weights: readonly number[];
}

const ROUNDS = 50;
const RIDGE: number = 0.1;

export function logOdds({ base, weights }: LogisticModel, features: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * (features[i] ?? 0), base);
}

/** Logistic regression by Newton's method with a little L2 on the weights; both classes count alike, whatever their sizes. */
export function fitLogistic(cases: readonly LabelledCase[]): LogisticModel {
  const size = (cases[0]?.features.length ?? 0) + 1;
  const positives = cases.filter(({ isPositive }) => isPositive).length;
  let at: number[] = Array.from({ length: size }, () => 0);
  for (let round = 0; round < ROUNDS; round++) {
    const slope = at.map((value, i) => (i === 0 ? 0 : -RIDGE * value));
    const curve = at.map((_, i) => at.map((_value, j) => (i === j ? RIDGE : 0)));
    for (const { features, isPositive } of cases) {
      const row = [1, ...features];
      const share = cases.length / (2 * (isPositive ? positives : cases.length - positives));
      const odds = row.reduce((sum, value, i) => sum + value * (at[i] ?? 0), 0);
      const likely = 1 / (1 + Math.exp(-odds));
      for (let i = 0; i < size; i++) {
        slope[i] = (slope[i] ?? 0) + share * (Number(isPositive) - likely) * (row[i] ?? 0);
        for (let j = 0; j < size; j++) {
          const cells = curve[i] ?? [];
          cells[j] = (cells[j] ?? 0) + share * likely * (1 - likely) * (row[i] ?? 0) * (row[j] ?? 0);
        }
      }
    }
    const step = solve(curve, slope);
    at = at.map((value, i) => value + (step[i] ?? 0));
  }
  const [base = 0, ...weights] = at;
  return { base, weights };
}

/** Gaussian elimination; the matrix is positive definite. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0]);
  for (const [i, row] of rows.entries()) {
    for (const [j, other] of rows.entries()) {
      if (j === i) continue;
      const factor = (other[i] ?? 0) / (row[i] ?? 1);
      for (let k = i; k < other.length; k++) other[k] = (other[k] ?? 0) - factor * (row[k] ?? 0);
    }
  }
  return rows.map((row, i) => (row.at(-1) ?? 0) / (row[i] ?? 1));
}

/** The probability that a positive case has a higher value than a negative one (area under the ROC curve). */
export function separation(positives: readonly number[], negatives: readonly number[]): number {
  let wins = 0;
  for (const one of positives) for (const other of negatives) wins += one > other ? 1 : one === other ? 0.5 : 0;
  return wins / Math.max(1, positives.length * negatives.length);
}
