/** The messages of a harmony conversation, as data. Objects are taken as immutable: their token ids are cached by identity. */

export type HarmonyRole = "system" | "developer" | "user" | "assistant" | "tool";

/** A function as the model is told of it; `parameters` is a JSON Schema, absent for a function without arguments. */
export interface HarmonyTool {
  readonly name: string;
  readonly description: string;
  readonly parameters?: unknown;
}

/** Tools under one name. The namespace `functions` is the one that the format knows for tools of the caller. */
export interface HarmonyNamespace {
  readonly name: string;
  readonly description?: string;
  readonly tools: readonly HarmonyTool[];
}

export type ReasoningEffort = "low" | "medium" | "high";

/** The system message. A field that is left out has the format's default; null leaves its line out. */
export interface SystemMessage {
  readonly role: "system";
  readonly kind: "settings";
  /** Default: the identity that the published models were trained with. */
  readonly identity?: string | null;
  /** Default `2024-06`. */
  readonly knowledgeCutoff?: string | null;
  /** ISO date of the conversation. Default: no line. */
  readonly date?: string | null;
  /** Default `medium`. */
  readonly effort?: ReasoningEffort | null;
  /** Default `analysis`, `commentary`, `final`; an empty list leaves the section out. */
  readonly channels?: readonly string[];
  /** Whether the section says that every message needs a channel. Default true. */
  readonly channelRequired?: boolean;
  readonly tools?: readonly HarmonyNamespace[];
}

/** The developer message: what other formats call the system prompt, and the tools. */
export interface DeveloperMessage {
  readonly role: "developer";
  readonly kind: "settings";
  readonly instructions?: string;
  readonly tools?: readonly HarmonyNamespace[];
}

/** A piece of a message's text that is encoded apart from its neighbours. */
export interface TextPart {
  readonly text: string;
}

export interface TextMessage {
  readonly role: HarmonyRole;
  readonly kind: "text";
  /** Required for `tool`, where it stands in place of the role, e.g. `functions.search_corpus`. */
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  /** `<|constrain|>json`: a beginning `<|constrain|>` is written as the special token. */
  readonly contentType?: string;
  readonly parts: readonly TextPart[];
}

/**
 * An assistant's turn in the very ids that it was sampled as, malformed ones included: everything after
 * `<|start|>assistant`. What was sampled is never changed, so that a later prompt begins with the earlier one.
 */
export interface SampledTurn {
  readonly role: "assistant";
  readonly kind: "sampled";
  readonly ids: readonly number[];
}

export type HarmonyMessage = SystemMessage | DeveloperMessage | TextMessage | SampledTurn;

export const CONSTRAIN_JSON = "<|constrain|>json";

interface Header {
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  readonly contentType?: string;
}

/** A message of one text. */
export function textMessage(role: HarmonyRole, text: string, header: Header = {}): TextMessage {
  return { role, kind: "text", ...header, parts: [{ text }] };
}
