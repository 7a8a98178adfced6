import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SourceItem } from "../sources/source.ts";
import { corpusSource } from "./corpus-source.ts";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-corpus-source-"));
  path = join(folder, "corpus.jsonl");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;

async function itemsOf(source = corpusSource(path)): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for await (const listed of source.list(signal)) if ("item" in listed) items.push(listed.item);
  return items;
}

async function documentsOf() {
  const source = corpusSource(path);
  const documents = [];
  for (const item of await itemsOf(source)) {
    const outcome = await source.read(item, signal);
    if ("skipped" in outcome) throw new Error(outcome.skipped.detail);
    expect(outcome.hash).toBe(await source.hash(item, signal));
    documents.push(...outcome.documents);
  }
  return documents;
}

test("rows become documents named after their ids, wherever the file lies", async () => {
  await writeFile(
    path,
    '\ufeff{"_id":"d1","title":"Zürich","text":"A city."}\r\n\r\n{"_id":7,"text":"Seven","year":1999}',
  );
  const documents = await documentsOf();
  expect(documents.map(({ id, title, text, format }) => [id, title, text, format])).toEqual([
    ["corpus.jsonl#d1", "Zürich", "A city.", "row"],
    ["corpus.jsonl#7", "corpus.jsonl#7", "Seven", "row"],
  ]);
  expect(documents[1]?.metadata["year"]).toBe(1999);
});

test("a row that says so is Markdown, any other a row", async () => {
  const rows = ["markdown", "html", undefined].map((format, i) => ({ _id: `d${i}`, text: "# One\n\ntext", format }));
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  expect((await documentsOf()).map(({ format }) => format)).toEqual(["markdown", "row", "row"]);
});

test("a large file comes in blocks of whole lines that together are the file", async () => {
  // 12 MB, with characters of several bytes across the edges of what is read at once.
  const lines = Array.from({ length: 3_000 }, (_, i) =>
    JSON.stringify({ _id: `d${i}`, text: `${i} ${"äé漢字 ".repeat(300)}` }),
  );
  await writeFile(path, `${lines.join("\n")}\n`);
  const items = await itemsOf();
  expect(items.length).toBe(3);
  expect(items.map(({ key }) => key)).toEqual(["corpus.jsonl/000000", "corpus.jsonl/000001", "corpus.jsonl/000002"]);
  expect(items.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(Buffer.byteLength(`${lines.join("\n")}\n`));
  const documents = await documentsOf();
  expect(documents.map(({ id }) => id)).toEqual(lines.map((_, i) => `corpus.jsonl#d${i}`));
  expect(documents.at(-1)?.text).toContain("2999 äé漢字 äé");
});

test("a line longer than a block is a block", async () => {
  const long = JSON.stringify({ _id: "long", text: "x".repeat(9 * 1024 * 1024) });
  await writeFile(path, `${long}\n{"_id":"b","text":"y"}\n`);
  expect(await itemsOf()).toHaveLength(2);
  expect((await documentsOf()).map(({ id }) => id)).toEqual(["corpus.jsonl#long", "corpus.jsonl#b"]);
});

test.each<[string, RegExp]>([
  ['{"_id":"a","text":"x"}\n\n{"_id":', /corpus\.jsonl, line 3: the line is not JSON/],
  ['{"_id":"a","text":"x"}\n5\n', /corpus\.jsonl, line 2: the line is not an object/],
])("refuses %j", async (content, message) => {
  await writeFile(path, content);
  await expect(documentsOf()).rejects.toMatchObject({
    code: "dataset_invalid",
    message: expect.stringMatching(message),
  });
});

test("a file that shrank, and one that is gone", async () => {
  await writeFile(path, '{"_id":"a","text":"x"}\n');
  const source = corpusSource(path);
  const [item] = await itemsOf(source);
  await truncate(path, 5);
  if (item === undefined) throw new Error("no item");
  await expect(source.read(item, signal)).rejects.toMatchObject({ code: "dataset_invalid" });
  await rm(path);
  await expect(itemsOf()).rejects.toThrow(/ENOENT/);
});
