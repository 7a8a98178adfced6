import { mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { wellFormed } from "../../core/text.ts";
import { openGrep } from "./open-grep.ts";
import { readDocument, readSegmentIndex, writeGrepSegment } from "./segment.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-segment-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function readAll(): Promise<{ id: string; text: string }[]> {
  const index = await readSegmentIndex(folder);
  const file = await open(index.path, "r");
  try {
    return await Promise.all(
      index.ids.map(async (id, i) => ({ id, text: (await readDocument(file, index, i)).toString("utf8") })),
    );
  } finally {
    await file.close();
  }
}

describe("writeGrepSegment", () => {
  test("round trip of any ids and texts; offsets stay", async () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    const documents = fc.array(fc.record({ id: text, text }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(documents, async (written) => {
        const result = await writeGrepSegment(folder, written);
        expect(result.documents).toBe(written.length);
        expect(result.bytes).toBe((await readFile(join(folder, "docs.bin"))).length);
        const read = await readAll();
        expect(read).toEqual(
          written.map(({ id, text: original }) => ({ id, text: wellFormed(original.replaceAll("\0", "\ufffd")) })),
        );
        for (const [i, document] of read.entries()) expect(document.text.length).toBe(written[i]?.text.length);
      }),
      { numRuns: 60 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1), seed: 41 },
    );
  });

  test("more than one buffer, from an async source", async () => {
    async function* source() {
      for (let i = 0; i < 40; i++) yield { id: `${i}`, text: `${i} ${"x".repeat(100_000)}` };
    }
    await writeGrepSegment(folder, source());
    const read = await readAll();
    expect(read).toHaveLength(40);
    expect(read[39]?.text.slice(0, 5)).toBe("39 xx");
  });

  test("a source that fails leaves nothing that can be read", async () => {
    async function* source() {
      yield { id: "a", text: "text" };
      throw new Error("source broke");
    }
    await expect(writeGrepSegment(folder, source())).rejects.toMatchObject({ code: "store_failed" });
    await expect(readSegmentIndex(folder)).rejects.toMatchObject({ code: "corpus_corrupt" });
  });
});

describe("a damaged segment is corpus_corrupt", () => {
  const documents = [
    { id: "a", text: "alpha" },
    { id: "b", text: "beta" },
  ];

  test.each<[string, () => Promise<void>]>([
    ["no index", () => rm(join(folder, "docs.idx"))],
    ["no texts", () => rm(join(folder, "docs.bin"))],
    ["cut texts", () => truncate(join(folder, "docs.bin"), 8)],
    ["cut index", () => truncate(join(folder, "docs.idx"), 30)],
    ["another format", () => writeFile(join(folder, "docs.idx"), '{"format":"grep/9"}\n{"documents":0,"bytes":14}\n')],
    [
      "wrong lengths",
      () => writeFile(join(folder, "docs.idx"), '{"format":"grep/1"}\n3 "a"\n{"documents":1,"bytes":14}\n'),
    ],
    [
      "a torn id",
      () => writeFile(join(folder, "docs.idx"), '{"format":"grep/1"}\n5 "a\n4 "b"\n{"documents":2,"bytes":14}\n'),
    ],
  ])("%s", async (_, damage) => {
    await writeGrepSegment(folder, documents);
    const grep = () => openGrep({ segments: [{ folder }], isLive: () => true }).grep({ pattern: "a" });
    expect((await grep()).matchesTotal).toBe(3);
    await damage();
    await expect(grep()).rejects.toMatchObject({ code: "corpus_corrupt" });
  });

  test("a failure is not remembered", async () => {
    const grep = openGrep({ segments: [{ folder }], isLive: () => true });
    await expect(grep.grep({ pattern: "a" })).rejects.toMatchObject({ code: "corpus_corrupt" });
    await writeGrepSegment(folder, documents);
    expect((await grep.grep({ pattern: "a" })).matchesTotal).toBe(3);
  });
});
