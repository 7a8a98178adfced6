import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Why a question has the labels that it has, and a passage for each of its documents. */
export interface QuestionNote {
  readonly _id: string;
  readonly reason: string;
  /** By document: words that stand in the passage for which it is needed. */
  readonly passages: Readonly<Record<string, string>>;
}

/** Lines of files in the BEIR layout, the header of the labels left out. */
export interface QuestionLines {
  readonly queries: readonly string[];
  readonly labels: readonly string[];
}

/** The labelled questions over the demo's documentation, as they lie in `root`. */
export async function readQuestionLines(root: string): Promise<QuestionLines> {
  const [, ...labels] = await linesOf(root, "qrels.tsv");
  return { queries: await linesOf(root, "queries.jsonl"), labels };
}

export async function readNotes(root: string): Promise<QuestionNote[]> {
  return (await linesOf(root, "notes.jsonl")).map((line) => JSON.parse(line) as QuestionNote);
}

async function linesOf(root: string, name: string): Promise<string[]> {
  const text = await readFile(join(root, "examples", "demo", "questions", name), "utf8");
  return text.trimEnd().split("\n");
}

/**
 * Halves the questions by the last bit of the SHA-256 of their ids: a question keeps its half whatever is added, and
 * nobody chose it. Even is `dev`, to tune on; odd is `held-out`.
 */
export function splitQuestions({ queries, labels }: QuestionLines): Record<"dev" | "held-out", QuestionLines> {
  const part = (half: "dev" | "held-out"): QuestionLines => ({
    queries: queries.filter((line) => halfOf((JSON.parse(line) as { _id: string })._id) === half),
    labels: labels.filter((line) => halfOf(line.split("\t")[0] ?? "") === half),
  });
  return { dev: part("dev"), "held-out": part("held-out") };
}

function halfOf(id: string): "dev" | "held-out" {
  const hash = createHash("sha256").update(id).digest();
  return (hash.at(-1) ?? 0) % 2 === 0 ? "dev" : "held-out";
}
