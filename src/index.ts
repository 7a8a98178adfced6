/**
 * The public surface of `winnow-search`. Every line here is a promise; what is not named here is internal.
 */
export { ERROR_CODES, type ErrorCode, WinnowError, type WinnowErrorOptions } from "./core/errors.ts";
export type { Filter, FilterOperator, Predicate } from "./core/filter.ts";
export type { Chunk, Hit, Metadata, MetadataValue, Notice, Passage, SourceDocument, TextFormat } from "./core/types.ts";
