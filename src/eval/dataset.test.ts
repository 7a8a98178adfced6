import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadDataset } from "./dataset.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-dataset-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const CORPUS =
  '{"_id":"d1","title":"Zürich","text":"A city."}\n{"_id":"d2","text":"Second"}\n{"_id":3,"title":null,"text":"third"}\n';
const QUERIES =
  '{"_id":"q1","text":"Where?","answer":"Zürich","aliases":["Zurich"],"hops":2}\n{"_id":"q2","text":"No label?"}\n';
const QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq1\t3\t1\n";

async function write(files: Readonly<Record<string, string | Buffer | null>>): Promise<void> {
  const all = { "corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "qrels.tsv": QRELS, ...files };
  for (const [name, content] of Object.entries(all)) {
    if (content !== null) await writeFile(join(folder, name), content);
  }
}

describe("loadDataset", () => {
  test("reads queries, labels and texts", async () => {
    await write({});
    const dataset = await loadDataset(folder);
    expect(dataset.documents).toBe(3);
    expect(dataset.queries).toEqual([
      {
        id: "q1",
        text: "Where?",
        answers: ["Zürich", "Zurich"],
        gold: new Map([
          ["d1", 2],
          ["3", 1],
        ]),
      },
    ]);
    expect(dataset.notices.map((notice) => notice.code)).toEqual(["queries_unlabelled"]);
    expect(await dataset.documentText("d1")).toBe("Zürich\nA city.");
    expect(await dataset.documentText("d2")).toBe("\nSecond");
    expect(await dataset.documentText("3")).toBe("\nthird");
    expect(await dataset.documentText("d4")).toBeUndefined();
  });

  test("takes the BEIR folder of labels, carriage returns, a byte order mark, blank lines and no last line end", async () => {
    await write({
      "qrels.tsv": null,
      "corpus.jsonl": `\ufeff${CORPUS.replaceAll("\n", "\r\n")}\r\n`,
      "queries.jsonl": QUERIES.trimEnd(),
    });
    await mkdir(join(folder, "qrels"));
    await writeFile(join(folder, "qrels", "test.tsv"), QRELS.replaceAll("\n", "\r\n"));
    const dataset = await loadDataset(folder);
    expect([dataset.documents, dataset.queries.length, dataset.queries[0]?.gold.size]).toEqual([3, 1, 2]);
    expect(await dataset.documentText("d1")).toBe("Zürich\nA city.");
    expect(await dataset.documentText("d2")).toBe("\nSecond");
  });

  test("takes the corpus of the folder above, for another set of questions over it", async () => {
    await write({});
    const set = join(folder, "hard");
    await mkdir(set);
    await writeFile(join(set, "queries.jsonl"), '{"_id":"h1","text":"Hard?"}\n');
    await writeFile(join(set, "qrels.tsv"), "h1\td2\t1\n");
    const dataset = await loadDataset(set);
    expect(dataset).toMatchObject({ name: `${basename(folder)}-hard`, folder: set, documents: 3 });
    expect(dataset.corpusFile).toBe(join(folder, "corpus.jsonl"));
    expect(await dataset.documentText("d2")).toBe("\nSecond");
    expect(dataset.hash).not.toBe((await loadDataset(folder)).hash);
  });

  test("labels without a header line are all read", async () => {
    await write({ "qrels.tsv": "q1\td1\t1\nq1\td2\t1\n" });
    expect((await loadDataset(folder)).queries[0]?.gold.size).toBe(2);
  });

  test("tells of gold that the corpus lacks", async () => {
    await write({ "qrels.tsv": `${QRELS}q1\tghost\t1\n` });
    const dataset = await loadDataset(folder);
    expect(dataset.notices.map((notice) => notice.message)).toContain(
      "1 relevant document not in corpus.jsonl, e.g. ghost.",
    );
  });

  test("the hash follows queries and labels, not the corpus", async () => {
    await write({});
    const { hash } = await loadDataset(folder);
    await write({ "corpus.jsonl": `${CORPUS}{"_id":"d9","text":"x"}\n` });
    expect((await loadDataset(folder)).hash).toBe(hash);
    await write({ "qrels.tsv": `${QRELS}q2\td1\t1\n` });
    expect((await loadDataset(folder)).hash).not.toBe(hash);
  });

  test.each<[string, Record<string, string | Buffer | null>, RegExp]>([
    ["no corpus", { "corpus.jsonl": null }, /^corpus\.jsonl: the file is missing/],
    ["no queries", { "queries.jsonl": null }, /^queries\.jsonl: the file is missing/],
    ["no labels", { "qrels.tsv": null }, /^qrels\.tsv or qrels.test\.tsv: the file is missing/],
    ["an empty corpus", { "corpus.jsonl": "\n" }, /^corpus\.jsonl: the file holds no document/],
    ["a torn document", { "corpus.jsonl": `${CORPUS}{"_id":"d4","te` }, /^corpus\.jsonl, line 4: the line is not JSON/],
    ["a document without text", { "corpus.jsonl": '{"_id":"d1"}' }, /^corpus\.jsonl, line 1: "text" is missing/],
    [
      "a repeated document",
      { "corpus.jsonl": `${CORPUS}\n{"_id":"d1","text":""}` },
      /line 5: the document d1 comes twice/,
    ],
    ["bytes that are not UTF-8", { "corpus.jsonl": Buffer.from([123, 255, 125]) }, /line 1: the line is not UTF-8/],
    ["a query that is a list", { "queries.jsonl": "[1]" }, /^queries\.jsonl, line 1: /],
    ["an empty query", { "queries.jsonl": '{"_id":"q1","text":""}' }, /line 1: "text" is missing or of a wrong type/],
    ["a repeated query", { "queries.jsonl": QUERIES + QUERIES }, /line 3: the query q1 comes twice/],
    [
      "a label of an unknown query",
      { "qrels.tsv": `${QRELS}q9\td1\t1` },
      /^qrels\.tsv, line 5: the query q9 is not in/,
    ],
    ["a repeated label", { "qrels.tsv": `${QRELS}q1\td1\t1` }, /line 5: the label of d1 comes twice/],
    ["spaces for tabs", { "qrels.tsv": "q1 d1 1\n" }, /^qrels\.tsv, line 1: expected/],
    ["a label in TREC's form", { "qrels.tsv": "q1\t0\td1\t1\n" }, /^qrels\.tsv, line 1: expected/],
    ["a score that is no number", { "qrels.tsv": `${QRELS}q2\td1\tyes` }, /line 5: expected/],
    [
      "no relevant document at all",
      { "qrels.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t0\n" },
      /no query has a relevant/,
    ],
  ])("refuses %s", async (_, files, message) => {
    await write(files);
    await expect(loadDataset(folder)).rejects.toMatchObject({
      code: "dataset_invalid",
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  test("refuses a folder that does not exist", async () => {
    await expect(loadDataset(join(folder, "none"))).rejects.toMatchObject({ code: "dataset_invalid" });
  });
});
