/** The embedder that made the vectors of a corpus. */
export interface EmbedderIdentity {
  readonly name: string;
  /** Numbers in a vector. */
  readonly dimension: number;
}

/**
 * Makes the vector of a query with the embedder that made the vectors of the corpus. Rejects with `corpus_mismatch` when
 * it stands for another embedder than this one, which fails the query, and with any other `WinnowError` when the
 * embedder cannot be had or asked, which leaves a hybrid query with its lexical half and a notice.
 */
export type EmbedQuery = (
  text: string,
  embedder: EmbedderIdentity,
  signal: AbortSignal | undefined,
) => Promise<Float32Array>;
