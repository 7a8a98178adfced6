import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../core/clock.ts";
import { toWinnowError } from "../../../core/errors.ts";
import { parseFilter } from "../../../core/filter-parse.ts";
import { memoryStore } from "../../../testing/memory-store.ts";
import { storeContract } from "../../../testing/store-contract.ts";
import { CONTRACT_VECTOR_DIMENSION } from "../../../testing/store-contract-dense.ts";
import { storeRow } from "../../../testing/store-row.ts";
import type { Store, StoreReader } from "../store.ts";
import { sqliteStore } from "./sqlite-store.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

let folder: string;
const opened: Store[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-sqlite-"));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(folder, { recursive: true, force: true });
});

function open(): Store {
  const store = sqliteStore({ folder, vectorDimension: CONTRACT_VECTOR_DIMENSION });
  opened.push(store);
  return store;
}

storeContract("sqlite", async () => {
  const own = await mkdtemp(join(tmpdir(), "winnow-sqlite-"));
  const store = sqliteStore({ folder: own, vectorDimension: CONTRACT_VECTOR_DIMENSION });
  return {
    store,
    remove: async () => {
      await store.close();
      await rm(own, { recursive: true, force: true });
    },
  };
});

const idsOf = async (reader: StoreReader, terms: readonly string[]) =>
  (await reader.lexical({ terms, limit: 500 })).candidates.map(({ id }) => id);

describe("sqlite", () => {
  test("answers as the reference does over any sequence of writes", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ append: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 8 }) }) },
      { weight: 2, arbitrary: fc.record({ remove: fc.array(fc.nat({ max: 40 }), { maxLength: 4 }) }) },
      fc.constantFrom({ commit: true }, { optimize: true }, { reopen: true }, { cleanUp: true }),
    );
    let table = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const name = `t${table++}`;
        const stores = [open(), memoryStore({ vectorDimension: CONTRACT_VECTOR_DIMENSION })];
        const writers = await Promise.all(stores.map((store) => store.createWriter(name)));
        let at = await Promise.all(writers.map((writer) => writer.commit()));
        let serial = 0;
        for (const one of steps) {
          if ("append" in one) {
            const rows = one.append.map((n) => randomRow(n, serial++));
            for (const writer of writers) await writer.append(rows);
          } else if ("remove" in one) {
            for (const writer of writers) await writer.remove(one.remove.map((n) => `item${n}`));
          } else if ("commit" in one) at = await Promise.all(writers.map((writer) => writer.commit()));
          else if ("optimize" in one) for (const writer of writers) await writer.optimize();
          else if ("cleanUp" in one) for (const writer of writers) await writer.cleanUp(0);
          else
            for (const [i, store] of stores.entries()) {
              await writers[i]?.close();
              const version = at[i];
              if (version !== undefined) writers[i] = await store.openWriter(version);
            }
          const [found, expected] = await Promise.all(writers.map((writer) => answers(writer.reader())));
          expect(found).toEqual(expected);
        }
        for (const writer of writers) await writer.close();
      }),
      { numRuns: 12 * SCALE, seed: 9 },
    );
  });

  test("thousands of rows in many small commits end in few segments, and old files go", async () => {
    const store = open();
    const writer = await store.createWriter("chunks");
    for (let i = 0; i < 60; i++) {
      await writer.append(Array.from({ length: 20 }, (_, j) => storeRow(`r${i}-${j}`, `x w${i}`)));
      await writer.commit();
    }
    const at = await writer.commit();
    await writer.cleanUp(0);
    const names = (await readdir(join(folder, "chunks"))).sort();
    expect(names.filter((name) => name.endsWith(".db")).length).toBeLessThan(14);
    expect(names.filter((name) => !/^([0-9]+\.db|version-61\.json)$/.test(name))).toEqual([]);
    const reader = await store.openReader(at);
    expect(await reader.counts()).toEqual({ chunks: 1_200, unindexed: 0 });
    expect(await idsOf(reader, ["w31"])).toHaveLength(20);
  });

  test("locks that killed processes left stand in nobody's way, and readers leave none", async () => {
    const writer = await open().createWriter("chunks");
    await writer.append([storeRow("a", "x")]);
    const at = await writer.commit();
    await writer.close();
    const [segment] = (await readdir(join(folder, "chunks"))).filter((name) => name.endsWith(".db"));
    await mkdir(join(folder, "chunks", `${segment}.lock`));
    await mkdir(join(folder, "chunks", "2.db.tmp.lock"));
    const readers = await Promise.all([open(), open()].map((store) => store.openReader(at)));
    for (const reader of readers) expect(await idsOf(reader, ["x"])).toEqual(["a"]);
    const next = await open().openWriter(at);
    await next.append([storeRow("b", "x")]);
    const later = await next.commit();
    await next.close();
    expect(await idsOf(await open().openReader(later), ["x"])).toEqual(["a", "b"]);
    expect((await readdir(join(folder, "chunks"))).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  test("any text comes back: keys with NUL, lone surrogates and quotes", async () => {
    const odd = ["a\u0000b", "a\u0000c", "\ud800", "\udc00\ud800", 'it\'s "x"', "", "%_"];
    const rows = odd.map((id) =>
      storeRow(id, `t\u0000${id.length}`, { item: `i${id}`, documentId: `d${id}`, text: `${id}\u0000end` }),
    );
    const store = open();
    const writer = await store.createWriter("chunks");
    await writer.append(rows);
    const reader = await store.openReader(await writer.commit());
    for (const row of rows) {
      expect(await reader.chunks([row.chunk.id])).toEqual([row.chunk]);
      expect(await reader.chunksOf([row.chunk.documentId])).toEqual([row.chunk]);
      expect(await idsOf(reader, row.terms)).toContain(row.chunk.id);
    }
    await writer.remove(["ia\u0000b"]);
    expect(await writer.reader().chunks(odd)).toHaveLength(odd.length - 1);
  });

  test("a file that is missing, cut or overwritten is a clear error; a single bit is that or goes unnoticed", async () => {
    const store = open();
    const writer = await store.createWriter("chunks");
    const rows = Array.from({ length: 300 }, (_, i) => storeRow(`r${i}`, `x w${i % 7} ${"pad ".repeat(50)}`));
    await writer.append(rows);
    const at = await writer.commit();
    await writer.close();
    const random = seededRandom(3);
    for (const name of await readdir(join(folder, "chunks"))) {
      const path = join(folder, "chunks", name);
      const whole = await readFile(path);
      const damages = [
        () => rm(path),
        () => truncate(path, Math.floor(whole.length / 2)),
        () => truncate(path, 0),
        () =>
          writeFile(
            path,
            whole.map(() => Math.floor(random() * 256)),
          ),
        () =>
          writeFile(
            path,
            whole.map((byte, i) => (i < Math.min(16_384, whole.length / 2) || random() > 0.5 ? byte : 255 - byte)),
          ),
      ];
      for (const inflict of damages) {
        await inflict();
        expect(await codeOf(at), name).toBe("corpus_corrupt");
        await writeFile(path, whole);
      }
      for (let i = 0; i < 20 * SCALE; i++) {
        const bytes = Uint8Array.from(whole);
        const place = Math.floor(random() * bytes.length);
        bytes[place] = (bytes[place] ?? 0) ^ (1 << Math.floor(random() * 8));
        await writeFile(path, bytes);
        // A bit of the number of the format makes it that of another Winnow.
        expect(["none", "corpus_corrupt", "corpus_format"], `${name} at ${place}`).toContain(await codeOf(at));
      }
      await writeFile(path, whole);
    }
    expect(await codeOf(at)).toBe("none");
  });

  test("a row whose vector has another length is a defect of the caller, and leaves the table as it was", async () => {
    const writer = await open().createWriter("chunks");
    const at = await writer.commit();
    await writer.append([storeRow("a", "x", { vector: [1, 2] })]);
    await expect(writer.commit()).rejects.toMatchObject({ code: "internal" });
    await writer.close();
    expect(await (await open().openReader(at)).counts()).toMatchObject({ chunks: 0 });
    expect((await stat(join(folder, "chunks"))).isDirectory()).toBe(true);
  });

  async function codeOf(at: { table: string; version: number }): Promise<string> {
    const store = sqliteStore({ folder, vectorDimension: CONTRACT_VECTOR_DIMENSION });
    try {
      const reader = await store.openReader(at);
      await idsOf(reader, ["x", "w3"]);
      await reader.documentsWhere(parseFilter(["year=1"]));
      for await (const part of reader.rows()) expect(part.length).toBeGreaterThan(0);
      return "none";
    } catch (error) {
      return toWinnowError(error).code;
    } finally {
      await store.close();
    }
  }
});

/** A row of the item `n`; equal serials make equal rows. */
function randomRow(n: number, serial: number) {
  const random = seededRandom(serial);
  const terms = Array.from({ length: 1 + (serial % 9) }, () => `w${Math.floor(random() * 12)}`).join(" ");
  const vector = serial % 5 === 0 ? null : [random() - 0.5, random() - 0.5, random() - 0.5];
  const placed = { documentId: `doc${n}`, item: `item${n}`, index: serial };
  return storeRow(`c${serial}`, terms, { ...placed, vector, metadata: { even: n % 2 === 0 } });
}

async function answers(reader: StoreReader): Promise<unknown> {
  const rounded = (list: Awaited<ReturnType<StoreReader["lexical"]>>) =>
    list.candidates.map(({ id, documentId, score }) => [id, documentId, score.toFixed(6)]);
  const where = parseFilter(["even=true"]);
  const vector = Float32Array.of(0.2, -0.4, 0.9);
  const scanned = [];
  for await (const part of reader.rows()) scanned.push(...part);
  return {
    lexical: rounded(await reader.lexical({ terms: ["w1", "w2", "w1"], limit: 30 })),
    filtered: rounded(await reader.lexical({ terms: ["w3"], limit: 5, where, excludeDocuments: new Set(["doc4"]) })),
    dense: rounded(await reader.dense({ vector, limit: 12, exclude: new Set(["c1"]) })),
    documents: await reader.chunksOf(["doc1", "doc2"]),
    rows: scanned.sort((a, b) => (a.chunk.id < b.chunk.id ? -1 : 1)),
    counts: await reader.counts(),
  };
}
