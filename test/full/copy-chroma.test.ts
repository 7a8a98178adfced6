import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChromaClient } from "chromadb";
import { afterAll, beforeAll, expect } from "vitest";
import { type CopyProgress, copyCorpus } from "../../src/features/copy-corpus.ts";
import { indexCorpus } from "../../src/features/index-corpus.ts";
import { openCorpora } from "../../src/features/open-corpora.ts";
import { openFolderSource } from "../../src/retrieval/copy/folder-source.ts";
import type { FindMode } from "../../src/retrieval/corpus-reader.ts";
import type { StoreRow } from "../../src/retrieval/store/store.ts";
import { chromaCommand, KillableServer, realChroma } from "../support/chroma.ts";

const PORT = 18_251;
/** More than two commits of a copy, and more than one page of a scan. */
const ROWS = 4_700;
const { signal } = new AbortController();

const work = mkdtempSync(join(tmpdir(), "winnow-copy-chroma-"));
const server = new KillableServer(join(work, "data"), PORT);
const collection = (name: string) => `chroma:${server.address}/${name}`;
const official = () => new ChromaClient({ host: "127.0.0.1", port: PORT, ssl: false });

beforeAll(async () => {
  if (chromaCommand === "") return;
  mkdirSync(join(work, "data"));
  await server.start();
  const text = (i: number) =>
    `word${i} note of ship ${i % 97} \u{1f9ed}${i % 50 === 0 ? " null \0 and half \ud83e" : ""}`;
  const lines = Array.from(
    { length: ROWS },
    (_, i) =>
      `${JSON.stringify({ id: `r ${i}/ä`, text: text(i), n: i, tags: ["a", `t${i % 5}`], even: i % 2 === 0 })}\n`,
  );
  writeFileSync(join(work, "rows.jsonl"), lines.join(""));
  writeFileSync(join(work, "guide.md"), "# Guide\n\nHow the lantern keeps its oil.\n\n## Oil\n\nRarely.\n");
  const paths = [join(work, "rows.jsonl"), join(work, "guide.md")];
  await indexCorpus({ folder: join(work, ".winnow"), paths, signal });
}, 120_000);
afterAll(async () => {
  await server.kill();
  rmSync(work, { recursive: true, force: true });
});

const scope = { workingFolder: work, known: {} };
const copy = (from: string, to: string, onProgress?: (progress: CopyProgress) => void) =>
  copyCorpus({ from, to, scope, environment: {}, signal }, onProgress);

async function rowsOf(place: string): Promise<Map<string, StoreRow>> {
  const source = await openFolderSource(join(work, place, ".winnow"));
  const rows: StoreRow[] = [];
  for await (const part of source.rows(signal)) rows.push(...part);
  await source.close();
  expect(rows).toHaveLength(source.corpus.chunks);
  return new Map(rows.map((row) => [row.chunk.id, row]));
}

async function answersOf(place: string) {
  const [corpus] = await openCorpora({ ...scope, named: [place] });
  const modes: readonly FindMode[] = ["lexical", "dense", "hybrid"];
  const answers = [];
  for (const mode of modes) {
    for (const text of ["How is the oil kept?", "word77 ship"]) {
      const found = await corpus?.find({ text, mode, chunksMax: 20 });
      expect(found?.hits.length, `${mode} ${text}`).toBeGreaterThan(0);
      answers.push(found?.hits.map(({ chunk }) => chunk));
    }
  }
  await corpus?.close();
  return answers;
}

realChroma.describe("winnow copy with a real server", () => {
  realChroma.test("to a collection and back: equal rows, vectors and answers", async () => {
    expect(await copy(".", collection("there"))).toMatchObject({ copied: ROWS + 1, chunks: ROWS + 1 });
    expect(await (await official().getCollection({ name: "there" })).count()).toBe(ROWS + 1);
    expect(await copy(".", collection("there"))).toMatchObject({ copied: 0 });
    expect(await copy(collection("there"), "back")).toMatchObject({ copied: ROWS + 1 });
    expect(await rowsOf("back")).toEqual(await rowsOf("."));
    expect(await answersOf("back")).toEqual(await answersOf("."));
  });

  realChroma.test(
    "a server that dies in mid-copy: nobody takes the half for a copy, and the same call ends it",
    async () => {
      let told = 0;
      const killed = copy(".", collection("killed"), () => {
        if (++told === 1) void server.kill();
      });
      await expect(killed).rejects.toMatchObject({ code: "store_failed" });
      await server.start();
      await expect(copy(collection("killed"), "half")).rejects.toMatchObject({ code: "corpus_mismatch" });
      const held = await (await official().getCollection({ name: "killed" })).count();
      expect(held).toBeGreaterThan(0);
      expect(held).toBeLessThan(ROWS + 1);
      expect(await copy(".", collection("killed"))).toMatchObject({ copied: ROWS + 1 - held });
      // And while it is read.
      told = 0;
      const read = copy(collection("killed"), "back-again", () => {
        if (++told === 1) void server.kill();
      });
      await expect(read).rejects.toMatchObject({ code: "store_failed" });
      await server.start();
      const summary = await copy(collection("killed"), "back-again");
      expect(summary.copied).toBeLessThan(ROWS + 1);
      expect(await rowsOf("back-again")).toEqual(await rowsOf("."));
    },
  );

  realChroma.test("a collection of others is refused in both directions, and stays as it is", async () => {
    const theirs = await official().createCollection({ name: "theirs", embeddingFunction: null });
    await theirs.add({ ids: ["a"], embeddings: [[1, 0]], documents: ["x"] });
    await expect(copy(".", collection("theirs"))).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(copy(collection("theirs"), "never")).rejects.toMatchObject({ code: "corpus_mismatch" });
    await expect(copy(collection("nowhere"), "never")).rejects.toMatchObject({ code: "corpus_not_found" });
    expect(await theirs.count()).toBe(1);
  });
});
