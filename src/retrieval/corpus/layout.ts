import { basename, dirname, join } from "node:path";

/** Name of the folder that holds an index; looked for upwards like git's. */
export const CORPUS_FOLDER_NAME = ".winnow";

/** Below `.winnow`: corpora that the configuration names and gives no folder. */
const CORPORA_FOLDER_NAME = "corpora";

/** Folder that the keys of a corpus's items are relative to: the one that holds `.winnow`. */
export function corpusBase(folder: string): string {
  const above = dirname(folder);
  const isNamed = basename(above) === CORPORA_FOLDER_NAME && basename(dirname(above)) === CORPUS_FOLDER_NAME;
  return isNamed ? dirname(dirname(above)) : above;
}

/** Where everything of a corpus lies. */
export interface CorpusLayout {
  readonly folder: string;
  /** What the corpus is: format version, chunker, token counter, analyzer, embedder. */
  readonly corpusFile: string;
  /** The only truth about what is committed; written last. */
  readonly manifestFile: string;
  /** One file of source items for each generation; the manifest names the one that counts. */
  readonly itemsFolder: string;
  readonly storeFolder: string;
  /** Instead of `storeFolder`, where the index is kept in SQLite. */
  readonly sqliteFolder: string;
  readonly grepFolder: string;
  readonly runsFolder: string;
  readonly evaluationsFolder: string;
  readonly lockFile: string;
  /** Vectors of a re-embedding that was interrupted. */
  readonly keptVectorsFile: string;
  /** How far a copy into this folder has come; gone once it is whole. */
  readonly copyFile: string;
  /** Where this index was published, and what it last saw there. */
  readonly publishedFile: string;
  /** Sizes and digests of what the store and grep keep, to notice damage by. */
  readonly sumsFile: string;
  /** Keeps an index out of the repository that it lies in. */
  readonly ignoreFile: string;
}

export function corpusLayout(folder: string): CorpusLayout {
  return {
    folder,
    corpusFile: join(folder, "corpus.json"),
    manifestFile: join(folder, "manifest.json"),
    itemsFolder: join(folder, "manifest"),
    storeFolder: join(folder, "lance"),
    sqliteFolder: join(folder, "sqlite"),
    grepFolder: join(folder, "grep"),
    runsFolder: join(folder, "runs"),
    evaluationsFolder: join(folder, "evaluations"),
    lockFile: join(folder, "writer.lock"),
    keptVectorsFile: join(folder, "reembed.vectors"),
    copyFile: join(folder, "copy.json"),
    publishedFile: join(folder, "published.json"),
    sumsFile: join(folder, "sums.json"),
    ignoreFile: join(folder, ".gitignore"),
  };
}

export function itemsFileOf(layout: CorpusLayout, generation: number): string {
  return join(layout.itemsFolder, `${generation}.json`);
}

export function grepSegmentOf(layout: CorpusLayout, segment: number): string {
  return join(layout.grepFolder, String(segment));
}
