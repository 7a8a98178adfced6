import { ANSWER_TOKENS_MAX, SMALL_ANSWER_TOKENS, windowSmallMessage } from "./answer-limits.ts";
import { PromptTooLongError } from "./chat-model.ts";
import { PartRefusedError } from "./failure.ts";
import type { RefusablePart } from "./refusals.ts";

/** One way to ask; a refusal may call for another. */
export interface Variant {
  /** Most tokens of the answer. */
  readonly maxTokens: number;
  /** What of the request is sent. */
  readonly parts: ReadonlySet<RefusablePart>;
}

/**
 * What a server has refused before, with the message for those who ask. Not memory of a conversation: what a server has
 * refused once it refuses every time, so one instance serves one model for as long as that is open.
 */
export type RefusedParts = Map<RefusablePart, string>;

export interface AskingScope {
  readonly maxTokens: number;
  /** What the request carries that the server may refuse. */
  readonly carried: readonly RefusablePart[];
  readonly refused: RefusedParts;
  /** What to call the service in messages. */
  readonly label: string;
  readonly onNotice?: ((code: string, message: string) => void) | undefined;
}

const LEFT_OUT: Readonly<Record<RefusablePart, string>> = {
  reasoning: "takes no reasoning of earlier turns back; it is left out",
  temperature: "takes no temperature, or not this one; it is left out, and the server's own holds",
  extra_fields:
    "does not take the fields that vLLM adds to completions; it is asked without them, so answers may lack token ids and special tokens",
};

/**
 * Asks, and asks again without what the server refuses: each part of the request once, and an answer of the full size once
 * where its window turns out to be small. The caller is told each time something is left out. Rejects with what `ask`
 * rejects with when nothing is left to leave out.
 */
export async function askWithLess<T>(ask: (variant: Variant) => Promise<T>, scope: AskingScope): Promise<T> {
  const { carried, refused, label, onNotice } = scope;
  for (const part of carried) {
    const message = refused.get(part);
    if (message !== undefined) onNotice?.(`${part}_refused`, message);
  }
  let variant: Variant = {
    maxTokens: Math.min(scope.maxTokens, ANSWER_TOKENS_MAX),
    parts: new Set(carried.filter((part) => !refused.has(part))),
  };
  let windowSmall: string | undefined;
  for (;;) {
    try {
      const answer = await ask(variant);
      if (windowSmall !== undefined) onNotice?.("window_small", windowSmall);
      return answer;
    } catch (error) {
      if (error instanceof PartRefusedError && variant.parts.has(error.part)) {
        const { part } = error;
        const message = `${label} ${LEFT_OUT[part]}. (${error.message})`;
        refused.set(part, message);
        onNotice?.(`${part}_refused`, message);
        variant = { ...variant, parts: new Set([...variant.parts].filter((other) => other !== part)) };
      } else if (error instanceof PromptTooLongError && variant.maxTokens > SMALL_ANSWER_TOKENS) {
        windowSmall = windowSmallMessage(error);
        variant = { ...variant, maxTokens: SMALL_ANSWER_TOKENS };
      } else throw error;
    }
  }
}
