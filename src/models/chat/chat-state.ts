import { z } from "zod/mini";
import type { ChatState } from "./chat-model.ts";

const stateSchema = z.object({
  reasoningField: z.optional(z.enum(["reasoning", "reasoning_content"])),
  thinking: z.optional(
    z.array(z.union([z.object({ text: z.string(), signature: z.string() }), z.object({ redacted: z.string() })])),
  ),
  callSignatures: z.optional(z.array(z.nullable(z.string()))),
});

const NONE: ChatState = {};
const known = new WeakMap<object, ChatState>();

/** The state that a record gives back. It may come from a file, so anything else counts as none. */
export function chatStateOf(value: unknown): ChatState {
  if (typeof value !== "object" || value === null) return NONE;
  const before = known.get(value);
  if (before !== undefined) return before;
  const parsed = stateSchema.safeParse(value);
  const state = parsed.success ? (parsed.data as ChatState) : NONE;
  known.set(value, state);
  return state;
}
