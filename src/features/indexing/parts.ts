import type { Chunk, SourceDocument } from "../../core/types.ts";
import type { CorpusIdentity } from "../../retrieval/corpus/manifest.ts";
import type { Source } from "../../sources/source.ts";

export interface SourceScope {
  /** Absolute paths. */
  readonly roots: readonly string[];
  /** Keys are relative to this folder. */
  readonly base: string;
}

/** What indexing is made of; replaced in tests. Loaded when needed, because a refresh often needs none of it. */
export interface IndexParts {
  readonly identity: CorpusIdentity;
  createSource(scope: SourceScope): Promise<Source>;
  loadChunker(): Promise<(document: SourceDocument) => readonly Chunk[]>;
  analyze(text: string): readonly string[];
}
