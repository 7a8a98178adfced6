import { messageText, type RenderedContext } from "./rendered.ts";

/** Block size of the prefix caches of vLLM and SGLang at their defaults, tokens. */
const CACHE_BLOCK_TOKENS = 16;

/**
 * Prompt tokens that a prefix cache could reuse: the messages and blocks that two successive prompts begin with in
 * common, in whole cache blocks. Tool schemas and framing stand in front and never change within a run.
 */
export function reusableTokens(last: RenderedContext | undefined, next: RenderedContext): number {
  if (last === undefined) return 0;
  let tokens = next.tokens - next.messages.reduce((total, message) => total + message.tokens, 0);
  for (const [i, message] of next.messages.entries()) {
    const before = last.messages[i];
    if (before === undefined) break;
    if (before === message || (before.tokens === message.tokens && messageText(before) === messageText(message))) {
      tokens += message.tokens;
      continue;
    }
    for (const [j, block] of message.blocks.entries()) {
      if (before.blocks[j]?.text !== block.text) break;
      tokens += block.tokens;
    }
    break;
  }
  return Math.floor(tokens / CACHE_BLOCK_TOKENS) * CACHE_BLOCK_TOKENS;
}
