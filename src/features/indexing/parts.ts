import type { SessionUnit, SourceType } from "../../config/source-types.ts";
import type { Chunk, SourceDocument } from "../../core/types.ts";
import type { CorpusIdentity } from "../../retrieval/corpus/manifest.ts";
import type { EmbedderIdentity } from "../../retrieval/find/embed-query.ts";
import type { Source } from "../../sources/source.ts";
import type { EmbedderAccess, EmbedTexts } from "./embedders.ts";

export interface SourceScope {
  readonly type: SourceType;
  /** Absolute paths. */
  readonly roots: readonly string[];
  /** Keys are relative to this folder. */
  readonly base: string;
  /** Of transcripts, only those of sessions that began in this folder or below are read; default all. */
  readonly projectFolder?: string;
  /** Only what lies at or below these keys is listed. For `files` alone. */
  readonly within?: readonly string[];
  /** Told of every folder by its path, just before it is read. */
  readonly onFolder?: (path: string) => void;
  /** What a document of `claude-sessions` is; default a session. */
  readonly unit?: SessionUnit;
}

/** What indexing is made of; replaced in tests. Loaded when needed, because a refresh often needs none of it. */
export interface IndexParts {
  /** How a new corpus is built; one that exists keeps its own embedder. */
  readonly identity: CorpusIdentity;
  createSource(scope: SourceScope): Promise<Source>;
  loadChunker(): Promise<(document: SourceDocument) => readonly Chunk[]>;
  analyze(text: string): readonly string[];
  /** The embedder of this identity. Rejects with `embedder_failed` when it cannot be had. */
  loadEmbedder(identity: EmbedderIdentity, access: EmbedderAccess): Promise<EmbedTexts>;
}
