/**
 * What servers say when they refuse, as far as it changes what we do. The wordings are those of OpenAI, vLLM, SGLang,
 * TGI, llama.cpp, Ollama, LM Studio, Anthropic, Google, Mistral, Groq, xAI, DeepSeek and OpenRouter. Only the message and
 * the code of an error are looked at, never a whole body: some servers repeat the prompt in it.
 */
const PROMPT_TOO_LONG = [
  /context_length_exceeded|exceed_context_size|string_above_max_length|request_too_large/,
  /maximum (context|prompt|model|sequence|input) length/,
  /max(imum)? (allowed )?(number of )?(input )?tokens? (allowed|limit)/,
  /(context|input) (length|size|window|limit).{0,40}(exceed|too (long|large|small)|overflow)/,
  /(exceed|overflow|longer than|larger than|greater than|too large for|not fit).{0,60}(context|model's) ?(length|size|window|limit)/,
  /(prompt|input|request|messages?) (is|was|are)? ?too long/,
  /reduce the (length|size) of (the|your) (messages|prompt|input)/,
  /input token count.{0,40}exceeds/,
  /inputs?` tokens.{0,40}must be/,
  /tokens to keep from the initial prompt/,
  /max_(completion_)?tokens.{0,80}(too large|maximum allowed|at most|exceed)/,
  /context the overflows|context_window_exceeded/,
  /larger than the (maximum )?context|too large for model with/,
];
const NO_TOOLS = [
  /not support (the use of )?(tools?|function)/,
  /(tools?|function calling|tool use) (is|are) not (supported|enabled|available)/,
  /enable-auto-tool-choice|tool-call-parser|--jinja/,
];
const NO_MODEL = [
  /model_not_found|not_found_error.{0,40}model/,
  /models?\b.{0,200}(not found|not exist|does ?n[o']t exist|unknown|is not available|not been loaded)/,
  /(unknown|invalid|no such|could not find|failed to load) model/,
];
const NO_MONEY = /insufficient_quota|exceeded your current quota|credit balance|payment required/;
const TEMPERATURE = /temperature/;
/** Fields of vLLM's, and how strict servers speak of any that they do not know. */
const EXTRA_FIELDS =
  /return_token_ids|return_tokens_as_token_ids|stop_token_ids|include_stop_str_in_output|skip_special_tokens|spaces_between_special_tokens|extra_forbidden|extra (inputs|fields) (are )?not permitted/;
const REASONING = /reasoning|thinking|signature/;
const BAD_REQUEST_STATUS = new Set([400, 422]);
const NO_MODEL_STATUS = new Set([undefined, 400, 404, 422]);
const NO_CONTEXT_STATUS = new Set([401, 403, 404, 429]);

export type RefusalKind = "too_long" | "no_tools" | "no_model" | "no_key" | "no_money" | "other";

export interface Refusal {
  /** HTTP status; undefined for an error inside a stream. */
  readonly status: number | undefined;
  /** Message and code, cleaned. */
  readonly said: string;
  readonly code: string;
}

/** What a refusal means. */
export function refusalKind({ status, said, code }: Refusal): RefusalKind {
  const words = `${code} ${said}`.toLowerCase();
  const any = (patterns: readonly RegExp[]): boolean => patterns.some((pattern) => pattern.test(words));
  if (any(NO_TOOLS)) return "no_tools";
  if (status === 413 || (!NO_CONTEXT_STATUS.has(status ?? 0) && any(PROMPT_TOO_LONG))) return "too_long";
  if (status === 401 || status === 403) return "no_key";
  if (status === 402 || NO_MONEY.test(words)) return "no_money";
  if (NO_MODEL_STATUS.has(status) && any(NO_MODEL)) return "no_model";
  return "other";
}

/** What requests may carry that some servers refuse, and that they can be asked without. */
export type RefusablePart = "temperature" | "extra_fields" | "reasoning";

/** The field, of those that were sent, by which a refusal is explained. */
export function refusedField(
  refusal: Refusal,
  sent: ReadonlySet<RefusablePart>,
): Exclude<RefusablePart, "reasoning"> | undefined {
  if (sent.has("temperature") && isBadRequest(refusal, TEMPERATURE)) return "temperature";
  return sent.has("extra_fields") && isBadRequest(refusal, EXTRA_FIELDS) ? "extra_fields" : undefined;
}

/** True when the server may have refused because of reasoning that was sent back to it: a guess, where nothing else fits. */
export function refusesReasoning(refusal: Refusal): boolean {
  return isBadRequest(refusal, REASONING);
}

function isBadRequest({ status, said, code }: Refusal, pattern: RegExp): boolean {
  return BAD_REQUEST_STATUS.has(status ?? 0) && pattern.test(`${code} ${said}`.toLowerCase());
}
