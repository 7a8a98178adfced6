import type { KeyFilter } from "../chat/key-filter.ts";
import type { ModelUsage } from "../chat/prices.ts";

/** Kind of policy that these models drive; it names them in messages, prices and records. */
export const COMPLETION_KIND = "harmony";

/** A prompt in token ids, and how to go on from it. */
export interface CompletionRequest {
  readonly prompt: readonly number[];
  /** Most tokens of the answer. */
  readonly maxTokens: number;
  /** Ids that end the answer and belong to it. */
  readonly stopIds: readonly number[];
  /** What those ids are as text, for servers that take no ids to stop at. */
  readonly stopTexts?: readonly string[];
  /** 0 to 2. A server that refuses it is asked without, with a notice. */
  readonly temperature: number;
  readonly topP: number;
  /** Left out: the server's choice. */
  readonly seed?: number;
}

export interface CompletionAnswer {
  /** As sampled, stop id included; absent when the server gave none. */
  readonly ids?: readonly number[];
  /** The answer's text, special tokens written by name where the server does so. */
  readonly text: string;
  /** One per id, natural log; absent when the server gave none that fit. */
  readonly logprobs?: readonly number[];
  /** The id that ended the answer, where the server says so. */
  readonly stoppedBy?: number;
  readonly finish: "stop" | "length";
  readonly usage: ModelUsage;
  /** What was sent with the request that was answered; what is absent was the server's choice. */
  readonly sampling?: { readonly temperature?: number; readonly topP?: number; readonly seed?: number };
  /** In US dollars; absent when the price or the usage is not known. */
  readonly costUsd?: number;
}

export interface CompletionOptions {
  readonly signal?: AbortSignal;
  /** Requests with the same one belong together: sent as a header to servers of the user's own, for routers. No secret. */
  readonly session?: string;
  /** Attempts at most; default 5. */
  readonly attemptsMax?: number;
  /** Called before each request. */
  readonly onStart?: () => void;
  /** Called with ids as they arrive; those before the last `onStart` belong to an answer that failed. */
  readonly onIds?: (ids: readonly number[]) => void;
  /** Told what the caller should know: retries, missing prices, what the server did not give. */
  readonly onNotice?: (code: string, message: string) => void;
}

/** A model behind an API that takes and gives token ids (`/v1/completions`). Holds no conversation. */
export interface CompletionModel {
  readonly name: string;
  readonly model: string;
  /**
   * Rejects with `PromptTooLongError` when the server's window is too small, else with a `WinnowError`:
   * `policy_unavailable` (not reached, refused for load, no such model, wrong key), `policy_failed` (refused or unusable),
   * `timeout`, `cancelled`. Everything that could be tried again has been.
   */
  complete(request: CompletionRequest, options?: CompletionOptions): Promise<CompletionAnswer>;
  /** Names of the models that the server has, at most 100. Rejects when it does not say. */
  listModels(signal?: AbortSignal): Promise<readonly string[]>;
  /** Passes text on without the key of this model, should a server repeat it. */
  keyFilter(pass: (text: string) => void): KeyFilter;
}
