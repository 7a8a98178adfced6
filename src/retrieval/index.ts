/** Corpora and the stores below them. Public surface of `winnow-search/retrieval`. */
export {
  type ChunkKey,
  type CorpusInfo,
  type CorpusReader,
  chunkKey,
  type FindAnswer,
  type FindMode,
  type FindQuery,
  type GrepAnswer,
  type GrepHit,
  type GrepQuery,
  type ReadQuery,
} from "./corpus-reader.ts";
export type { FusionSettings } from "./find/fusion-settings.ts";
export type {
  Candidate,
  CandidateList,
  ChunkRange,
  ChunkSpan,
  DenseQuery,
  LexicalQuery,
  ScannedRow,
  Store,
  StoreCapabilities,
  StoreCounts,
  StoreReader,
  StoreRow,
  StoreVersion,
  StoreWriter,
} from "./store/store.ts";
