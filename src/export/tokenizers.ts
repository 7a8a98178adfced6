export interface Tokenizer {
  /** Of the vocabulary as its publisher distributes it: a line for each token, its bytes in base64 and its id. Hex. */
  readonly sha256: string;
  /** One more than the largest id, special tokens included. */
  readonly vocabularySize: number;
}

/** o200k_harmony: the ordinary tokens of o200k_base under special tokens of its own. */
export const O200K_HARMONY: Tokenizer = {
  sha256: "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
  vocabularySize: 201_088,
};

/** The tokenizer behind a renderer's ids, by the name in the record, whatever its version. */
export function tokenizerOf(renderer: string): Tokenizer | undefined {
  return renderer.split("/")[0] === "harmony" ? O200K_HARMONY : undefined;
}
