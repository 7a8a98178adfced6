import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFilter } from "../../../core/filter-parse.ts";
import { wellFormed } from "../../../core/text.ts";
import { MemoryCollection, memoryServer } from "../../../testing/memory-chroma.ts";
import { memoryStore } from "../../../testing/memory-store.ts";
import { storeContract } from "../../../testing/store-contract.ts";
import { CONTRACT_VECTOR_DIMENSION } from "../../../testing/store-contract-dense.ts";
import { storeRow } from "../../../testing/store-row.ts";
import { chromaStore } from "./chroma-store.ts";
import { chunkIdOf, recordIdOf, toRecord, toRow } from "./row-record.ts";

const numRuns = 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

function open(collections = new Map<string, MemoryCollection>()) {
  const connection = memoryServer(collections);
  const words = memoryStore();
  const vectorDimension = CONTRACT_VECTOR_DIMENSION;
  return chromaStore({ words, connect: async () => connection, name: "notes", vectorDimension });
}

storeContract("chroma, in memory", async () => ({ store: open(), remove: async () => undefined }));

describe("chroma", () => {
  test("what a writer left behind is passed over, and goes with the next clean-up", async () => {
    const collections = new Map<string, MemoryCollection>();
    const store = open(collections);
    const writer = await store.createWriter("chunks");
    await writer.append([storeRow("a", "x", { vector: [1, 0, 0] }), storeRow("b", "x", { vector: [0, 1, 0] })]);
    const at = await writer.commit();
    await writer.append([storeRow("lost", "x", { vector: [1, 0, 0] })]);
    await writer.close();
    const next = await store.openWriter(at);
    await next.remove(["b.md"]);
    // The same chunk with another text: readers of the version before must not take its vector for theirs.
    await next.remove(["a.md"]);
    await next.append([storeRow("a", "y", { vector: [0, 0, 1] })]);
    const vector = Float32Array.of(1, 0, 0);
    const before = await (await store.openReader(at)).dense({ vector, limit: 9 });
    expect(before.candidates.map(({ id, score }) => [id, score])).toEqual([
      ["a", 1],
      ["b", 0],
    ]);
    const reader = await store.openReader(await next.commit());
    expect((await reader.dense({ vector, limit: 9 })).candidates).toMatchObject([{ id: "a", score: 0 }]);
    expect(await collections.get("notes-chunks")?.count()).toBe(4);
    await next.cleanUp(0);
    expect(await collections.get("notes-chunks")?.count()).toBe(1);
  });

  test("a collection that is somebody else's is neither replaced nor deleted", async () => {
    const foreign = new MemoryCollection({ name: "notes-chunks" }, [{ id: "theirs" }]);
    const collections = new Map([["notes-chunks", foreign]]);
    const store = open(collections);
    await expect(store.createWriter("chunks")).rejects.toMatchObject({ code: "store_failed" });
    const writer = await store.createWriter("newer");
    await writer.commit();
    await store.dropOtherTables("newer");
    expect([...collections.keys()]).toEqual(["notes-chunks", "notes-newer"]);
    expect(await foreign.count()).toBe(1);
  });

  test("vectors that are gone are corruption, and words are found all the same", async () => {
    const collections = new Map<string, MemoryCollection>();
    const store = open(collections);
    const writer = await store.createWriter("chunks");
    await writer.append([storeRow("a", "x", { vector: [1, 0, 0], metadata: { n: 1 } })]);
    const reader = await store.openReader(await writer.commit());
    collections.clear();
    expect((await reader.lexical({ terms: ["x"], limit: 1 })).candidates).toHaveLength(1);
    for (const where of [[], parseFilter(["n=1"])]) {
      await expect(reader.dense({ vector: Float32Array.of(1, 0, 0), limit: 1, where })).rejects.toMatchObject({
        code: "corpus_corrupt",
      });
    }
  });

  test("a record gives its row back, whatever texts and vectors it was made of", () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    const row = fc.record({
      id: text,
      documentId: text,
      body: text,
      key: text,
      values: fc.array(text, { maxLength: 3 }),
      vector: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(row, ({ id, documentId, body, key, values, vector }) => {
        const metadata = { [`k${key}`]: values, even: true, year: 2026 };
        const made = storeRow(id, "t", { item: key, documentId, text: body, title: key, metadata, vector });
        const sent = toRecord(made, 3);
        const stored = { ...sent, embedding: Array.from(sent.embedding, Math.fround) };
        // What a server keeps is well-formed text.
        expect(Buffer.from(JSON.stringify(stored)).toString()).toBe(JSON.stringify(stored));
        for (const part of [stored.id, stored.document, ...Object.values(stored.metadata)]) {
          if (typeof part === "string") expect(wellFormed(part)).toBe(part);
        }
        expect(toRow(stored, () => ["t"])).toEqual(made);
        expect(chunkIdOf(recordIdOf(made.chunk))).toBe(id);
      }),
      { numRuns, seed: 12 },
    );
    for (const foreign of ["", "plain", "~0123", `"~0123456789abcdef`]) expect(chunkIdOf(foreign)).toBeUndefined();
    expect(() => toRow({ id: "x", document: "d", metadata: { a: 1 }, embedding: [1] }, () => [])).toThrow(
      "not written by Winnow",
    );
  });
});
