import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { layOut } from "../../scripts/demo/corpus.mjs";
import { createFilesSource } from "../../src/sources/files/files-source.ts";
import { type QuestionLines, readQuestionLines } from "./docs-questions.ts";

/**
 * Writes the labelled questions over the demo's documentation to `out` in the BEIR layout. Rows of the corpus are one a
 * document, with the title and text that indexing the files would find, in the order of the paths; they are returned.
 */
export async function writeDocsDataset(root: string, out: string, signal: AbortSignal): Promise<string[]> {
  await mkdir(out, { recursive: true });
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
  await writeFile(join(out, "corpus.jsonl"), `${rows.join("\n")}\n`);
  await writeQuestions(out, await readQuestionLines(root));
  return rows;
}

export async function writeQuestions(folder: string, { queries, labels }: QuestionLines): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "queries.jsonl"), `${queries.join("\n")}\n`);
  await writeFile(join(folder, "qrels.tsv"), `query-id\tcorpus-id\tscore\n${labels.join("\n")}\n`);
}
