import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadDataset } from "../eval/dataset.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { type WriteWorldOptions, writeWorld } from "./synthetic-world.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "winnow-world-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const write = (name: string, more: Partial<WriteWorldOptions> = {}) =>
  writeWorld({
    folder: join(root, name),
    chunks: 300,
    seed: 4,
    counter: wordCounter(),
    signal: new AbortController().signal,
    ...more,
  });

async function filesOf(name: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of (await readdir(join(root, name), { recursive: true, withFileTypes: true })).filter((each) =>
    each.isFile(),
  )) {
    const path = join(entry.parentPath, entry.name);
    files[path.slice(join(root, name).length + 1)] = await readFile(path, "utf8");
  }
  return files;
}

test("equal options give equal bytes, another seed gives others", async () => {
  await mkdir(join(root, "a"));
  await write(join("a", "world"));
  await mkdir(join(root, "b"));
  await write(join("b", "world"));
  await write("other", { seed: 5 });
  const first = await filesOf(join("a", "world"));
  expect(Object.keys(first).sort()).toEqual([
    "README.md",
    "corpus.jsonl",
    "evidence.jsonl",
    "qrels.tsv",
    "queries.jsonl",
    join("single-hop", "evidence.jsonl"),
    join("single-hop", "qrels.tsv"),
    join("single-hop", "queries.jsonl"),
    "unanswerable.jsonl",
    "world.json",
  ]);
  expect(await filesOf(join("b", "world"))).toEqual(first);
  expect((await filesOf("other"))["corpus.jsonl"]).not.toBe(first["corpus.jsonl"]);
});

test("is a dataset, and so are its questions of one hop", async () => {
  const summary = await write("world");
  const dataset = await loadDataset(join(root, "world"));
  expect(dataset.notices).toEqual([]);
  expect([dataset.documents, dataset.queries.length]).toEqual([summary.documents, 12]);
  expect(dataset.queries.map(({ gold }) => gold.size)).toEqual([2, 3, 4, 2, 3, 4, 2, 3, 4, 2, 3, 4]);
  const single = await loadDataset(join(root, "world", "single-hop"));
  expect([single.name, single.documents, single.queries.length]).toEqual(["world-single-hop", summary.documents, 12]);
  expect(single.queries.every(({ gold, answers }) => gold.size === 1 && answers.length === 1)).toBe(true);
  // The place of every fact, read back from the files.
  const lines = (await readFile(join(root, "world", "evidence.jsonl"), "utf8")).trim().split("\n");
  expect(lines).toHaveLength(12 * 3);
  for (const line of lines) {
    const { document, start, end, subject, object } = JSON.parse(line);
    const text = ((await dataset.documentText(document)) ?? "").slice(document.length + 1);
    expect(text.slice(start, end)).toContain(subject);
    expect(text.slice(start, end)).toContain(object);
  }
  const corpus = await readFile(join(root, "world", "corpus.jsonl"));
  expect(summary).toMatchObject({
    corpusBytes: corpus.length,
    corpusSha256: createHash("sha256").update(corpus).digest("hex"),
    multiHop: { "2": 4, "3": 4, "4": 4 },
    unanswerable: 1,
  });
  expect(JSON.parse(await readFile(join(root, "world", "world.json"), "utf8"))).toEqual(summary);
});

test("nothing stays of one that was cancelled", async () => {
  const controller = new AbortController();
  const cancelled = write("world", { signal: controller.signal, onProgress: (n) => n === 5 && controller.abort() });
  await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
  expect(await readdir(root)).toEqual([]);
});

test("a folder with something in it is left alone, an empty one is used", async () => {
  await mkdir(join(root, "full"));
  await writeFile(join(root, "full", "note.txt"), "keep");
  await expect(write("full")).rejects.toMatchObject({ code: "invalid_argument", hint: expect.any(String) });
  expect(await readFile(join(root, "full", "note.txt"), "utf8")).toBe("keep");
  await mkdir(join(root, "empty"));
  await write("empty");
  await access(join(root, "empty", "world.json"));
  await writeFile(join(root, "file"), "");
  await expect(write("file")).rejects.toMatchObject({ code: "invalid_argument" });
});
