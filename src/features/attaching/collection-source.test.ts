import { describe, expect, test } from "vitest";
import type { ChromaGet, ChromaRecord } from "../../retrieval/chroma/collection.ts";
import { MemoryCollection, type MemoryRecord } from "../../testing/memory-chroma.ts";
import type { CollectionShape } from "./collection-shape.ts";
import { collectionSource } from "./collection-source.ts";
import { RECORD_TEXT_UNITS_MAX } from "./record-document.ts";
import { scanCollection } from "./scan-collection.ts";

const shape: CollectionShape = { documentKey: "path", orderKey: "n", role: "documents" };
const signal = new AbortController().signal;

const records = (documents: number, each: number): MemoryRecord[] =>
  Array.from({ length: documents * each }, (_, at) => ({
    id: `r${at}`,
    document: `text ${at}`,
    metadata: { path: `f${String(Math.floor(at / each)).padStart(5, "0")}`, n: at % each },
  }));

const scan = (collection: MemoryCollection, cloud = false) => scanCollection({ collection, shape, cloud });

describe("scanCollection", () => {
  test("reads every page, without the texts, and groups records into documents", async () => {
    const collection = new MemoryCollection({ name: "c" }, records(700, 3));
    const found = await scan(collection);
    expect(found).toMatchObject({ records: 2_100, settled: true });
    expect(found.documents).toHaveLength(700);
    expect(found.documents[1]).toMatchObject({ name: "f00001", records: [{ id: "r3" }, { id: "r4" }, { id: "r5" }] });
    const pages = collection.calls.filter(({ method }) => method === "get").map(({ query }) => query);
    expect(pages.map(({ offset, include }) => [offset, include])).toEqual([
      [0, ["metadatas"]],
      [999, ["metadatas"]],
      [1_998, ["metadatas"]],
      [2_099, []],
    ]);
  });

  test("Cloud gives at most 300 at once", async () => {
    const collection = new MemoryCollection({ name: "c" }, records(310, 1));
    expect((await scan(collection, true)).records).toBe(310);
    expect(Math.max(...collection.calls.map(({ query }) => query.limit ?? 0))).toBe(300);
  });

  test("a fingerprint changes with the metadata, the records and the shape, not with the order of keys", async () => {
    const fingerprint = async (metadata: object, of: CollectionShape = shape, id = "a") => {
      const collection = new MemoryCollection({ name: "c" }, [
        { id, document: "x", metadata: { path: "f", ...metadata } },
      ]);
      return (await scanCollection({ collection, shape: of, cloud: false })).documents[0]?.fingerprint;
    };
    const before = await fingerprint({ a: 1, b: "x" });
    expect(await fingerprint({ b: "x", a: 1 })).toBe(before);
    const changed = [
      await fingerprint({ a: 2, b: "x" }),
      await fingerprint({ a: "1", b: "x" }),
      await fingerprint({ a: 1, b: "x" }, shape, "b"),
      await fingerprint({ a: 1, b: "x" }, { ...shape, titleKey: "b" }),
    ];
    expect(new Set([before, ...changed]).size).toBe(5);
    expect(Number.isSafeInteger(before) && Number(before) < 2 ** 40).toBe(true);
  });

  test("a collection that changes under the scan is scanned again", async () => {
    const collection = new MemoryCollection({ name: "c" }, records(1_500, 1));
    let removed = 0;
    collection.before = (method) => {
      // A record of the first page goes before the second one is read: paging would skip another.
      if (method === "get" && collection.calls.length === 3 && removed++ === 0) collection.remove("r0");
    };
    expect(await scan(collection)).toMatchObject({ records: 1_499, settled: true });
  });

  test("as many records that come as go are noticed, wherever in the scan it happens", async () => {
    for (const at of [1, 2, 3, 4, 5]) {
      const collection = new MemoryCollection({ name: "c" }, records(2_500, 1));
      let moved = 0;
      collection.before = () => {
        if (collection.calls.length !== at || moved++ > 0) return;
        collection.remove("r0");
        collection.put([{ id: "new", document: "x", metadata: { path: "new", n: 0 } }]);
      };
      const { documents, settled } = await scan(collection);
      expect(settled, `call ${at}`).toBe(true);
      const ids = new Set(documents.flatMap((document) => document.records.map(({ id }) => id)));
      expect([ids.size, ids.has("r0"), ids.has("new")], `call ${at}`).toEqual([2_500, false, true]);
    }
  });

  test("one that never rests is taken as it was seen last, and said to be unsettled", async () => {
    const collection = new MemoryCollection({ name: "c" }, records(3, 1));
    let added = 0;
    collection.before = (method) => {
      if (method === "get") collection.put([{ id: `new${added++}`, document: "x" }]);
    };
    expect(await scan(collection)).toMatchObject({ settled: false, records: 8 });
  });
});

describe("a server that gives no end of records", () => {
  /** Pages of records that nobody counted. */
  const endless = (count: number, idOf: (at: number) => string) => {
    let pages = 0;
    const collection = {
      count: async () => count,
      async get({ offset = 0, limit = 0 }: ChromaGet): Promise<readonly ChromaRecord[]> {
        if (++pages > 100) throw new Error("the scan goes on and on");
        const at = (row: number) => ({ id: idOf(offset + row), document: null, metadata: {}, embedding: null });
        return Array.from({ length: limit }, (_, row) => at(row));
      },
    };
    return { collection, pages: () => pages };
  };

  test("of which it counts few is left, within the margin for what may come meanwhile", async () => {
    const { collection, pages } = endless(100, (at) => `r${at}`);
    await expect(scanCollection({ collection, shape, cloud: false })).rejects.toMatchObject({
      code: "store_failed",
      message: expect.stringMatching(/counts 100 records and gives more than 10100/),
    });
    expect(pages()).toBeLessThanOrEqual(11);
  });

  test("or counts more than can be held is not begun with", async () => {
    const { collection, pages } = endless(Number.MAX_SAFE_INTEGER, (at) => `r${at}`);
    await expect(scanCollection({ collection, shape, cloud: false })).rejects.toMatchObject({ code: "limit_exceeded" });
    expect(pages()).toBe(0);
  });

  test("or the same ones again and again is left at once", async () => {
    const { collection, pages } = endless(1_000_000, (at) => `r${at % 999}`);
    await expect(scanCollection({ collection, shape, cloud: false })).rejects.toMatchObject({
      message: expect.stringMatching(/the same records again/),
    });
    expect(pages()).toBe(2);
  });
});

describe("collectionSource", () => {
  const failures: unknown[] = [];
  const open = async (collection: MemoryCollection) => {
    const { documents } = await scan(collection);
    collection.calls.length = 0;
    return collectionSource({ collection, shape, documents, cloud: false, onFailure: (error) => failures.push(error) });
  };
  const items = async (source: Awaited<ReturnType<typeof open>>) => {
    const listed = [];
    for await (const one of source.list(signal)) if ("item" in one) listed.push(one.item);
    return listed;
  };

  test("documents asked for in their order are fetched many at once", async () => {
    const collection = new MemoryCollection({ name: "c" }, records(3_000, 1));
    const source = await open(collection);
    const read = [];
    for (const item of await items(source)) {
      const outcome = await source.read(item, signal);
      if ("documents" in outcome) read.push(outcome.documents[0]?.text);
    }
    expect(read).toEqual(records(3_000, 1).map(({ document }) => document));
    expect(collection.calls.length).toBeLessThan(20);
  });

  test("single documents are fetched alone", async () => {
    const collection = new MemoryCollection({ name: "c" }, records(1_000, 2));
    const source = await open(collection);
    const all = await items(source);
    for (const at of [10, 500, 20]) {
      const item = all[at];
      if (item !== undefined) await source.read(item, signal);
    }
    expect(collection.calls.map(({ query }) => query.ids?.length)).toEqual([2, 2, 2]);
  });

  test("what vanished, and what has no text, is skipped with its reason", async () => {
    const collection = new MemoryCollection({ name: "c" }, [
      { id: "a", document: "x", metadata: { path: "a" } },
      { id: "b", metadata: { path: "b" } },
      { id: "c", document: "y", metadata: { path: "c" } },
      { id: "c2", document: null, metadata: { path: "c" } },
    ]);
    const source = await open(collection);
    const [a, b, c] = await items(source);
    collection.remove("a");
    if (a === undefined || b === undefined || c === undefined) throw new Error("three documents are listed");
    expect(await source.read(a, signal)).toMatchObject({ skipped: { reason: "vanished" } });
    expect(await source.read(b, signal)).toMatchObject({ skipped: { reason: "empty" } });
    expect(await source.read(c, signal)).toMatchObject({ notes: ["1 record without a text."] });
  });

  test("a text over the limit is cut, and counted", async () => {
    const long = "word ".repeat(RECORD_TEXT_UNITS_MAX / 5 + 10);
    const collection = new MemoryCollection({ name: "c" }, [
      { id: "a", document: long, metadata: { path: "a", n: 0 } },
      { id: "b", document: "short", metadata: { path: "a", n: 1 } },
    ]);
    const source = await open(collection);
    const [item] = await items(source);
    if (item === undefined) throw new Error("a document is listed");
    const outcome = await source.read(item, signal);
    if (!("documents" in outcome)) throw new Error("a document is read");
    expect(outcome.notes).toEqual([`1 record cut at ${RECORD_TEXT_UNITS_MAX} characters.`]);
    const text = outcome.documents[0]?.text ?? "";
    expect(text.endsWith("word…\n\nshort")).toBe(true);
    expect(text.length).toBeLessThanOrEqual(RECORD_TEXT_UNITS_MAX + "\n\nshort".length);
  });

  test("a server that fails is told once for all", async () => {
    const collection = new MemoryCollection({ name: "c" }, records(3, 1));
    const source = await open(collection);
    const [first] = await items(source);
    collection.before = () => {
      throw new Error("gone");
    };
    if (first === undefined) throw new Error("a document is listed");
    await expect(source.read(first, signal)).rejects.toThrow("gone");
    expect(failures).toHaveLength(1);
    collection.before = () => undefined;
    expect(await source.read(first, signal)).toMatchObject({ documents: [{ text: "text 0" }] });
  });
});
