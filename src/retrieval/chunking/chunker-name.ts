import { TARGET_TOKENS } from "./limits.ts";

/** Stored in `corpus.json`; changes whenever the same text would be split differently. Light to import. */
export const CHUNKER_NAME = chunkerName(TARGET_TOKENS);

export function chunkerName(targetTokens: number): string {
  return `structure-${targetTokens}-v1`;
}
