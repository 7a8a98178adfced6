import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WinnowError } from "../core/errors.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { reembed } from "../retrieval/corpus/reembed.ts";
import { indexCorpus } from "./index-corpus.ts";
import { queryEmbedder } from "./indexing/embedders.ts";
import { reembedCorpus } from "./reembed-corpus.ts";

const { signal } = new AbortController();
const TEXTS = {
  "river.md": "# River\n\nThe boat drifts down a wide river.\n",
  "bread.md": "# Bread\n\nFlour, yeast and water make a loaf.\n",
  "song.md": "# Song\n\nA choir of nine voices.\n",
};

let base: string;
let folder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-reembed-"));
  folder = join(base, ".winnow");
  await mkdir(base, { recursive: true });
  for (const [name, text] of Object.entries(TEXTS)) await writeFile(join(base, name), text);
});
afterEach(() => rm(base, { recursive: true, force: true }));

const index = (spec?: string) =>
  indexCorpus({ folder, paths: [base], signal, ...(spec === undefined ? {} : { embedder: { spec } }) });

/** Everything that queries of each kind give. */
async function observe() {
  const corpus = await openCorpus(folder, { embedQuery: queryEmbedder() });
  const find = (mode: "hybrid" | "lexical" | "dense") =>
    corpus.find({ text: "ship on a stream", mode, chunksMax: 10 }).then(
      ({ hits, notices }) => [hits.map(({ chunk, score }) => [chunk, score]), notices.map(({ code }) => code)],
      (error: WinnowError) => error.code,
    );
  const seen = { hybrid: await find("hybrid"), lexical: await find("lexical"), dense: await find("dense") };
  const { embedder, chunks, documents } = await corpus.info();
  const texts = await Promise.all(Object.keys(TEXTS).map((documentId) => corpus.read({ documentId })));
  const grep = await corpus.grep({ pattern: "[a-z]+st", chunksMax: 9 });
  await corpus.close();
  return { ...seen, embedder, chunks, documents, texts, grep: grep.matchesTotal };
}

async function denseKeys() {
  const corpus = await openCorpus(folder, { embedQuery: queryEmbedder() });
  const { hits } = await corpus.find({ text: "ship on a stream", mode: "dense", chunksMax: 10 });
  await corpus.close();
  return hits.map(({ chunk }) => chunk.documentId).sort();
}

describe("reembedCorpus", () => {
  test("gives an index without vectors those that indexing would have given, without its files", async () => {
    await index("static");
    const wanted = await observe();
    expect(await denseKeys()).toEqual(["bread.md", "river.md", "song.md"]);
    await rm(folder, { recursive: true });
    await index("none");
    expect(await observe()).toMatchObject({ embedder: null, dense: "invalid_argument" });
    for (const name of Object.keys(TEXTS)) await rm(join(base, name));
    const summary = await reembedCorpus({ folder, signal });
    expect(summary).toMatchObject({ before: null, embedder: "static:minilm-192-1", chunks: wanted.chunks });
    expect(await observe()).toEqual(wanted);
    expect(await readdir(join(folder, "lance"))).toHaveLength(1);
    await reembedCorpus({ folder, embedder: { spec: "none" }, signal });
    expect(await observe()).toMatchObject({ embedder: null, lexical: wanted.lexical, dense: "invalid_argument" });
  });

  test("a refresh keeps the embedder that the index has; another one is refused", async () => {
    await index("none");
    await writeFile(join(base, "more.md"), "# More\n\nA late note.\n");
    expect(await index()).toMatchObject({ added: 1 });
    expect((await observe()).embedder).toBeNull();
    await expect(index("static")).rejects.toMatchObject({
      code: "corpus_mismatch",
      hint: expect.stringContaining("winnow reembed"),
    });
    await reembedCorpus({ folder, signal });
    await writeFile(join(base, "later.md"), "# Later\n\nA canoe on the water.\n");
    expect(await index()).toMatchObject({ added: 1 });
    expect(await denseKeys()).toEqual(["bread.md", "later.md", "more.md", "river.md", "song.md"]);
    await indexCorpus({ folder, paths: [], rebuild: true, signal });
    expect(await denseKeys()).toEqual(["bread.md", "later.md", "more.md", "river.md", "song.md"]);
  });

  test("a failure, a cancellation and a changed mind leave the index as it was", async () => {
    await index("static");
    const before = await observe();
    const embedder = { name: "other:model", dimension: 2 };
    const failing = async () => {
      throw new WinnowError("embedder_failed", "It is down.");
    };
    await expect(reembed(folder, { embedder, embed: failing, signal })).rejects.toMatchObject({
      code: "embedder_failed",
    });
    const short = async (texts: readonly string[]) => texts.map(() => Float32Array.of(1));
    await expect(reembed(folder, { embedder, embed: short, signal })).rejects.toMatchObject({
      code: "embedder_failed",
    });
    const stop = new AbortController();
    const stopping = async (texts: readonly string[]) => {
      stop.abort();
      return texts.map(() => Float32Array.of(1, 0));
    };
    await expect(reembed(folder, { embedder, embed: stopping, signal: stop.signal })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(await observe()).toEqual(before);
    expect(await readdir(join(folder, "lance"))).toHaveLength(1);
    await expect(readdir(join(folder, "writer.lock"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("an open reader goes on through it, and a query is never embedded by another embedder", async () => {
    await index("none");
    const corpus = await openCorpus(folder, { embedQuery: queryEmbedder() });
    const query = { text: "ship on a stream", mode: "hybrid", chunksMax: 3 } as const;
    expect((await corpus.find(query)).notices).toMatchObject([{ code: "lexical_only" }]);
    await reembedCorpus({ folder, signal });
    const found = await corpus.find(query);
    expect(found.notices).toEqual([]);
    expect(found.hits[0]).toMatchObject({ chunk: { documentId: "river.md" }, denseRank: 1 });
    const embed = async (texts: readonly string[]) => texts.map(() => Float32Array.of(1, 0));
    await reembed(folder, { embedder: { name: "static:older-2", dimension: 2 }, embed, signal });
    const older = await corpus.find({ ...query, text: "river" });
    expect(older.notices).toMatchObject([
      { code: "lexical_only", message: expect.stringMatching(/static:older-2.*winnow reembed/) },
    ]);
    expect(older.hits).toMatchObject([{ chunk: { documentId: "river.md" } }]);
    await expect(corpus.find({ ...query, mode: "dense" })).rejects.toMatchObject({ code: "embedder_failed" });
    await corpus.close();
  });

  test("there must be an index", async () => {
    await expect(reembedCorpus({ folder: join(base, "nowhere"), signal })).rejects.toMatchObject({
      code: "corpus_not_found",
    });
    expect(await readdir(base)).not.toContain("nowhere");
  });
});
