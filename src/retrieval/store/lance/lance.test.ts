import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../core/clock.ts";
import { exactBm25, memoryStore } from "../../../testing/memory-store.ts";
import { storeContract } from "../../../testing/store-contract.ts";
import { CONTRACT_VECTOR_DIMENSION } from "../../../testing/store-contract-dense.ts";
import { storeRow } from "../../../testing/store-row.ts";
import { lanceStore } from "./lance-store.ts";

storeContract("lance", async () => {
  const folder = await mkdtemp(join(tmpdir(), "winnow-lance-"));
  const store = lanceStore({ folder, vectorDimension: CONTRACT_VECTOR_DIMENSION });
  return {
    store,
    remove: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

storeContract("lance with an index of the vectors", async () => {
  const folder = await mkdtemp(join(tmpdir(), "winnow-lance-"));
  const store = lanceStore({ folder, vectorDimension: CONTRACT_VECTOR_DIMENSION, vectorIndexRows: 1 });
  return {
    store,
    remove: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

storeContract("memory", async () => ({
  store: memoryStore({ vectorDimension: CONTRACT_VECTOR_DIMENSION }),
  remove: async () => undefined,
}));

describe("lance", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "winnow-lance-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("turns are given out for the whole process, whichever reader asks, and a query waits for one", async () => {
    const store = lanceStore({ folder });
    const writer = await store.createWriter("chunks");
    await writer.append([storeRow("a", "alpha")]);
    await writer.optimize();
    const version = await writer.commit();
    await writer.close();
    const [busy, other] = [await store.openReader(version), await lanceStore({ folder }).openReader(version)];
    const ends: (() => void)[] = [];
    const takeTurn = () => busy.turn?.(undefined, () => new Promise<void>((resolve) => ends.push(resolve)));
    const held = Array.from({ length: 2 * availableParallelism() }, takeTurn);
    await sleep(1);
    expect(ends).toHaveLength(held.length);
    let isAnswered = false;
    const asked = other.lexical({ terms: ["alpha"], limit: 5 }).then((answer) => {
      isAnswered = true;
      return answer;
    });
    await sleep(100);
    expect(isAnswered).toBe(false);
    for (const end of ends) end();
    expect((await asked).candidates.map(({ id }) => id)).toEqual(["a"]);
    await Promise.all([...held, busy.close(), other.close()]);
    await store.close();
  });

  test("scores stay exact BM25 over many parts, removals and merges", async () => {
    const random = seededRandom(8);
    const word = () => `w${Math.floor(random() ** 3 * 200)}`;
    const make = (i: number) =>
      storeRow(`r${i}`, Array.from({ length: 10 + Math.floor(random() * 60) }, word).join(" "));
    const writer = await lanceStore({ folder }).createWriter("chunks");
    let rows = Array.from({ length: 600 }, (_, i) => make(i));
    for (let i = 0; i < rows.length; i += 100) {
      await writer.append(rows.slice(i, i + 100));
      if (i % 300 === 0) await writer.optimize();
    }
    const replaced = rows.filter((_, i) => i % 4 === 0).map((row) => row.item);
    await writer.remove(replaced);
    const fresh = Array.from({ length: 90 }, (_, i) => make(1_000 + i));
    await writer.append(fresh);
    await writer.optimize();
    rows = [...rows.filter((row) => !replaced.includes(row.item)), ...fresh];
    for (let i = 0; i < 20; i++) {
      const terms = Array.from({ length: 1 + (i % 6) }, word);
      const exact = exactBm25(rows, terms);
      const { candidates } = await writer.reader().lexical({ terms, limit: 1_000 });
      expect(candidates).toHaveLength(exact.size);
      for (const { id, score } of candidates) expect(score).toBeCloseTo(exact.get(id) ?? Number.NaN, 3);
    }
    await writer.close();
  });

  test("many copies of a text come back the same every time", async () => {
    const writer = await lanceStore({ folder }).createWriter("chunks");
    await writer.append(Array.from({ length: 500 }, (_, i) => storeRow(`copy${i}`, "same words here")));
    await writer.optimize();
    const ask = () => writer.reader().lexical({ terms: ["same"], limit: 20 });
    const first = await ask();
    for (const again of await Promise.all(Array.from({ length: 20 }, ask))) expect(again).toEqual(first);
    await writer.close();
  });

  test("rows without a vector are never near, also where they are most and the others point away", async () => {
    const rows = Array.from({ length: 400 }, (_, i) =>
      storeRow(`r${String(i).padStart(3, "0")}`, "x", { vector: i % 40 === 7 ? [-1, -i, 0] : null }),
    );
    const nearest = (_: unknown, i: number) => `r${String(7 + 40 * i).padStart(3, "0")}`;
    const expected = Array.from({ length: 10 }, nearest).reverse();
    const writer = await lanceStore({ folder, vectorDimension: CONTRACT_VECTOR_DIMENSION }).createWriter("chunks");
    for (let i = 0; i < rows.length; i += 100) await writer.append(rows.slice(i, i + 100));
    // In parts, then merged.
    for (let round = 0; round < 2; round++) {
      const ask = async (exclude: readonly string[]) => {
        const vector = Float32Array.of(1, 0, 0);
        const found = await writer.reader().dense({ vector, limit: 200, exclude: new Set(exclude) });
        expect(found.complete).toBe(true);
        return found.candidates.map(({ id }) => id);
      };
      expect(await ask([])).toEqual(expected);
      expect(await ask(["r007", "r008", "r367"])).toEqual(expected.filter((id) => id !== "r007" && id !== "r367"));
      await writer.optimize();
    }
    await writer.close();
  });

  test("clean-up frees what the committed version does not need, and never that version", async () => {
    const store = lanceStore({ folder });
    const writer = await store.createWriter("chunks");
    const rows = Array.from({ length: 300 }, (_, i) => storeRow(`r${i}`, `x ${"long text ".repeat(200)}`));
    for (let i = 0; i < 300; i += 30) await writer.append(rows.slice(i, i + 30));
    const old = await writer.commit();
    await writer.optimize();
    await sleep(1_200);
    await writer.append([storeRow("last", "x")]);
    await writer.optimize();
    const at = await writer.commit();
    const before = await sizeOf(join(folder, "chunks.lance"));
    await writer.cleanUp(0);
    // Half of what lies there is the texts of the ten parts before they were merged.
    expect(await sizeOf(join(folder, "chunks.lance"))).toBeLessThan(0.6 * before);
    expect(await (await store.openReader(at)).counts()).toEqual({ chunks: 301, unindexed: 0 });
    await writer.append([storeRow("later", "x")]);
    await writer.optimize();
    await writer.cleanUp(0);
    expect(await (await store.openReader(at)).counts()).toEqual({ chunks: 301, unindexed: 0 });
    await expect(store.openReader(old)).rejects.toMatchObject({ code: "corpus_corrupt" });
    await writer.close();
    const next = await store.openWriter(at);
    expect(await next.counts()).toEqual({ chunks: 301, unindexed: 0 });
    await next.close();
  });

  test("a few new rows do not write the table anew, and nothing of a run is left to merge after its commit", async () => {
    const store = lanceStore({ folder });
    const writer = await store.createWriter("chunks");
    const filesOf = () => readdir(join(folder, "chunks.lance", "data"));
    for (let i = 0; i < 200; i += 50) {
      await writer.append(Array.from({ length: 50 }, (_, j) => storeRow(`r${i + j}`, "x")));
    }
    await writer.optimize();
    await writer.commit();
    const merged = await filesOf();
    await writer.cleanUp(0);
    expect((await filesOf()).every((file) => merged.includes(file))).toBe(true);
    await writer.append([storeRow("new", "x")]);
    await writer.commit();
    const before = await filesOf();
    await writer.cleanUp(0);
    expect(await filesOf()).toEqual(before);
    await writer.close();
  });
});

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
