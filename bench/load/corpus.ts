import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { indexCorpus } from "../../src/features/index-corpus.ts";
import { writeWorld } from "../../src/features/synthetic-world.ts";
import { CORPUS_FOLDER_NAME } from "../../src/retrieval/corpus/layout.ts";

const SEED = 4242;
/** Written last: without it the folder is made anew. */
const DONE_FILE = "done";

/** A corpus to ask, and what is asked. */
export interface LoadCorpus {
  /** The folder that a command is started in. */
  readonly home: string;
  /** The corpus folder in it. */
  readonly folder: string;
  readonly questions: readonly string[];
}

/**
 * The synthetic world of so many chunks of 512 tokens, indexed below `cache`, with its own questions of one to four hops.
 * Made once; the same world every time.
 */
export async function loadCorpus(cache: string, chunks: number): Promise<LoadCorpus> {
  const home = join(cache, String(chunks));
  const dataset = join(home, "world");
  const folder = join(home, CORPUS_FOLDER_NAME);
  const done = join(home, DONE_FILE);
  if (!existsSync(done)) {
    await rm(home, { recursive: true, force: true });
    await mkdir(dirname(dataset), { recursive: true });
    await writeWorld({ folder: dataset, chunks, seed: SEED, signal: new AbortController().signal });
    await indexCorpus({ folder, paths: [join(dataset, "corpus.jsonl")] });
    await writeFile(done, "");
  }
  const files = ["queries.jsonl", join("single-hop", "queries.jsonl")];
  const texts = await Promise.all(files.map((name) => readFile(join(dataset, name), "utf8")));
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line !== "");
  return { home, folder, questions: lines.map((line) => String(JSON.parse(line).text)) };
}
