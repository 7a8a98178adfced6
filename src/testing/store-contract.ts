import { afterEach, describe, expect, test } from "vitest";
import { seededRandom } from "../core/clock.ts";
import { parseFilter } from "../core/filter-parse.ts";
import type { Metadata } from "../core/types.ts";
import type { Store, StoreRow } from "../retrieval/store/store.ts";
import { exactBm25 } from "./memory-store.ts";
import { denseContract, denseExclusionContract } from "./store-contract-dense.ts";
import { build, ids, type Open } from "./store-contract-parts.ts";
import { storeRow } from "./store-row.ts";

/** Opens a store of the driver under test on an empty place, with vectors of three numbers. */
export type StoreFactory = () => Promise<{ readonly store: Store; readonly remove: () => Promise<void> }>;

/** What every store driver must do. `factory` is called once per test. */
export function storeContract(name: string, factory: StoreFactory): void {
  describe(`${name}: store contract`, () => {
    const opened: { remove: () => Promise<void> }[] = [];
    afterEach(async () => {
      for (const { remove } of opened.splice(0)) await remove();
    });
    const open = async (): Promise<Store> => {
      const made = await factory();
      opened.push(made);
      return made.store;
    };
    lexicalContract(open);
    exclusionContract(open);
    filterContract(open);
    denseContract(open);
    denseExclusionContract(open);
    scanContract(open);
    rowsContract(open);
    readContract(open);
    versionContract(open);
    cleanUpContract(open);
  });
}

function lexicalContract(open: Open): void {
  test("an empty store answers every query with nothing", async () => {
    const { reader } = await build(open, []);
    expect(await reader.lexical({ terms: ["a"], limit: 10 })).toEqual({ candidates: [], complete: true });
    expect(await reader.dense({ vector: Float32Array.of(1, 0, 0), limit: 10 })).toEqual({
      candidates: [],
      complete: true,
    });
    expect(await reader.chunks(["a"])).toEqual([]);
    expect(await reader.counts()).toEqual({ chunks: 0, unindexed: 0 });
  });

  test("terms match whole, unchanged and literally", async () => {
    const long = "x".repeat(64);
    const { reader } = await build(open, [
      storeRow("a", `the running Ünïcode 日本 ${long}`),
      storeRow("b", 'c++ c# 1.2.3 "quoted" +must -not a:b * OR'),
      storeRow("c", ""),
      storeRow("d", "run"),
    ]);
    const found = async (...terms: string[]) => ids(await reader.lexical({ terms, limit: 10 }));
    expect(await found(long)).toEqual(["a"]);
    expect(await found("日本")).toEqual(["a"]);
    expect(await found("Ünïcode")).toEqual(["a"]);
    expect(await found("ünïcode")).toEqual([]);
    expect(await found("the")).toEqual(["a"]);
    expect(await found("run")).toEqual(["d"]);
    for (const term of ["c++", "c#", "1.2.3", '"quoted"', "+must", "-not", "a:b", "*", "OR"]) {
      expect(await found(term), term).toEqual(["b"]);
    }
    expect(await found("missing")).toEqual([]);
    expect(await found()).toEqual([]);
    expect(await found("missing", "run")).toEqual(["d"]);
  });

  test("scores are BM25 over all rows, ties by id", async () => {
    const random = seededRandom(5);
    const word = () => `w${Math.floor(random() ** 3 * 60)}`;
    const rows = Array.from({ length: 300 }, (_, i) =>
      storeRow(`r${String(i).padStart(3, "0")}`, Array.from({ length: 5 + Math.floor(random() * 60) }, word).join(" ")),
    );
    const { reader } = await build(open, [...rows, storeRow("twin-b", "w1 only"), storeRow("twin-a", "w1 only")]);
    const all = [...rows, storeRow("twin-b", "w1 only"), storeRow("twin-a", "w1 only")];
    for (let i = 0; i < 20; i++) {
      const terms = Array.from({ length: 1 + (i % 5) }, word);
      const exact = exactBm25(all, terms);
      const { candidates } = await reader.lexical({ terms, limit: 400 });
      expect(candidates).toHaveLength(exact.size);
      for (const { id, score } of candidates) expect(score).toBeCloseTo(exact.get(id) ?? Number.NaN, 3);
      for (const [j, after] of candidates.slice(1).entries()) {
        const before = candidates[j];
        expect(before !== undefined && (before.score > after.score || before.id < after.id)).toBe(true);
      }
    }
    expect(ids(await reader.lexical({ terms: ["only"], limit: 1 }))).toEqual(["twin-a"]);
  });
}

function exclusionContract(open: Open): void {
  test("excluded chunks and documents do not come back and leave their place to others", async () => {
    const rows = Array.from({ length: 120 }, (_, i) => storeRow(`r${i}`, `same ${"pad ".repeat(i)}`));
    const { reader } = await build(open, rows);
    const all = ids(await reader.lexical({ terms: ["same"], limit: 120 }));
    expect(all).toHaveLength(120);
    const exclude = new Set(all.slice(0, 50));
    const rest = await reader.lexical({ terms: ["same"], limit: 10, exclude });
    expect(ids(rest)).toEqual(all.slice(50, 60));
    const excludeDocuments = new Set(all.slice(50, 115).map((id) => `${id}.md`));
    expect(ids(await reader.lexical({ terms: ["same"], limit: 10, exclude, excludeDocuments }))).toEqual(
      all.slice(115),
    );
  });
}

function filterContract(open: Open): void {
  test("a filter gives the best that it accepts, rare or common", async () => {
    const meta = (i: number): Metadata => ({
      year: 2000 + (i % 10),
      rare: i === 397,
      tags: i % 2 ? ["odd"] : ["even"],
    });
    const rows = Array.from({ length: 400 }, (_, i) =>
      storeRow(`r${i}`, `same ${"pad ".repeat(i)}`, { metadata: meta(i) }),
    );
    const { reader } = await build(open, rows);
    const search = async (expression: string, limit: number) =>
      reader.lexical({ terms: ["same"], limit, where: parseFilter([expression]) });
    expect(await search("rare=true", 3)).toMatchObject({ candidates: [{ id: "r397" }], complete: true });
    expect(ids(await search("year>=2009", 3))).toEqual(["r9", "r19", "r29"]);
    expect(ids(await search("tags contains odd AND year=2001", 2))).toEqual(["r1", "r11"]);
    expect(await search("year=1999", 5)).toEqual({ candidates: [], complete: true });
    expect(ids(await search("missing!=x", 2))).toEqual(["r0", "r1"]);
    const excluded = await reader.lexical({
      terms: ["same"],
      limit: 2,
      where: parseFilter(["year=2003"]),
      exclude: new Set(["r3"]),
      excludeDocuments: new Set(["r13.md"]),
    });
    expect(ids(excluded)).toEqual(["r23", "r33"]);
    expect(await reader.documentsWhere(parseFilter(["rare=true"]))).toEqual(new Set(["r397.md"]));
  });
}

function scanContract(open: Open): void {
  test("a scan gives every row once, as it went in but for its vector", async () => {
    const rows = Array.from({ length: 700 }, (_, i) =>
      storeRow(`s${String(i).padStart(3, "0")}`, `w${i} same`, { vector: [i, 1, 0] }),
    );
    const { reader, writer } = await build(open, [...rows, storeRow("gone", "x"), storeRow("no-terms", "")]);
    const scanned = [];
    for await (const part of reader.scan()) scanned.push(...part);
    expect(scanned).toHaveLength(702);
    await writer.remove(["gone.md"]);
    const after = [];
    for await (const part of writer.reader().scan()) after.push(...part);
    const wanted = [storeRow("no-terms", ""), ...rows].map(({ chunk, item, terms }) => ({ chunk, item, terms }));
    expect(after.sort((a, b) => (a.chunk.id < b.chunk.id ? -1 : 1))).toEqual(wanted);
  });
}

function rowsContract(open: Open): void {
  test("rows come with the vectors that they went in with, whatever happened to the table since", async () => {
    const rows = Array.from({ length: 700 }, (_, i) =>
      storeRow(`v${String(i).padStart(3, "0")}`, `w${i}`, { vector: i % 7 === 0 ? null : [i / 3, 1, -i] }),
    );
    const { writer } = await build(open, rows);
    const gone = new Set(["v001.md", "v007.md", "v699.md"]);
    await writer.remove([...gone]);
    await writer.append([storeRow("w", "late", { vector: [1, 2, 3] })]);
    const wanted = [...rows.filter(({ item }) => !gone.has(item)), storeRow("w", "late", { vector: [1, 2, 3] })];
    for (let round = 0; round < 2; round++) {
      const found: StoreRow[] = [];
      for await (const part of writer.reader().rows()) found.push(...part);
      expect(found.sort((a, b) => (a.chunk.id < b.chunk.id ? -1 : 1))).toEqual(wanted);
      await writer.optimize();
    }
  });
}

function readContract(open: Open): void {
  test("chunks come back as they went in, by id and by range", async () => {
    const odd = { q: 'it\'s "quoted"', list: ["a", "b"], n: 1.5, yes: true };
    const part = (index: number) =>
      storeRow(`p${index}`, `body ${index}`, {
        documentId: "it's; DROP TABLE",
        item: "file'1",
        index,
        count: 3,
        start: index * 10,
        end: index * 10 + 10,
        line: index + 1,
        text: `line\n\ttext ${index} \u0000 \ud83d\ude00`,
        metadata: odd,
        headings: ['A"b', "C'd"],
      });
    const rows = [part(2), part(0), part(1), storeRow("other", "other")];
    const { reader, writer } = await build(open, rows);
    expect(await reader.chunks(["other", "p1", "gone"])).toEqual([rows[3]?.chunk, rows[2]?.chunk]);
    const parts = [rows[1]?.chunk, rows[2]?.chunk, rows[0]?.chunk];
    expect(await reader.chunksOf(["it's; DROP TABLE"])).toEqual(parts);
    expect(await reader.chunksOf(["it's; DROP TABLE"], { from: 1, to: 1 })).toEqual([rows[2]?.chunk]);
    expect(await reader.chunksOf(["it's; DROP TABLE"], { from: 7, to: 9 })).toEqual([]);
    expect((await reader.spansOf(["other.md", "it's; DROP TABLE"])).map(({ id }) => id)).toEqual([
      "p0",
      "p1",
      "p2",
      "other",
    ]);
    await writer.remove(["file'1"]);
    expect(await writer.reader().chunksOf(["it's; DROP TABLE"])).toEqual([]);
    expect(await writer.counts()).toMatchObject({ chunks: 1 });
  });
}

function versionContract(open: Open): void {
  test("a reader keeps its version through writes, removals and optimizing", async () => {
    const { store, writer, reader, at } = await build(open, [storeRow("a", "x"), storeRow("b", "x")]);
    await writer.remove(["a.md"]);
    await writer.append([storeRow("c", "x"), storeRow("d", "x y")]);
    expect(ids(await reader.lexical({ terms: ["x"], limit: 9 }))).toEqual(["a", "b"]);
    await writer.optimize();
    const next = await writer.commit();
    await writer.cleanUp(60_000);
    expect(ids(await reader.lexical({ terms: ["x"], limit: 9 }))).toEqual(["a", "b"]);
    expect((await reader.chunks(["a"])).map(({ id }) => id)).toEqual(["a"]);
    const fresh = await store.openReader(next);
    expect(ids(await fresh.lexical({ terms: ["x"], limit: 9 }))).toEqual(["b", "c", "d"]);
    expect(await fresh.counts()).toEqual({ chunks: 3, unindexed: 0 });
    expect(await (await store.openReader(at)).counts()).toMatchObject({ chunks: 2 });
  });

  test("rows that are not optimized yet are found", async () => {
    const { store, writer } = await build(open, [storeRow("a", "x")]);
    await writer.append([storeRow("b", "x y"), storeRow("c", "z")]);
    const reader = await store.openReader(await writer.commit());
    expect(ids(await reader.lexical({ terms: ["y", "x"], limit: 9 }))).toEqual(["b", "a"]);
    expect(await reader.counts()).toMatchObject({ chunks: 3 });
  });

  test("a new writer drops what was not committed", async () => {
    const { store, writer, at } = await build(open, [storeRow("a", "x")]);
    await writer.append([storeRow("lost", "x")]);
    await writer.remove(["a.md"]);
    await writer.close();
    const second = await store.openWriter(at);
    expect((await second.reader().chunks(["a", "lost"])).map(({ id }) => id)).toEqual(["a"]);
    await second.append([storeRow("b", "x")]);
    const reader = await store.openReader(await second.commit());
    expect(ids(await reader.lexical({ terms: ["x"], limit: 9 }))).toEqual(["a", "b"]);
  });
}

function cleanUpContract(open: Open): void {
  test("cleaning up everything old keeps the committed version", async () => {
    const { store, writer } = await build(open, [storeRow("a", "x")]);
    for (let i = 0; i < 4; i++) await writer.append([storeRow(`n${i}`, "x")]);
    await writer.optimize();
    const at = await writer.commit();
    await writer.append([storeRow("later", "x")]);
    await writer.cleanUp(0);
    expect(await (await store.openReader(at)).counts()).toMatchObject({ chunks: 5 });
  });

  test("a table that does not exist is corruption; other tables can be dropped", async () => {
    const { store, at } = await build(open, [storeRow("a", "x")]);
    const other = await store.createWriter("newer");
    const version = await other.commit();
    await store.dropOtherTables("newer");
    await expect(store.openReader(at)).rejects.toMatchObject({ code: "corpus_corrupt" });
    await expect(store.openWriter(at)).rejects.toMatchObject({ code: "corpus_corrupt" });
    expect(await (await store.openReader(version)).counts()).toEqual({ chunks: 0, unindexed: 0 });
  });

  test("32 readers at once while a writer commits", async () => {
    const rows = Array.from({ length: 64 }, (_, i) => storeRow(`r${i}`, `x w${i % 8}`));
    const { writer, reader } = await build(open, rows);
    const before = ids(await reader.lexical({ terms: ["x", "w3"], limit: 20 }));
    const writing = (async () => {
      for (let i = 0; i < 5; i++) {
        await writer.append([storeRow(`more${i}`, "x w3")]);
        await writer.commit();
      }
      await writer.optimize();
    })();
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => reader.lexical({ terms: ["x", "w3"], limit: 20 })),
    );
    await writing;
    for (const answer of answers) expect(ids(answer)).toEqual(before);
  });
}
