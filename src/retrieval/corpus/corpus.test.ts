import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../core/clock.ts";
import { WinnowError } from "../../core/errors.ts";
import { parseFilter } from "../../core/filter-parse.ts";
import { lineChunks } from "../../testing/memory-source.ts";
import { analyzeText } from "../lexical/analyze.ts";
import type { Store } from "../store/store.ts";
import { type CorpusWriter, type CorpusWriterOptions, openCorpusWriter } from "./corpus-writer.ts";
import { findCorpusFolder } from "./find-corpus-folder.ts";
import { GREP_SEGMENTS_MAX } from "./grep-plan.ts";
import { corpusLayout } from "./layout.ts";
import type { CorpusIdentity } from "./manifest.ts";
import { openCorpus } from "./open-corpus.ts";
import { openFolderStore } from "./store-of.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

const IDENTITY: CorpusIdentity = { chunker: "lines", tokenCounter: "words", analyzer: "test", embedder: null };

let base: string;
let folder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-corpus-"));
  folder = join(base, ".winnow");
});
afterEach(() => rm(base, { recursive: true, force: true }));

const open = (more: Partial<CorpusWriterOptions> = {}) => openCorpusWriter(folder, { identity: IDENTITY, ...more });

async function put(writer: CorpusWriter, key: string, text: string, metadata: Record<string, string> = {}) {
  const document = {
    id: key,
    uri: key,
    title: key,
    format: "text" as const,
    text,
    metadata: { path: key, ...metadata },
  };
  const chunks = lineChunks(document);
  const rows = chunks.map((chunk) => ({ chunk, item: key, terms: analyzeText(chunk.text) }));
  await writer.append(key, [document], rows);
  writer.setItem({
    key,
    source: "files",
    state: "indexed",
    bytes: text.length,
    mtimeMs: 1,
    hash: text,
    documents: 1,
    chunks: rows.length,
    tokens: chunks.reduce((sum, { tokens }) => sum + tokens, 0),
    textBytes: Buffer.byteLength(text),
  });
}

/** A corpus of these texts, committed and ready. */
async function build(texts: Readonly<Record<string, string>>): Promise<void> {
  const writer = await open();
  for (const [key, text] of Object.entries(texts)) await put(writer, key, text);
  writer.setSources([{ type: "files", roots: [""], excluded: [] }]);
  await writer.finish(0);
  await writer.close();
}

async function found(text: string, corpus?: Awaited<ReturnType<typeof openCorpus>>): Promise<string[]> {
  const opened = corpus ?? (await openCorpus(folder));
  const { hits } = await opened.find({ text, mode: "lexical", chunksMax: 100 });
  if (corpus === undefined) await opened.close();
  return [...new Set(hits.map(({ chunk }) => chunk.documentId))].sort();
}

const TEXTS = { "a.txt": "one alpha\ntwo\nthree\nfour beta\n", "b.txt": "beta only", "c.txt": "gamma\n".repeat(10) };

describe("corpus folder", () => {
  test("find, grep, read and info over what was committed", async () => {
    await build(TEXTS);
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
    expect(await findCorpusFolder(join(base, "deep", "er"))).toBe(folder);
    expect(await findCorpusFolder(tmpdir())).toBeUndefined();
    expect(await readFile(join(folder, ".gitignore"), "utf8")).toBe("*\n");
  });

  test("a reader sees the next generation at its next call, and none before the commit", async () => {
    await build(TEXTS);
    const corpus = await openCorpus(folder);
    const writer = await open();
    await put(writer, "b.txt", "delta now");
    await put(writer, "d.txt", "delta too");
    writer.removeItem("c.txt");
    expect(await found("delta beta gamma", corpus)).toEqual(["a.txt", "b.txt", "c.txt"]);
    await writer.commit();
    expect(await found("delta beta gamma", corpus)).toEqual(["a.txt", "b.txt", "d.txt"]);
    expect(await found("beta", corpus)).toEqual(["a.txt"]);
    expect((await corpus.grep({ pattern: "beta|gamma|delta", chunksMax: 9 })).matchesTotal).toBe(3);
    await writer.finish(0);
    await writer.close();
    expect(await found("delta", corpus)).toEqual(["b.txt", "d.txt"]);
    await corpus.close();
  });

  test("what was staged but not committed is gone after a writer ends, and nothing of it stays on disk", async () => {
    await build(TEXTS);
    const writer = await open();
    await put(writer, "a.txt", "lost");
    for (let i = 0; i < 900; i++) await put(writer, `lost${i}`, "lost\n".repeat(9));
    await writer.close();
    expect(await found("lost alpha")).toEqual(["a.txt"]);
    await writeFile(join(folder, "grep", "9"), "left by a crash");
    await writeFile(join(folder, "manifest", "1.json"), "replaced just now; a reader may be at it");
    await writeFile(join(folder, "manifest", "9.json.1.tmp"), "left by a crash");
    const next = await open();
    await put(next, "e.txt", "epsilon");
    await next.commit();
    await next.close();
    expect(await found("lost alpha epsilon beta")).toEqual(["a.txt", "b.txt", "e.txt"]);
    expect(await readdir(join(folder, "grep"))).toEqual(["1", "3"]);
    expect((await readdir(join(folder, "manifest"))).sort()).toEqual(["1.json", "2.json", "3.json"]);
    await (await open({ now: () => Date.now() + 3_600_000 })).close();
    expect(await readdir(join(folder, "manifest"))).toEqual(["3.json"]);
    expect(await found("lost alpha epsilon beta")).toEqual(["a.txt", "b.txt", "e.txt"]);
  });

  test("an item staged twice in one commit leaves only its last content", async () => {
    const writer = await open();
    await put(writer, "a.txt", "first alpha");
    await put(writer, "a.txt", "second beta");
    await put(writer, "b.txt", "beta");
    writer.removeItem("b.txt");
    await writer.finish(0);
    await writer.close();
    expect(await found("alpha beta")).toEqual(["a.txt"]);
    expect(await found("alpha")).toEqual([]);
    const corpus = await openCorpus(folder);
    expect((await corpus.grep({ pattern: "alpha|beta", chunksMax: 9 })).matchesTotal).toBe(1);
    await corpus.close();
  });

  test("the second of two writers is refused, and the first goes on", async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({
      code: "corpus_locked",
      message: expect.stringContaining(`${process.pid}`),
    });
    await put(first, "a.txt", "alpha");
    await first.finish(0);
    await first.close();
    expect(await found("alpha")).toEqual(["a.txt"]);
    await (await open()).close();
  });

  test("a writer whose lock was taken commits nothing", async () => {
    await build(TEXTS);
    const writer = await open();
    await put(writer, "x.txt", "stolen");
    await rm(corpusLayout(folder).lockFile);
    const other = await open();
    await expect(writer.commit()).rejects.toMatchObject({ code: "corpus_locked" });
    await writer.close();
    await put(other, "y.txt", "stolen");
    await other.finish(0);
    await other.close();
    expect(await found("stolen")).toEqual(["y.txt"]);
  });

  test("another chunker, counter, analyzer or embedder is a mismatch", async () => {
    await build(TEXTS);
    for (const change of [
      { chunker: "x" },
      { tokenCounter: "x" },
      { analyzer: "x" },
      { embedder: { name: "x", dimension: 3 } },
    ]) {
      await expect(open({ identity: { ...IDENTITY, ...change } })).rejects.toMatchObject({
        code: "corpus_mismatch",
        hint: expect.stringContaining("--rebuild"),
      });
    }
    const rebuilt = await open({ identity: { ...IDENTITY, chunker: "x" }, rebuild: true });
    expect(rebuilt.sources).toEqual([{ type: "files", roots: [""], excluded: [] }]);
    await put(rebuilt, "n.txt", "nu");
    await rebuilt.finish(0);
    expect(rebuilt.generation).toBeGreaterThan(2);
    await rebuilt.close();
    expect(await found("alpha beta gamma nu")).toEqual(["n.txt"]);
    expect(await readdir(join(folder, "lance"))).toHaveLength(1);
  });

  test("a full disk is reported as such and leaves the last commit", async () => {
    await build(TEXTS);
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
    const writer = await open({ openStore: (layout, identity) => full(openFolderStore(layout, identity)) });
    await put(writer, "a.txt", "never");
    await expect(writer.commit()).rejects.toMatchObject({ code: "disk_full" });
    await writer.close();
    expect(await found("alpha never")).toEqual(["a.txt"]);
  });

  test("many small commits keep grep to few segments, and dead texts do not pile up", async () => {
    const writer = await open();
    for (let i = 0; i < 2 * GREP_SEGMENTS_MAX; i++) {
      await put(writer, `f${i}`, `file ${i}\nshared\n`);
      await put(writer, "hot", `hot ${i}\n`);
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
    await build(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i}`, `stable word${i}\n`.repeat(4)])));
    const corpus = await openCorpus(folder);
    let writing = true;
    const generations: number[] = [];
    const read = async (i: number): Promise<void> => {
      while (writing) {
        const key = `s${i % 40}`;
        expect(await found(`word${i % 40}`, corpus)).toEqual([key]);
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
        const writer = await open();
        for (let i = 0; i < 3; i++) {
          await put(writer, `moving${i}`, `moving round${round}\n`);
          await writer.commit();
        }
        await writer.finish(0);
        await writer.close();
      }
    } finally {
      writing = false;
    }
    await readers;
    expect(await found("round1", corpus)).toHaveLength(3);
    expect(new Set(generations).size).toBeGreaterThan(1);
    await corpus.close();
  });
});

describe("damage", () => {
  /** What a user would do with a corpus; resolves with the codes of all failures. */
  async function use(): Promise<Set<string>> {
    const codes = new Set<string>();
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (!WinnowError.isInstance(error)) throw error;
        expect(error.message).not.toMatch(/cargo|rustc|\.rs\b/);
        if (error.code === "corpus_corrupt") expect(error.hint).toMatch(/winnow index/);
        codes.add(error.code);
      }
    };
    await attempt(async () => {
      const corpus = await openCorpus(folder);
      await attempt(() => corpus.find({ text: "alpha beta gamma", mode: "lexical", chunksMax: 100 }));
      await attempt(() => corpus.read({ documentId: "a.txt" }));
      await attempt(() => corpus.grep({ pattern: "beta|gamma", chunksMax: 10 }));
      await attempt(() => corpus.items());
      await corpus.close();
    });
    return codes;
  }

  test("no index, and one that was never finished", async () => {
    await expect(openCorpus(folder)).rejects.toMatchObject({ code: "corpus_not_found" });
    await (await open()).close();
    await expect(stat(folder)).rejects.toMatchObject({ code: "ENOENT" });
    await build(TEXTS);
    await rm(join(folder, "manifest.json"));
    await expect(openCorpus(folder)).rejects.toMatchObject({
      code: "corpus_not_found",
      hint: expect.stringContaining("index"),
    });
    await build({ "z.txt": "zeta" });
    expect(await found("zeta alpha")).toEqual(["z.txt"]);
  });

  test("every kind of file missing, cut or overwritten gives a clear error, and a rebuild repairs it", async () => {
    await build(TEXTS);
    const pristine = join(base, "pristine");
    await cp(folder, pristine, { recursive: true });
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const random = seededRandom(11);
    const damages: readonly [string, (path: string) => Promise<void>][] = [
      ["missing", (path) => rm(path)],
      ["cut", async (path) => truncate(path, Math.floor((await stat(path)).size / 2))],
      ["empty", (path) => truncate(path, 0)],
      [
        "random",
        async (path) => {
          const { size } = await stat(path);
          await writeFile(
            path,
            Uint8Array.from({ length: size }, () => Math.floor(random() * 256)),
          );
        },
      ],
    ];
    const noticed = new Map<string, Set<string>>();
    for (const path of files) {
      const kind = path.slice(folder.length + 1).replace(/[0-9a-f-]{12,}/g, "*");
      // Each file in one way, with a larger scale in every way.
      const chosen = SCALE > 1 ? damages : [damages[Math.floor(random() * damages.length)] ?? damages[0]];
      for (const [damage, inflict] of chosen.filter((each) => each !== undefined)) {
        await rm(folder, { recursive: true });
        await cp(pristine, folder, { recursive: true });
        await inflict(path);
        const codes = await use();
        for (const code of codes) {
          expect(["corpus_corrupt", "corpus_format", "corpus_not_found"], `${damage} ${kind}`).toContain(code);
          noticed.set(kind, (noticed.get(kind) ?? new Set()).add(code));
        }
      }
    }
    // Files of ours are sealed: no damage to them goes unnoticed.
    for (const name of ["corpus.json", "manifest.json", "manifest/2.json", "grep/1/docs.idx"]) {
      expect([...noticed.keys()]).toContain(name);
    }
    expect([...noticed.keys()].some((name) => name.startsWith("lance/") && name.includes("/data/"))).toBe(true);
    await rm(join(folder, "lance"), { recursive: true });
    await writeFile(join(folder, "manifest.json"), "{}");
    const writer = await open({ rebuild: true });
    await put(writer, "a.txt", "alpha again");
    await writer.finish(0);
    await writer.close();
    expect(await found("alpha gamma")).toEqual(["a.txt"]);
    expect(await use()).toEqual(new Set());
  }, 60_000);

  test("a writer refuses a damaged manifest and another format, and says what to do", async () => {
    await build(TEXTS);
    const path = join(folder, "manifest.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.slice(0, -9));
    await expect(open()).rejects.toMatchObject({ code: "corpus_corrupt", hint: expect.stringContaining("--rebuild") });
    for (const version of [0, 2]) {
      await writeFile(path, text.replace("manifest/1", `manifest/${version}`));
      await expect(open()).rejects.toMatchObject({ code: "corpus_format" });
      await expect(openCorpus(folder)).rejects.toMatchObject({ code: "corpus_format" });
    }
    await writeFile(path, text);
    expect(await found("alpha")).toEqual(["a.txt"]);
  });

  test("a damaged grep export is written again by the next writer", async () => {
    await build(TEXTS);
    await truncate(join(folder, "grep", "1", "docs.idx"), 20);
    expect(await use()).toEqual(new Set(["corpus_corrupt"]));
    const writer = await open();
    await writer.finish(0);
    await writer.close();
    expect(await use()).toEqual(new Set());
    const corpus = await openCorpus(folder);
    expect((await corpus.grep({ pattern: "gamma", chunksMax: 9 })).matchesTotal).toBe(10);
    await corpus.close();
  });
});
