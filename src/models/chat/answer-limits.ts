import type { PromptTooLongError } from "./chat-model.ts";

/**
 * Most tokens asked for in one answer. A server refuses prompt and limit together when they exceed its window, and it
 * counts the prompt differently; no decision needs more.
 */
export const ANSWER_TOKENS_MAX = 16_384;
/** Asked for where the server's window has turned out to be smaller than the caller thinks. */
export const SMALL_ANSWER_TOKENS = 2_048;

/** What to tell when the small answer was what fitted. */
export function windowSmallMessage(error: PromptTooLongError): string {
  return `The server's window is smaller than the profile's; give its size with --context. (${error.message})`;
}
