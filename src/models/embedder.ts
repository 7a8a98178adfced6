/** What a text is embedded for. Some models mark questions and documents differently; the others ignore it. */
export type EmbedKind = "query" | "document";

export interface EmbedOptions {
  /** Default `document`. */
  readonly kind?: EmbedKind;
  readonly signal?: AbortSignal;
}

/**
 * Turns texts into vectors whose dot product is their similarity. A corpus stores the name of the embedder that made its
 * vectors and refuses queries from another one: two embedders with the same name must give the same vectors.
 */
export interface Embedder {
  /** Kind and model, e.g. `static:minilm-192-1`, `ollama:nomic-embed-text`. Never holds an address or a key. */
  readonly name: string;
  /** Length of every vector. */
  readonly dimension: number;
  /**
   * One vector for each text, in their order, of unit length; all zeros for a text that says nothing to the model
   * (empty, white space, only unknown words), which no query should match. Texts are cut at the embedder's own limit.
   * Rejects with `WinnowError` only: `cancelled` when the signal aborts, `timeout`, `embedder_failed`.
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
}

/** Scales a vector to unit length in place; zeros stay zeros. */
export function normalize(vector: Float32Array): Float32Array {
  let squares = 0;
  for (let index = 0; index < vector.length; index++) squares += (vector[index] ?? 0) ** 2;
  if (squares === 0) return vector;
  const factor = 1 / Math.sqrt(squares);
  for (let index = 0; index < vector.length; index++) vector[index] = (vector[index] ?? 0) * factor;
  return vector;
}
