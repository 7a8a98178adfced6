import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Dataset, evaluate, type SystemAnswer } from "../eval/index.ts";
import { compareEvaluations } from "./compare-evaluations.ts";
import { comparisonMarkdown } from "./report-comparison.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "winnow-compare-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const query = (id: string, gold: string) => ({ id, text: "?", answers: [], gold: new Map([[gold, 1]]) });
const dataset: Dataset = {
  name: "tiny",
  folder: "",
  corpusFile: "",
  hash: "0123456789abcdef",
  documents: 2,
  queries: [query("q1", "a"), query("q2", "b")],
  notices: [],
  documentText: async () => undefined,
};

const answer = (documents: string[]): SystemAnswer => ({
  documents,
  seen: documents,
  pruned: [],
  turns: 1,
  toolCalls: 1,
  promptTokens: 5,
  completionTokens: 0,
  seconds: 0.1,
  stopReason: "finished",
});

const evaluations = (index = "tiny-0123") => join(root, index, ".winnow", "evaluations");

async function store(id: string, documents: string[], index?: string) {
  const folder = evaluations(index);
  const names = { policy: "p|*", profile: "none", retrieval: "lexical" };
  return evaluate({ dataset, system: async () => answer(documents), folder, ...names, k: 30, id }).result;
}

const compared = async (...names: string[]) => {
  const options = { evaluations: names, cacheFolder: root, workingFolder: root, resamples: 50 };
  return (await compareEvaluations(options)).evaluations.map(({ evaluation }) => evaluation);
};

test("finds evaluations by id, beginning, folder, file and printed row", async () => {
  await store("20260101-aa", ["a"]);
  const row = await store("20260102-bb", ["b"]);
  const both = ["20260101-aa", "20260102-bb"];
  expect(await compared(...both)).toEqual(both);
  expect(await compared("20260101", "20260102-b")).toEqual(both);
  expect(
    await compared(join(evaluations(), "20260101-aa"), join(evaluations(), "20260102-bb", "results.jsonl")),
  ).toEqual(both);
  await writeFile(join(root, "row.json"), JSON.stringify(row));
  expect(await compared("20260101-aa", "row.json")).toEqual(both);
  // A folder that was copied elsewhere, say into a repository.
  await mkdir(join(root, "kept"));
  for (const name of ["evaluation.json", "results.jsonl"]) {
    await copyFile(join(evaluations(), "20260102-bb", name), join(root, "kept", name));
  }
  expect(await compared("20260101-aa", "kept")).toEqual(both);
});

test("an exact id wins over one that begins with it", async () => {
  await store("run", ["a"]);
  await store("run-2", ["b"]);
  expect(await compared("run", "run-2")).toEqual(["run", "run-2"]);
});

test.each<[string, string, RegExp]>([
  ["none", "run_not_found", /no evaluation "none"/],
  ["same", "invalid_argument", /could be .*one.*same-a or .*two.*same-b/s],
  ["empty", "invalid_argument", /empty holds no evaluation\.json/],
  ["note.txt", "invalid_argument", /note\.txt has no evaluation\.json/],
])("refuses %s", async (name, code, message) => {
  await store("run", ["a"]);
  await store("same-a", ["a"], "one");
  await store("same-b", ["a"], "two");
  await mkdir(join(root, "empty"));
  await writeFile(join(root, "note.txt"), "hello");
  await expect(compared("run", name)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test("the Markdown report holds every table, escaped, and the command", async () => {
  await store("one", ["a", "x"]);
  await store("two", ["b"]);
  const options = {
    evaluations: ["one", "two"],
    cacheFolder: root,
    workingFolder: root,
    resamples: 50,
    perQuestion: 5,
  };
  const report = comparisonMarkdown(await compareEvaluations(options), "winnow compare one two");
  expect(report).toContain("| A | p\\|\\* | none | lexical | 30 | 0 | one |");
  expect(report).toContain("LISTS ARE NOT EQUALLY LONG in 2 questions of 2");
  expect(report).toMatch(/## B against A, question by question\n\n\| B − A \|/);
  expect(report).toMatch(/\| q1 \| 1\.000 → 0\.000 .* \| a \| {2}\|/);
  expect(report).toContain("```sh\nwinnow compare one two\n```\n");
  for (const line of report.split("\n").filter((each) => each.startsWith("| recall@2 |"))) {
    expect(line).toMatch(/^\| recall@2 \| .* \|$/);
  }
});
