// Lays the labelled questions over real documentation out in the BEIR layout that `winnow eval` reads:
// `node scripts/bench.mjs docs-dataset OUT`. OUT gets the corpus, which no part of this repository holds: the Markdown of
// the packages in examples/demo/corpus-sources.json, in their pinned versions. Questions and labels are those of
// examples/demo/questions, whole and in halves (OUT/dev, OUT/held-out).
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { layOut } from "../scripts/demo/corpus.mjs";
import { createFilesSource } from "../src/sources/files/files-source.ts";
import { type QuestionLines, readQuestionLines, splitQuestions } from "./support/docs-questions.ts";
import { overlap } from "./support/overlap.ts";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("Name the folder to write.");
const out = resolve(target);
const root = process.cwd();
const signal = new AbortController().signal;

/** One row a document, with the title and text that indexing the files would find; in the order of the paths. */
async function corpusRows(): Promise<string[]> {
  const folder = join(out, "files");
  layOut(root, folder);
  const source = createFilesSource({ roots: [folder], base: folder });
  const rows: string[] = [];
  for await (const listed of source.list(signal)) {
    if (!("item" in listed)) continue;
    const outcome = await source.read(listed.item, signal);
    if (!("documents" in outcome)) throw new Error(`${listed.item.key} was skipped.`);
    for (const { id, title, text } of outcome.documents)
      rows.push(JSON.stringify({ _id: id, title, text, format: "markdown" }));
  }
  await rm(folder, { recursive: true });
  return rows;
}

async function writeQuestions(folder: string, { queries, labels }: QuestionLines): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "queries.jsonl"), `${queries.join("\n")}\n`);
  await writeFile(join(folder, "qrels.tsv"), `query-id\tcorpus-id\tscore\n${labels.join("\n")}\n`);
}

const questions = await readQuestionLines(root);
await mkdir(out, { recursive: true });
const rows = await corpusRows();
await writeFile(join(out, "corpus.jsonl"), `${rows.join("\n")}\n`);
await writeQuestions(out, questions);
for (const [name, half] of Object.entries(splitQuestions(questions))) await writeQuestions(join(out, name), half);
const texts = new Map(
  rows.map((row) => JSON.parse(row) as { _id: string; text: string }).map((row) => [row._id, row.text]),
);
console.log(
  `${rows.length} documents and ${questions.queries.length} questions lie in ${out}; ${overlap(questions, texts)}.`,
);
