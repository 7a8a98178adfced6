import { basename, dirname, resolve } from "node:path";
import { WinnowError } from "../../core/errors.ts";
import type { EmbedderIdentity, EmbedQuery } from "../find/embed-query.ts";
import type { ScorePassages } from "../find/score-passages.ts";
import { FolderCorpus } from "./folder-corpus.ts";
import { CORPUS_FOLDER_NAME, corpusLayout } from "./layout.ts";
import type { OpenStore } from "./snapshot.ts";
import { openFolderStore } from "./store-of.ts";

export interface OpenCorpusOptions {
  /** How hits name the corpus; default the name of the folder that was indexed. */
  readonly name?: string;
  /** Makes the vectors of queries; without it the corpus is searched by words only. */
  readonly embedQuery?: EmbedQuery;
  /** The second stage of hybrid search; without it the first one stands. */
  readonly scorePassages?: ScorePassages;
  /** Behind vectors that lie elsewhere, where the store asks them; default the embedder that the corpus names. */
  readonly embedder?: EmbedderIdentity;
  /** Where chunks are kept; default the store that its identity names, in the corpus folder. */
  readonly openStore?: OpenStore;
  /** Its documents lie on another machine; see `FolderCorpusOptions`. */
  readonly isElsewhere?: boolean;
}

/**
 * Opens a corpus folder (`…/.winnow`) for reading. Rejects with `corpus_not_found`, `corpus_format` or
 * `corpus_corrupt`. The store is opened by the first query; opening the corpus alone reads two small files.
 */
export async function openCorpus(folder: string, options: OpenCorpusOptions = {}): Promise<FolderCorpus> {
  const { name = corpusName(folder), openStore = openFolderStore, isElsewhere = false } = options;
  const { embedQuery, embedder, scorePassages } = options;
  if (name === "" || name.includes("\u0000")) throw new WinnowError("invalid_argument", "A corpus needs a name.");
  const corpus = new FolderCorpus(corpusLayout(folder), {
    name,
    openStore,
    isElsewhere,
    ...(embedQuery && { embedQuery }),
    ...(scorePassages && { scorePassages }),
    ...(embedder && { embedder }),
  });
  await corpus.info();
  return corpus;
}

function corpusName(folder: string): string {
  const path = resolve(folder);
  const named = basename(path) === CORPUS_FOLDER_NAME ? dirname(path) : path;
  return basename(named) || "corpus";
}
