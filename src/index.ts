/**
 * The public surface of `winnow-search`. Every line here is a promise; what is not named here is internal.
 */
export type { SearchResult } from "./agent/result.ts";
export type { Run, RunEvent, RunLimits } from "./agent/run.ts";
export { ERROR_CODES, type ErrorCode, WinnowError, type WinnowErrorOptions } from "./core/errors.ts";
export type { Filter, FilterOperator, Predicate } from "./core/filter.ts";
export type { Chunk, Hit, Metadata, MetadataValue, Notice, Passage, SourceDocument, TextFormat } from "./core/types.ts";
export {
  type Corpus,
  type FindOptions,
  type Narrowing,
  type OpenCorpusOptions,
  openCorpus,
  type RecentOptions,
  type SearchOptions,
} from "./corpus.ts";
export type { Brief, BriefDocument } from "./features/brief-task.ts";
export type { FoundDocument, FoundDocuments } from "./features/find-documents.ts";
export {
  type IndexHooks,
  type IndexOptions,
  type IndexProgress,
  type IndexSummary,
  indexCorpus,
} from "./features/index-corpus.ts";
export type { DocumentText, LineRange } from "./features/read-document.ts";
export type { Recent, RecentDocument } from "./features/recent-documents.ts";
export {
  type RefreshCause,
  type RefreshedEvent,
  type WatchEvent,
  type WatchFailedEvent,
  type WatchNoticeEvent,
  type WatchOptions,
  watchCorpus,
} from "./features/watch-corpus.ts";
