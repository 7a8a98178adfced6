/**
 * Scores passages against a query, each by the best part of its text: one number a passage, comparable within the call
 * only. Rejects with a `WinnowError` when it cannot be had, which leaves a search with the order that it has.
 */
export type ScorePassages = (
  query: string,
  passages: readonly string[],
  signal: AbortSignal | undefined,
) => Promise<readonly number[]>;
