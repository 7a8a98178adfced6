import type { ModelUsage } from "./prices.ts";

/** A call in the history: arguments are always an object, since templates of servers iterate over them. */
export interface ChatCall {
  readonly id: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export type ChatMessage =
  | { readonly role: "user"; readonly text: string }
  | {
      readonly role: "assistant";
      readonly text: string;
      readonly reasoning: string;
      readonly calls: readonly ChatCall[];
      /** `state` of the answer that this message was. */
      readonly state?: unknown;
    }
  | {
      readonly role: "tool";
      readonly results: readonly { readonly callId: string; readonly tool: string; readonly text: string }[];
    };

export interface ChatTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly parameters: object;
}

/**
 * One question to a chat model. Messages must be ones that every API takes: the first is the user's, each call of an
 * assistant message is answered once in the tool message right behind it, and no text is empty.
 */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ChatTool[];
  /** Most tokens of the answer. */
  readonly maxTokens: number;
  /** Sent where the API knows seeds. */
  readonly seed?: number;
  /** 0 to 2; left out: the server's own. A server that refuses it is asked without, with a notice. */
  readonly temperature?: number;
}

export interface ChatAnswer {
  readonly text: string;
  readonly reasoning: string;
  /** Arguments as the model wrote them: JSON, or what should have been JSON. */
  readonly calls: readonly { readonly tool: string; readonly arguments: string }[];
  /** What the API wants back with this message: plain JSON, absent when nothing. */
  readonly state?: ChatState;
  readonly finish: "stop" | "calls" | "length" | "filtered";
  readonly usage: ModelUsage;
  /** What was sent with the request that was answered; what is absent was the server's choice. */
  readonly sampling?: { readonly temperature?: number; readonly seed?: number };
  /** In US dollars; absent when the price or the usage is not known. */
  readonly costUsd?: number;
}

/** Opaque to everyone but `src/models/chat`. */
export interface ChatState {
  /** Field of the wire format in which the server sent reasoning, and in which it gets it back. */
  readonly reasoningField?: "reasoning" | "reasoning_content";
  /** Anthropic: blocks of thinking as they came, with their signatures. */
  readonly thinking?: readonly (
    | { readonly text: string; readonly signature: string }
    | { readonly redacted: string }
  )[];
  /** Google behind the OpenAI format: a signature for each call, in order. */
  readonly callSignatures?: readonly (string | null)[];
}

export interface ChatOptions {
  readonly signal?: AbortSignal;
  /** Requests with the same one belong together: sent as a header to servers of the user's own, for routers. No secret. */
  readonly session?: string;
  /** Attempts at most; default 5. */
  readonly attemptsMax?: number;
  /** Called with pieces of reasoning and text as they arrive; those of an attempt that fails are not taken back. */
  readonly onDelta?: (kind: "reasoning" | "text", delta: string) => void;
  /** Told what the caller should know: retries, missing prices, what had to be left out. */
  readonly onNotice?: (code: string, message: string) => void;
}

/** A chat model behind an API. Holds no conversation: every request is whole. */
export interface ChatModel {
  /** As on the command line: `KIND:MODEL`. */
  readonly name: string;
  readonly model: string;
  /**
   * Rejects with `PromptTooLongError` when the server's window is too small, else with a `WinnowError`:
   * `policy_unavailable` (not reached, refused for load, no such model, wrong key, no tools), `policy_failed` (refused or
   * unusable), `timeout`, `cancelled`. Everything that could be tried again has been.
   */
  complete(request: ChatRequest, options?: ChatOptions): Promise<ChatAnswer>;
  /** Names of the models that the server has, at most 100. Rejects when it does not say. */
  listModels(signal?: AbortSignal): Promise<readonly string[]>;
}

/** The server refused the prompt as too long for its window. */
export class PromptTooLongError extends Error {
  override readonly name = "PromptTooLongError";
}
