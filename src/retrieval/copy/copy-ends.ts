import type { CorpusIdentity, KnownSource, ManifestItem } from "../corpus/manifest.ts";
import type { StoreRow } from "../store/store.ts";

/** What a copy takes along besides the rows. */
export interface CopiedCorpus {
  /** Names the state that is copied: two of one mark hold the same. */
  readonly mark: string;
  readonly identity: CorpusIdentity;
  readonly chunks: number;
  readonly metadataKeys: readonly string[];
  /** Folder that keys and relative places are taken from. */
  readonly base: string;
  /** Undefined where they are to be told from the rows. */
  readonly items?: readonly ManifestItem[];
  readonly sources: readonly KnownSource[];
}

/** One state of a corpus, to be read once through. */
export interface CopySource {
  readonly corpus: CopiedCorpus;
  /** Every row once. */
  rows(signal: AbortSignal): AsyncIterable<readonly StoreRow[]>;
  /** The source holds another state by now, and may have freed this one. */
  isOutdated?(): Promise<boolean>;
  close(): Promise<void>;
}

/** A place that a corpus is copied to. Until `finish` has ended nobody takes it for a corpus. */
export interface CopyTarget {
  /** Chunks that an interrupted copy of the same state left there. */
  readonly held: ReadonlySet<string>;
  /** The copy is whole already: nothing is to be done. */
  readonly isWhole: boolean;
  append(rows: readonly StoreRow[], signal: AbortSignal): Promise<void>;
  /** Makes what was appended safe from a kill. */
  commit(): Promise<void>;
  /** Makes the copy whole. Rejects with `store_failed` where the number of chunks is not that of the source. */
  finish(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
