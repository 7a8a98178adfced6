// Lays the labelled questions over real documentation out in the BEIR layout that `winnow eval` reads:
// `node scripts/bench.mjs docs-dataset OUT`. OUT gets the corpus, which no part of this repository holds: the Markdown of
// the packages in examples/demo/corpus-sources.json, in their pinned versions. Questions and labels are those of
// examples/demo/questions, whole and in halves (OUT/dev, OUT/held-out).
import { join, resolve } from "node:path";
import { writeDocsDataset, writeQuestions } from "./support/docs-dataset.ts";
import { readQuestionLines, splitQuestions } from "./support/docs-questions.ts";
import { overlap } from "./support/overlap.ts";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("Name the folder to write.");
const out = resolve(target);
const root = process.cwd();

const questions = await readQuestionLines(root);
const rows = await writeDocsDataset(root, out, new AbortController().signal);
for (const [name, half] of Object.entries(splitQuestions(questions))) await writeQuestions(join(out, name), half);
const texts = new Map(
  rows.map((row) => JSON.parse(row) as { _id: string; text: string }).map((row) => [row._id, row.text]),
);
console.log(
  `${rows.length} documents and ${questions.queries.length} questions lie in ${out}; ${overlap(questions, texts)}.`,
);
