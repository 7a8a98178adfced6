import { WinnowError } from "../../core/errors.ts";

export const TARGET_TOKENS = 512;
const TARGET_TOKENS_MIN = 32;
const TARGET_TOKENS_MAX = 8_192;

/** Token numbers that follow from the target. */
export interface ChunkLimits {
  /** Text is gathered up to this size. */
  readonly targetTokens: number;
  /** Fences, tables and rows stay whole up to this size. */
  readonly wholeBlockTokens: number;
  /** A heading or front matter larger than this is treated as text, not carried along to what follows. */
  readonly headingTokensMax: number;
  /** A chunk of at most this size is joined to a neighbour, across a heading too, where there is room. */
  readonly tinyTokens: number;
  /** No chunk is larger, whatever the text. */
  readonly chunkTokensMax: number;
}

/** Throws `invalid_argument` for a target outside 32 to 8,192. */
export function chunkLimits(targetTokens: number = TARGET_TOKENS): ChunkLimits {
  if (!Number.isInteger(targetTokens) || targetTokens < TARGET_TOKENS_MIN || targetTokens > TARGET_TOKENS_MAX) {
    const range = `${TARGET_TOKENS_MIN} to ${TARGET_TOKENS_MAX}`;
    throw new WinnowError("invalid_argument", `The target size of a chunk must be a whole number from ${range}.`, {
      hint: `Use ${TARGET_TOKENS}, the default.`,
    });
  }
  return {
    targetTokens,
    wholeBlockTokens: Math.floor(targetTokens * 1.5),
    headingTokensMax: Math.floor(targetTokens / 4),
    tinyTokens: Math.floor(targetTokens / 8),
    chunkTokensMax: targetTokens * 2,
  };
}
