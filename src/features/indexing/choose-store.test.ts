import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCorpus } from "../../retrieval/corpus/open-corpus.ts";
import { type IndexOptions, indexCorpus } from "../index-corpus.ts";
import { reembedCorpus } from "../reembed-corpus.ts";
import { chooseStore } from "./choose-store.ts";

let base: string;
let folder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-store-"));
  folder = join(base, ".winnow");
  await writeFile(join(base, "pool.md"), "# Pool\n\nThe connection pool holds eight connections.\n");
  await writeFile(join(base, "queue.md"), "# Queue\n\nThe queue retries a job three times.\n");
});
afterEach(() => rm(base, { recursive: true, force: true }));

const index = (more: Partial<IndexOptions> = {}) => indexCorpus({ folder, paths: [base], ...more });
const stores = async () => (await readdir(folder)).filter((name) => ["lance", "sqlite"].includes(name));

async function found(text: string): Promise<readonly string[]> {
  const corpus = await openCorpus(folder);
  try {
    const { hits } = await corpus.find({ text, mode: "lexical", chunksMax: 5 });
    return hits.map(({ chunk }) => chunk.documentId);
  } finally {
    await corpus.close();
  }
}

test("an index stays in the store that it was made in, whoever refreshes it", async () => {
  await index({ store: "sqlite" });
  expect(await stores()).toEqual(["sqlite"]);
  expect(await found("connections")).toEqual(["pool.md"]);
  await writeFile(join(base, "queue.md"), "# Queue\n\nThe queue retries a job five times, said the pool.\n");
  expect(await index()).toMatchObject({ changed: 1, unchanged: 1, notices: [] });
  expect(await found("five")).toEqual(["queue.md"]);
  expect(await found("three")).toEqual([]);
  await reembedCorpus({ folder, embedder: { spec: "none" }, signal: new AbortController().signal });
  expect(await found("five")).toEqual(["queue.md"]);
  expect(await stores()).toEqual(["sqlite"]);
  await expect(index({ store: "lance" })).rejects.toMatchObject({
    code: "corpus_mismatch",
    message: expect.stringContaining("kept in sqlite, not lance"),
  });
});

test("an index that is built anew may change its store, and keeps it otherwise", async () => {
  await index();
  expect(await stores()).toEqual(["lance"]);
  await index({ rebuild: true, store: "sqlite" });
  expect(await stores()).toEqual(["sqlite"]);
  await index({ rebuild: true });
  expect(await stores()).toEqual(["sqlite"]);
  expect(await found("connections")).toEqual(["pool.md"]);
});

test("where Lance does not run, a new index is kept in SQLite, and says so", async () => {
  const absent = async () => false;
  expect(await chooseStore(folder, undefined, absent)).toMatchObject({
    store: "sqlite",
    notice: expect.stringContaining("SQLite"),
  });
  expect(await chooseStore(folder, "lance", absent)).toEqual({ store: "lance" });
  expect(await chooseStore(folder, undefined)).toEqual({});
  await index();
  expect(await chooseStore(folder, undefined, absent)).toEqual({});
});
