import type { Weighing } from "./pool.ts";
import { terms } from "./words.ts";

/** The question taken apart. */
export interface Question {
  readonly text: string;
  /** Content words, folded, each once. */
  readonly terms: readonly string[];
  readonly termSet: ReadonlySet<string>;
}

export function readQuestion(text: string): Question {
  const folded = new Set(terms(text));
  return { text, terms: [...folded], termSet: folded };
}

/** Words of the question, as written, whose folded forms are among `wanted`. */
export function originalWords(question: Question, wanted: ReadonlySet<string>): string[] {
  const words = question.text.split(/[^\p{L}\p{N}'-]+/u);
  return [...new Set(words.filter((word) => terms(word).some((term) => wanted.has(term))))];
}

/** Share of the question's weight that the terms accepted by `has` carry, 0 to 1. */
export function coverage(question: Question, weighing: Weighing, has: (term: string) => boolean): number {
  let covered = 0;
  let total = 0;
  for (const term of question.terms) {
    const weight = weighing.weight(term);
    total += weight;
    if (has(term)) covered += weight;
  }
  return total === 0 ? 0 : covered / total;
}
