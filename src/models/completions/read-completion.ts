import { oversized } from "../chat/guarded-fetch.ts";
import type { ModelUsage } from "../chat/prices.ts";
import { BrokenOffError, StreamFault } from "../chat/read-answer.ts";

/** Ids of one answer; the largest that is asked for is half of this. */
const IDS_MAX = 32_768;
/** UTF-16 units of one answer. */
const TEXT_UNITS_MAX = 1_048_576;
/** How servers write ids where they are asked for ids in place of text (vLLM: `return_tokens_as_token_ids`). */
const TOKEN_ID = /^token_id:(\d{1,9})$/;

/** What the pieces of an answer add up to. */
export interface ReadCompletion {
  /** Absent when the server did not give the ids of every piece. */
  readonly ids: readonly number[] | undefined;
  readonly text: string;
  /** Absent when there is not one for each id. */
  readonly logprobs: readonly number[] | undefined;
  readonly stoppedBy: number | undefined;
  readonly finish: "stop" | "length";
  readonly usage: ModelUsage;
  /** The prompt as the server says it read it. */
  readonly promptIds: readonly number[] | undefined;
}

/**
 * Adds up the pieces of one answer in the format of `/v1/completions`, streamed or whole. A piece may hold anything;
 * what has another type than it should counts as absent.
 */
export class CompletionReader {
  readonly #onIds: (ids: readonly number[]) => void;
  readonly #ids: number[] = [];
  readonly #logprobs: number[] = [];
  #idsMissing = false;
  #logprobsMissing = false;
  #text = "";
  #finish: string | undefined;
  #stoppedBy: number | undefined;
  #promptIds: readonly number[] | undefined;
  #usage: ModelUsage = {};

  constructor(onIds: (ids: readonly number[]) => void) {
    this.#onIds = onIds;
  }

  /** Takes the next piece. Throws `StreamFault` for an error in its place and `policy_failed` for an answer without measure. */
  take(piece: unknown): void {
    const error = field(piece, "error");
    if (error !== undefined && error !== null) throw new StreamFault(error);
    const usage = usageOf(field(piece, "usage"));
    if (usage !== undefined) this.#usage = usage;
    const choices = field(piece, "choices");
    if (!Array.isArray(choices)) return;
    for (const choice of choices as readonly unknown[]) {
      if ((field(choice, "index") ?? 0) === 0) this.#choice(choice, piece);
    }
  }

  /** The whole answer. Throws `BrokenOffError` when the server never said why it ended. */
  answer(): ReadCompletion {
    if (this.#finish === undefined) throw new BrokenOffError("The answer broke off.");
    const complete = !this.#idsMissing && this.#ids.length > 0;
    const scored = complete && !this.#logprobsMissing && this.#logprobs.length === this.#ids.length;
    return {
      ids: complete ? this.#ids : undefined,
      text: this.#text,
      logprobs: scored ? this.#logprobs : undefined,
      stoppedBy: this.#stoppedBy,
      finish: this.#finish === "length" ? "length" : "stop",
      usage: this.#usage,
      promptIds: this.#promptIds,
    };
  }

  #choice(choice: unknown, piece: unknown): void {
    const text = textOf(field(choice, "text")) ?? "";
    const logprobs = field(choice, "logprobs");
    const tokens = listOf(field(logprobs, "tokens"));
    const ids = idsIn(field(choice, "token_ids")) ?? idsInTokens(tokens);
    this.#promptIds ??= idsIn(field(choice, "prompt_token_ids")) ?? idsIn(field(piece, "prompt_token_ids"));
    const scores = listOf(field(logprobs, "token_logprobs"));
    if (ids === undefined) this.#idsMissing ||= text !== "" || (tokens ?? []).length > 0;
    else if (ids.length > 0) {
      if (this.#ids.length + ids.length > IDS_MAX) throw oversized(`${IDS_MAX} tokens`);
      this.#ids.push(...ids);
      this.#onIds(ids);
    }
    if ((scores?.length ?? 0) !== (ids?.length ?? 0)) this.#logprobsMissing = true;
    else for (const score of scores ?? []) this.#score(score);
    this.#text += text;
    if (this.#text.length > TEXT_UNITS_MAX) throw oversized(`${TEXT_UNITS_MAX} characters`);
    this.#finish = textOf(field(choice, "finish_reason")) ?? this.#finish;
    const stop = field(choice, "stop_reason") ?? field(choice, "matched_stop");
    if (typeof stop === "number" && Number.isSafeInteger(stop) && stop >= 0) this.#stoppedBy = stop;
  }

  #score(score: unknown): void {
    if (typeof score === "number" && Number.isFinite(score)) this.#logprobs.push(score);
    else this.#logprobsMissing = true;
  }
}

function idsIn(value: unknown): readonly number[] | undefined {
  const list = listOf(value);
  return list?.every((id) => Number.isSafeInteger(id) && (id as number) >= 0) ? (list as readonly number[]) : undefined;
}

function idsInTokens(tokens: readonly unknown[] | undefined): readonly number[] | undefined {
  const ids = tokens?.map((token) => (typeof token === "string" ? TOKEN_ID.exec(token)?.[1] : undefined));
  return ids?.every((id) => id !== undefined) ? ids.map(Number) : undefined;
}

function usageOf(value: unknown): ModelUsage | undefined {
  const count = (name: string, of: unknown = value): number | undefined => {
    const tokens = field(of, name);
    return typeof tokens === "number" && Number.isFinite(tokens) && tokens >= 0 ? tokens : undefined;
  };
  const promptTokens = count("prompt_tokens");
  const completionTokens = count("completion_tokens");
  const cachedTokens = count("cached_tokens", field(value, "prompt_tokens_details"));
  if (promptTokens === undefined || promptTokens === 0) return undefined;
  return {
    promptTokens,
    ...(completionTokens === undefined ? {} : { completionTokens }),
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}
