import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { CORPUS_FOLDER_NAME, corpusLayout } from "./layout.ts";

/**
 * The nearest folder `.winnow` that holds a corpus, looked for in `startDirectory` and upwards like git does; undefined
 * when there is none.
 */
export async function findCorpusFolder(startDirectory: string): Promise<string | undefined> {
  let directory = resolve(startDirectory);
  for (;;) {
    const folder = join(directory, CORPUS_FOLDER_NAME);
    if (await isFile(corpusLayout(folder).corpusFile)) return folder;
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
