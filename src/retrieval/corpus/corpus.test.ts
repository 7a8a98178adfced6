import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import { parseFilter } from "../../core/filter-parse.ts";
import { type CorpusFixture, corpusFixture, putText } from "../../testing/corpus-fixture.ts";
import type { Store } from "../store/store.ts";
import { findCorpusFolder } from "./find-corpus-folder.ts";
import { GREP_SEGMENTS_MAX } from "./grep-plan.ts";
import { corpusLayout } from "./layout.ts";
import { openCorpus } from "./open-corpus.ts";
import { openFolderStore } from "./store-of.ts";

let fixture: CorpusFixture;
let folder: string;
beforeEach(async () => {
  fixture = await corpusFixture();
  folder = fixture.folder;
});
afterEach(() => fixture.remove());

const TEXTS = { "a.txt": "one alpha\ntwo\nthree\nfour beta\n", "b.txt": "beta only", "c.txt": "gamma\n".repeat(10) };

describe("corpus folder", () => {
  test("find, grep, read and info over what was committed", async () => {
    await fixture.build(TEXTS);
    const corpus = await openCorpus(folder, { name: "mine" });
    expect(await corpus.info()).toMatchObject({
      name: "mine",
      location: folder,
      generation: 2,
      documents: 3,
      chunks: 7,
      tokenCounter: "words",
      embedder: null,
      metadataKeys: ["path"],
    });
    const { hits, notices } = await corpus.find({ text: "beta", mode: "hybrid", chunksMax: 5 });
    expect(hits.map(({ chunk }) => chunk.id)).toEqual(["a.txt:1", "b.txt:0"]);
    expect(notices.map(({ code }) => code)).toEqual(["lexical_only"]);
    const grep = await corpus.grep({ pattern: "ga(m+)a|beta", chunksMax: 3 });
    expect(grep).toMatchObject({ matchesTotal: 12, documentsTotal: 3, truncated: false });
    expect(grep.hits.map(({ hit, matches }) => [hit.chunk.id, matches])).toEqual([
      ["a.txt:1", 1],
      ["b.txt:0", 1],
      ["c.txt:0", 3],
    ]);
    expect(grep.hits[0]?.match).toEqual({ start: 25, end: 29, line: 4, lineText: "four beta" });
    const only = await corpus.grep({ pattern: "beta", chunksMax: 9, where: parseFilter(["path=b.txt"]) });
    expect(only).toMatchObject({ matchesTotal: 1, documentsTotal: 1 });
    expect(await corpus.grep({ pattern: "beta", chunksMax: 9, excludeDocuments: new Set(["b.txt"]) })).toMatchObject({
      matchesTotal: 1,
    });
    await expect(corpus.grep({ pattern: "(", chunksMax: 1 })).rejects.toMatchObject({ code: "invalid_pattern" });
    expect((await corpus.read({ documentId: "a.txt" })).map(({ text }) => text).join("")).toBe(TEXTS["a.txt"]);
    expect((await corpus.read({ documentId: "a.txt", from: 1, to: 1 })).map(({ id }) => id)).toEqual(["a.txt:1"]);
    expect(await corpus.read({ documentId: "a.txt", from: 9 })).toEqual([]);
    await expect(corpus.read({ documentId: "nope" })).rejects.toMatchObject({ code: "document_not_found" });
    await expect(corpus.read({ documentId: "a.txt", from: -1 })).rejects.toMatchObject({ code: "invalid_argument" });
    await corpus.close();
    await expect(corpus.info()).rejects.toBeInstanceOf(WinnowError);
    expect(await findCorpusFolder(join(fixture.base, "deep", "er"))).toBe(folder);
    expect(await findCorpusFolder(tmpdir())).toBeUndefined();
    expect(await readFile(join(folder, ".gitignore"), "utf8")).toBe("*\n");
  });

  test("more calls at once than a corpus takes are refused at once, as worth another try, and none of the others is lost", async () => {
    await fixture.build(TEXTS);
    let begin = (): void => {};
    const held = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const openStore = (...given: Parameters<typeof openFolderStore>): Store => {
      const store = openFolderStore(...given);
      return {
        ...store,
        openReader: async (at) => {
          const reader = await store.openReader(at);
          const read = await reader.chunksOf(["b.txt"]);
          return { ...reader, chunksOf: () => held.then(() => read) };
        },
      };
    };
    const corpus = await openCorpus(folder, { openStore });
    const asked = Array.from({ length: 10_000 }, () => corpus.read({ documentId: "b.txt" }));
    await expect(corpus.read({ documentId: "b.txt" })).rejects.toMatchObject({ code: "busy", retryable: true });
    begin();
    const answers = await Promise.all(asked);
    expect(answers.every(([chunk]) => chunk?.text === "beta only")).toBe(true);
    expect(await corpus.read({ documentId: "b.txt" })).toHaveLength(1);
    await corpus.close();
  });

  test("a reader sees the next generation at its next call, and none before the commit", async () => {
    await fixture.build(TEXTS);
    const corpus = await openCorpus(folder);
    const writer = await fixture.open();
    await putText(writer, "b.txt", "delta now");
    await putText(writer, "d.txt", "delta too");
    writer.removeItem("c.txt");
    expect(await fixture.found("delta beta gamma", corpus)).toEqual(["a.txt", "b.txt", "c.txt"]);
    await writer.commit();
    expect(await fixture.found("delta beta gamma", corpus)).toEqual(["a.txt", "b.txt", "d.txt"]);
    expect(await fixture.found("beta", corpus)).toEqual(["a.txt"]);
    expect((await corpus.grep({ pattern: "beta|gamma|delta", chunksMax: 9 })).matchesTotal).toBe(3);
    await writer.finish(0);
    await writer.close();
    expect(await fixture.found("delta", corpus)).toEqual(["b.txt", "d.txt"]);
    await corpus.close();
  });

  test("what was staged but not committed is gone after a writer ends, and nothing of it stays on disk", async () => {
    await fixture.build(TEXTS);
    const writer = await fixture.open();
    await putText(writer, "a.txt", "lost");
    for (let i = 0; i < 900; i++) await putText(writer, `lost${i}`, "lost\n".repeat(9));
    await writer.close();
    expect(await fixture.found("lost alpha")).toEqual(["a.txt"]);
    await writeFile(join(folder, "grep", "9"), "left by a crash");
    await writeFile(join(folder, "manifest", "1.json"), "replaced just now; a reader may be at it");
    await writeFile(join(folder, "manifest", "9.json.1.tmp"), "left by a crash");
    const next = await fixture.open();
    await putText(next, "e.txt", "epsilon");
    await next.commit();
    await next.close();
    expect(await fixture.found("lost alpha epsilon beta")).toEqual(["a.txt", "b.txt", "e.txt"]);
    expect(await readdir(join(folder, "grep"))).toEqual(["1", "3"]);
    expect((await readdir(join(folder, "manifest"))).sort()).toEqual(["1.json", "2.json", "3.json"]);
    await (await fixture.open({ now: () => Date.now() + 3_600_000 })).close();
    expect(await readdir(join(folder, "manifest"))).toEqual(["3.json"]);
    expect(await fixture.found("lost alpha epsilon beta")).toEqual(["a.txt", "b.txt", "e.txt"]);
  });

  test("an item staged twice in one commit leaves only its last content", async () => {
    const writer = await fixture.open();
    await putText(writer, "a.txt", "first alpha");
    await putText(writer, "a.txt", "second beta");
    await putText(writer, "b.txt", "beta");
    writer.removeItem("b.txt");
    await writer.finish(0);
    await writer.close();
    expect(await fixture.found("alpha beta")).toEqual(["a.txt"]);
    expect(await fixture.found("alpha")).toEqual([]);
    const corpus = await openCorpus(folder);
    expect((await corpus.grep({ pattern: "alpha|beta", chunksMax: 9 })).matchesTotal).toBe(1);
    await corpus.close();
  });

  test("the second of two writers is refused, and the first goes on", async () => {
    const first = await fixture.open();
    await expect(fixture.open()).rejects.toMatchObject({
      code: "corpus_locked",
      message: expect.stringContaining(`${process.pid}`),
    });
    await putText(first, "a.txt", "alpha");
    await first.finish(0);
    await first.close();
    expect(await fixture.found("alpha")).toEqual(["a.txt"]);
    await (await fixture.open()).close();
  });

  test("a writer whose lock was taken commits nothing", async () => {
    await fixture.build(TEXTS);
    const writer = await fixture.open();
    await putText(writer, "x.txt", "stolen");
    await rm(corpusLayout(folder).lockFile);
    const other = await fixture.open();
    await expect(writer.commit()).rejects.toMatchObject({ code: "corpus_locked" });
    await writer.close();
    await putText(other, "y.txt", "stolen");
    await other.finish(0);
    await other.close();
    expect(await fixture.found("stolen")).toEqual(["y.txt"]);
  });

  test("another chunker, counter, analyzer or embedder is a mismatch", async () => {
    await fixture.build(TEXTS);
    const opened = (change: object) => fixture.open({ identity: { ...fixture.identity, ...change } });
    for (const change of [{ chunker: "x" }, { tokenCounter: "x" }, { analyzer: "x" }]) {
      const hint = expect.stringContaining("--rebuild");
      await expect(opened(change)).rejects.toMatchObject({ code: "corpus_mismatch", hint });
    }
    const embedder = { name: "x", dimension: 3 };
    const hint = expect.stringContaining("winnow reembed");
    await expect(opened({ embedder })).rejects.toMatchObject({ code: "corpus_mismatch", hint });
    const kept = await fixture.open({ identity: { ...fixture.identity, embedder }, keepEmbedder: true });
    expect(kept.embedder).toBeNull();
    await kept.close();
    const rebuilt = await fixture.open({ identity: { ...fixture.identity, chunker: "x" }, rebuild: true });
    expect(rebuilt.sources).toEqual([{ type: "files", roots: [""], excluded: [] }]);
    await putText(rebuilt, "n.txt", "nu");
    await rebuilt.finish(0);
    expect(rebuilt.generation).toBeGreaterThan(2);
    await rebuilt.close();
    expect(await fixture.found("alpha beta gamma nu")).toEqual(["n.txt"]);
    expect(await readdir(join(folder, "lance"))).toHaveLength(1);
  });

  test("a full disk is reported as such and leaves the last commit", async () => {
    await fixture.build(TEXTS);
    const full = (store: Store): Store => ({
      ...store,
      openWriter: async (at) => {
        const writer = await store.openWriter(at);
        const append = async () => Promise.reject(Object.assign(new Error("write"), { code: "ENOSPC" }));
        return new Proxy(writer, {
          get: (target, name) => {
            const value: unknown = Reflect.get(target, name);
            if (name === "append") return append;
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      },
    });
    const writer = await fixture.open({ openStore: (layout, identity) => full(openFolderStore(layout, identity)) });
    await putText(writer, "a.txt", "never");
    await expect(writer.commit()).rejects.toMatchObject({ code: "disk_full" });
    await writer.close();
    // So many rows go to the store before the commit, which is told what became of them.
    const large = await fixture.open({ openStore: (layout, identity) => full(openFolderStore(layout, identity)) });
    await putText(large, "a.txt", "never\n".repeat(5_000));
    await setImmediate();
    await expect(large.commit()).rejects.toMatchObject({ code: "disk_full" });
    await large.close();
    expect(await fixture.found("alpha never")).toEqual(["a.txt"]);
  });

  test("many small commits keep grep to few segments, and dead texts do not pile up", async () => {
    const writer = await fixture.open();
    for (let i = 0; i < 2 * GREP_SEGMENTS_MAX; i++) {
      await putText(writer, `f${i}`, `file ${i}\nshared\n`);
      await putText(writer, "hot", `hot ${i}\n`);
      await writer.commit();
    }
    await writer.finish(0);
    await writer.close();
    const corpus = await openCorpus(folder);
    const grep = await corpus.grep({ pattern: "shared|hot", chunksMax: 100 });
    expect(grep).toMatchObject({ matchesTotal: 2 * GREP_SEGMENTS_MAX + 1, truncated: false });
    expect((await corpus.grep({ pattern: "hot [0-9]+", chunksMax: 9 })).hits[0]?.match.lineText).toBe(
      `hot ${2 * GREP_SEGMENTS_MAX - 1}`,
    );
    await corpus.close();
    const { body } = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as { body: { grep: unknown[] } };
    expect(body.grep.length).toBeLessThanOrEqual(GREP_SEGMENTS_MAX);
  });

  test("32 finds, greps and reads at once survive a writer that commits, optimizes and cleans up", async () => {
    await fixture.build(
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i}`, `stable word${i}\n`.repeat(4)])),
    );
    const corpus = await openCorpus(folder);
    let writing = true;
    const generations: number[] = [];
    const read = async (i: number): Promise<void> => {
      while (writing) {
        const key = `s${i % 40}`;
        expect(await fixture.found(`word${i % 40}`, corpus)).toEqual([key]);
        expect(await corpus.read({ documentId: key })).toHaveLength(2);
        // Each grep is a process of its own; a few at a time are enough.
        if (i < 2) {
          expect((await corpus.grep({ pattern: `word${i % 40}\\b`, chunksMax: 5 })).matchesTotal).toBe(4);
        }
        generations.push((await corpus.info()).generation);
      }
    };
    const readers = Promise.all(Array.from({ length: 32 }, (_, i) => read(i)));
    try {
      for (let round = 0; round < 2; round++) {
        const writer = await fixture.open();
        for (let i = 0; i < 3; i++) {
          await putText(writer, `moving${i}`, `moving round${round}\n`);
          await writer.commit();
        }
        await writer.finish(0);
        await writer.close();
      }
    } finally {
      writing = false;
    }
    await readers;
    expect(await fixture.found("round1", corpus)).toHaveLength(3);
    expect(new Set(generations).size).toBeGreaterThan(1);
    await corpus.close();
  });
});
