import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { QuestionLines, QuestionNote } from "./docs-questions.ts";

/** The sets over corpora that the user unpacks, as they lie in examples/questions. */
export const QUESTION_SETS = ["manuals", "decisions", "absent", "twohop"] as const;
export type QuestionSet = (typeof QUESTION_SETS)[number];

export const CORPORA = ["manuals", "decisions"] as const;
export type CorpusName = (typeof CORPORA)[number];

/** A document of a corpus: its id, and the hash of its bytes when the questions were labelled. */
export interface ListedDocument {
  readonly id: string;
  readonly hash: string;
}

export interface SetQuestion {
  readonly _id: string;
  readonly text: string;
  /** Where the set has several: the corpus that it is asked of. */
  readonly corpus?: CorpusName;
  /** Of `absent`: `neighbour` and `removed` have no answer in their corpus, `control` has. */
  readonly kind?: "neighbour" | "removed" | "control";
  /** Documents that must leave the corpus for the question to have no answer. */
  readonly remove?: readonly string[];
}

export interface LabelledSet extends QuestionLines {
  readonly questions: readonly SetQuestion[];
  readonly notes: readonly QuestionNote[];
}

const linesOf = async (...path: string[]): Promise<string[]> =>
  (await readFile(join(...path), "utf8")).trimEnd().split("\n");

export async function readQuestionSet(root: string, name: QuestionSet): Promise<LabelledSet> {
  const folder = join(root, "examples", "questions", name);
  const queries = await linesOf(folder, "queries.jsonl");
  const [, ...labels] = await linesOf(folder, "qrels.tsv");
  const notes = (await linesOf(folder, "notes.jsonl")).map((line) => JSON.parse(line) as QuestionNote);
  return { queries, labels, notes, questions: queries.map((line) => JSON.parse(line) as SetQuestion) };
}

/** The documents that a corpus is made of, in the order of their ids. */
export async function readDocumentList(root: string, corpus: CorpusName): Promise<ListedDocument[]> {
  const lines = await linesOf(root, "examples", "questions", corpus, "documents.tsv");
  return lines.map((line) => {
    const [id = "", hash = ""] = line.split("\t");
    return { id, hash };
  });
}

/** Enough of the SHA-256 to tell versions of a file apart. */
export const shortHash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

/** Letters and digits alone, so that a passage is found however its document is marked up or wrapped. */
export const bareWords = (text: string): string => text.replace(/[^\p{L}\p{N}]+/gu, " ").trim();
