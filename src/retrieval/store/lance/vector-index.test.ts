import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../core/clock.ts";
import { parseFilter } from "../../../core/filter-parse.ts";
import { storeRow } from "../../../testing/store-row.ts";
import type { DenseQuery, StoreRow } from "../store.ts";
import { lanceStore } from "./lance-store.ts";
import { loadLance } from "./load-lance.ts";

const DIMENSION = 16;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-vectors-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Vectors as texts about some topics have them: around the directions of the topics. */
function clustered(count: number, seed: number): StoreRow[] {
  const random = seededRandom(seed);
  const topics = Array.from({ length: 40 }, () => Array.from({ length: DIMENSION }, () => 2 * random() - 1));
  return Array.from({ length: count }, (_, i) => {
    const topic = topics[i % topics.length] ?? [];
    const vector = i % 50 === 7 ? null : topic.map((value) => value + 0.8 * (random() - 0.5));
    return storeRow(`s${seed}-${i}`, "same", { vector, metadata: { year: 2000 + (i % 10), rare: i % 500 === 3 } });
  });
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    [dot, aa, bb] = [dot + x * y, aa + x * x, bb + y * y];
  }
  return dot / Math.sqrt(aa * bb);
}

/** The cosines that a query has to answer with, best first. */
function exact(rows: readonly StoreRow[], query: DenseQuery, accepts: (row: StoreRow) => boolean): number[] {
  return rows
    .filter((row) => row.vector != null && accepts(row) && query.exclude?.has(row.chunk.id) !== true)
    .map((row) => cosine(row.vector ?? [], query.vector))
    .sort((a, b) => b - a)
    .slice(0, query.limit);
}

async function indexNames(): Promise<readonly string[]> {
  const table = await (await (await loadLance()).connect(folder)).openTable("chunks");
  const names = (await table.listIndices()).map(({ name }) => name).filter((name) => name.startsWith("vector"));
  table.close();
  return names;
}

describe("an index of the vectors", () => {
  test("finds what comparing with every vector finds, whatever is excluded, filtered, new or gone", async () => {
    const store = lanceStore({ folder, vectorDimension: DIMENSION, vectorIndexRows: 5_000 });
    const writer = await store.createWriter("chunks");
    let rows = clustered(9_000, 1);
    for (let i = 0; i < rows.length; i += 3_000) await writer.append(rows.slice(i, i + 3_000));
    await writer.optimize();
    expect(await indexNames()).toEqual(["vector_ivf_flat_3"]);
    // Some of what is indexed goes, and some rows are in no index yet.
    const gone = new Set(rows.filter((_, i) => i % 9 === 0).map(({ item }) => item));
    await writer.remove([...gone]);
    const fresh = clustered(400, 2);
    await writer.append(fresh);
    rows = [...rows.filter(({ item }) => !gone.has(item)), ...fresh];
    const reader = await store.openReader(await writer.commit());
    for (let i = 0; i < 5; i++) {
      const vector = rows[17 + 1_601 * i]?.vector ?? new Float32Array(DIMENSION).fill(1);
      const check = async (query: DenseQuery, accepts: (row: StoreRow) => boolean = () => true) => {
        const { candidates, complete } = await reader.dense(query);
        expect(complete).toBe(true);
        const expected = exact(rows, query, accepts);
        expect(candidates).toHaveLength(expected.length);
        for (const [at, { score }] of candidates.entries()) expect(score).toBeCloseTo(expected[at] ?? 2, 4);
        return candidates;
      };
      const all = await check({ vector, limit: 500 });
      const exclude = new Set(all.map(({ id }) => id));
      await check({ vector, limit: 90, exclude });
      await check(
        { vector, limit: 30, where: parseFilter(["year=2003"]) },
        (row) => row.chunk.metadata["year"] === 2003,
      );
      await check(
        { vector, limit: 30, where: parseFilter(["rare=true"]), exclude },
        (row) => row.chunk.metadata["rare"] === true,
      );
    }
    await reader.close();
    await writer.close();
    await store.close();
  });

  test("is there from so many rows with a vector on, grows with the table, and goes with it", async () => {
    const store = lanceStore({ folder, vectorDimension: DIMENSION, vectorIndexRows: 500 });
    const writer = await store.createWriter("chunks");
    // One in fifty rows has no vector.
    const rows = clustered(17_000, 1);
    await writer.append(rows.slice(0, 508));
    await writer.optimize();
    expect(await indexNames()).toEqual([]);
    await writer.append(rows.slice(508, 512));
    await writer.optimize();
    expect(await indexNames()).toEqual(["vector_ivf_flat_1"]);
    await writer.append(rows.slice(512, 15_000));
    await writer.optimize();
    expect(await indexNames(), "four times as many partitions would be right").toEqual(["vector_ivf_flat_1"]);
    await writer.append(rows.slice(15_000));
    await writer.optimize();
    expect(await indexNames()).toEqual(["vector_ivf_flat_5"]);
    await writer.remove(rows.slice(300).map(({ item }) => item));
    await writer.optimize();
    expect(await indexNames()).toEqual([]);
    await writer.close();
    await store.close();
  });

  test("is not made where no row has a vector", async () => {
    const store = lanceStore({ folder, vectorDimension: DIMENSION, vectorIndexRows: 1 });
    const writer = await store.createWriter("chunks");
    await writer.append([storeRow("a", "x"), storeRow("b", "x")]);
    await writer.optimize();
    expect(await indexNames()).toEqual([]);
    await writer.close();
    await store.close();
  });
});
