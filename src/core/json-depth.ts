/**
 * True for parsed JSON that nests deeper than `depthMax` arrays and objects. `JSON.parse` takes any depth, and what walks
 * or writes such a value afterwards meets the end of its stack.
 */
export function nestsDeeper(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depthMax === 0) return true;
  if (Array.isArray(value)) return value.some((item) => nestsDeeper(item, depthMax - 1));
  return Object.values(value).some((item) => nestsDeeper(item, depthMax - 1));
}
