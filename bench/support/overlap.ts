import { terms } from "../../src/agent/policies/rules/words.ts";
import type { QuestionLines } from "./docs-questions.ts";

/** Headings of Markdown and its front matter; with an underline, those of reStructuredText and AsciiDoc. */
const HEADINGS = /^(?:#|title:).*$|^.+$(?=\n([=\-~^*+"])\1{2,}[ \t]*$)/gim;

/** Share of the questions' content words, and of pairs of neighbours among them, that their documents have, in percent. */
export function overlap({ queries, labels }: QuestionLines, texts: ReadonlyMap<string, string>): string {
  const headings = { shared: 0, all: 0 };
  const pairs = { shared: 0, all: 0 };
  for (const line of queries) {
    const { _id, text } = JSON.parse(line) as { _id: string; text: string };
    const needed = labels.map((label) => label.split("\t")).filter(([id, , score]) => id === _id && Number(score) > 0);
    if (needed.length === 0) continue;
    const documents = needed.map(([, document = ""]) => texts.get(document) ?? "");
    const known = new Set(documents.flatMap((each) => terms(each.match(HEADINGS)?.join("\n") ?? "")));
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
