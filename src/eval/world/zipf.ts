/** Cells of the table behind `zipf`: words rarer than one in so many are drawn as often as that. */
const TABLE_CELLS = 16_384;

/**
 * A sampler of list positions by the Zipf-Mandelbrot law, weight 1 / (rank + 2.7) (Mandelbrot 1953): what word
 * frequencies of natural text look like. Takes a number in [0, 1), gives a position below `length`.
 */
export function zipf(length: number): (random: number) => number {
  const weights = Array.from({ length }, (_, i) => 1 / (i + 1 + 2.7));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table = new Uint16Array(TABLE_CELLS);
  let position = 0;
  let reached = (weights[0] ?? 0) / total;
  for (let cell = 0; cell < TABLE_CELLS; cell++) {
    while (position < length - 1 && (cell + 0.5) / TABLE_CELLS > reached) {
      position++;
      reached += (weights[position] ?? 0) / total;
    }
    table[cell] = position;
  }
  return (random) => table[Math.floor(random * TABLE_CELLS)] ?? 0;
}

/** One of a list, all alike likely. */
export function pick<T>(list: readonly T[], random: () => number): T {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined) throw new RangeError("There is nothing to pick from.");
  return item;
}
