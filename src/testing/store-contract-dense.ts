import { expect, test } from "vitest";
import { seededRandom } from "../core/clock.ts";
import { parseFilter } from "../core/filter-parse.ts";
import type { StoreRow } from "../retrieval/store/store.ts";
import { build, ids, type Open } from "./store-contract-parts.ts";
import { storeRow } from "./store-row.ts";

export const CONTRACT_VECTOR_DIMENSION = 3;

/** Search by vectors: order, filters and exclusion. */
export function denseContract(open: Open): void {
  test("dense search orders by cosine and skips rows without a vector", async () => {
    const { reader } = await build(open, [
      storeRow("x", "x", { vector: [2, 0, 0], metadata: { kind: "axis" } }),
      storeRow("xy", "xy", { vector: [1, 1, 0], metadata: { kind: "plane" } }),
      storeRow("y", "y", { vector: [0, 3, 0], metadata: { kind: "axis" } }),
      storeRow("none", "none"),
    ]);
    expect(reader.capabilities.dense).toBe(true);
    const vector = Float32Array.of(1, 0.1, 0);
    const { candidates } = await reader.dense({ vector, limit: 10 });
    expect(candidates.map(({ id }) => id)).toEqual(["x", "xy", "y"]);
    expect(candidates[0]?.score).toBeCloseTo(1 / Math.hypot(1, 0.1), 4);
    expect(candidates[2]?.score).toBeCloseTo(0.1 / Math.hypot(1, 0.1), 4);
    expect(ids(await reader.dense({ vector, limit: 1, exclude: new Set(["x"]) }))).toEqual(["xy"]);
    expect(ids(await reader.dense({ vector, limit: 5, excludeDocuments: new Set(["x.md", "xy.md"]) }))).toEqual(["y"]);
    expect(ids(await reader.dense({ vector, limit: 5, where: parseFilter(["kind=axis"]) }))).toEqual(["x", "y"]);
    await expect(reader.dense({ vector: Float32Array.of(1, 0), limit: 1 })).rejects.toMatchObject({
      code: "invalid_argument",
    });
  });
}

/** Rows with a vector each, and the order in which a query for the returned vector must give them. */
function randomVectors(count: number) {
  const random = seededRandom(23);
  const rows = Array.from({ length: count }, (_, i) => {
    const vector = Array.from({ length: CONTRACT_VECTOR_DIMENSION }, () => 2 * random() - 1);
    const metadata = { year: 2000 + (i % 10), rare: i % 97 === 0 };
    return storeRow(`v${String(i).padStart(4, "0")}`, "same", { vector, metadata });
  });
  const query = Float32Array.of(0.3, -0.8, 0.5);
  const cosineOf = (row: StoreRow): number => {
    const [x = 0, y = 0, z = 0] = row.vector ?? [];
    return (0.3 * x - 0.8 * y + 0.5 * z) / (Math.hypot(x, y, z) * Math.hypot(0.3, 0.8, 0.5));
  };
  const order = [...rows].sort((a, b) => cosineOf(b) - cosineOf(a));
  return { rows, query, order, cosineOf };
}

export function denseExclusionContract(open: Open): void {
  test("dense search leaves out what is excluded and filtered, and fills the list with the next best", async () => {
    const { rows, query: vector, order, cosineOf } = randomVectors(1_500);
    const { reader } = await build(open, rows);
    const expected = (accepts: (row: StoreRow) => boolean, limit: number) =>
      order
        .filter(accepts)
        .slice(0, limit)
        .map(({ chunk }) => chunk.id);
    const all = await reader.dense({ vector, limit: 300 });
    expect(ids(all)).toEqual(expected(() => true, 300));
    for (const [i, { score }] of all.candidates.entries()) {
      expect(score).toBeCloseTo(cosineOf(order[i] ?? storeRow("", "")), 4);
    }
    const exclude = new Set(ids(all).slice(0, 290));
    const excludeDocuments = new Set([
      "v0007.md",
      ...ids(all)
        .slice(290, 295)
        .map((id) => `${id}.md`),
    ]);
    expect(ids(await reader.dense({ vector, limit: 20, exclude, excludeDocuments }))).toEqual(
      expected(({ chunk }) => !exclude.has(chunk.id) && !excludeDocuments.has(chunk.documentId), 20),
    );
    const filtered = async (expression: string) =>
      reader.dense({ vector, limit: 12, where: parseFilter([expression]) });
    expect(ids(await filtered("year=2003"))).toEqual(expected(({ chunk }) => chunk.metadata["year"] === 2003, 12));
    expect(ids(await filtered("rare=true"))).toEqual(expected(({ chunk }) => chunk.metadata["rare"] === true, 12));
    expect(await filtered("year=1999")).toEqual({ candidates: [], complete: true });
    const rest = await reader.dense({ vector, limit: 5, exclude, where: parseFilter(["rare=true"]) });
    expect(ids(rest)).toEqual(expected(({ chunk }) => chunk.metadata["rare"] === true && !exclude.has(chunk.id), 5));
  });

  test("equal vectors come back in the order of their ids, whatever the length of the list", async () => {
    const twins = Array.from({ length: 60 }, (_, i) =>
      storeRow(`t${String((i * 37) % 60).padStart(2, "0")}`, "x", { vector: [1, 1, 0] }),
    );
    const far = Array.from({ length: 20 }, (_, i) => storeRow(`far${i}`, "x", { vector: [0, 0.1, 1] }));
    const { reader } = await build(open, [...far, ...twins]);
    const named = Array.from({ length: 60 }, (_, i) => `t${String(i).padStart(2, "0")}`);
    for (const limit of [1, 7, 59, 60]) {
      expect(ids(await reader.dense({ vector: Float32Array.of(1, 1, 0), limit })), `${limit}`).toEqual(
        named.slice(0, limit),
      );
    }
  });
}
