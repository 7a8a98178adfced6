// Lays the labelled questions over real documentation out in the BEIR layout that `winnow eval` reads:
// `node scripts/bench.mjs docs-dataset OUT`. OUT gets the corpus, which no part of this repository holds: the Markdown of
// the packages in examples/demo/corpus-sources.json, in their pinned versions. Questions and labels are those of
// examples/demo/questions, whole and in halves (OUT/dev, OUT/held-out).
import { join, resolve } from "node:path";
import { terms } from "../src/agent/policies/rules/words.ts";
import { writeDocsDataset, writeQuestions } from "./support/docs-dataset.ts";
import { type QuestionLines, readQuestionLines, splitQuestions } from "./support/docs-questions.ts";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("Name the folder to write.");
const out = resolve(target);
const root = process.cwd();

/** Share of the questions' content words, and of pairs of neighbours among them, that their documents have, in percent. */
function overlap({ queries, labels }: QuestionLines, texts: ReadonlyMap<string, string>): string {
  const headings = { shared: 0, all: 0 };
  const pairs = { shared: 0, all: 0 };
  for (const line of queries) {
    const { _id, text } = JSON.parse(line) as { _id: string; text: string };
    const needed = labels.map((label) => label.split("\t")).filter(([id, , score]) => id === _id && Number(score) > 0);
    if (needed.length === 0) continue;
    const documents = needed.map(([, document = ""]) => texts.get(document) ?? "");
    const known = new Set(documents.flatMap((each) => terms(each.match(/^(?:#|title:).*$/gm)?.join("\n") ?? "")));
    const neighbours = new Set(documents.flatMap((each) => pairsOf(terms(each))));
    const words = terms(text);
    headings.all += words.length;
    headings.shared += words.filter((word) => known.has(word)).length;
    pairs.all += pairsOf(words).length;
    pairs.shared += pairsOf(words).filter((pair) => neighbours.has(pair)).length;
  }
  const percent = ({ shared, all }: typeof pairs): string => `${((100 * shared) / all).toFixed(0)} %`;
  return `${percent(headings)} of their content words stand in a heading of a document that they need, ${percent(pairs)} of the pairs of neighbouring ones anywhere in one`;
}

const pairsOf = (words: readonly string[]): string[] => words.slice(1).map((word, i) => `${words[i]} ${word}`);

const questions = await readQuestionLines(root);
const rows = await writeDocsDataset(root, out, new AbortController().signal);
for (const [name, half] of Object.entries(splitQuestions(questions))) await writeQuestions(join(out, name), half);
const texts = new Map(
  rows.map((row) => JSON.parse(row) as { _id: string; text: string }).map((row) => [row._id, row.text]),
);
console.log(
  `${rows.length} documents and ${questions.queries.length} questions lie in ${out}; ${overlap(questions, texts)}.`,
);
