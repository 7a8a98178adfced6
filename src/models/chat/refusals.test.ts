import { describe, expect, test } from "vitest";
import { type RefusablePart, type RefusalKind, refusalKind, refusedField } from "./refusals.ts";

const CASES: readonly [RefusalKind, string, number | undefined, string, string?][] = [
  [
    "too_long",
    "OpenAI",
    400,
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    "context_length_exceeded",
  ],
  [
    "too_long",
    "vLLM, prompt",
    400,
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (904 in the messages, 4096 in the completion). Please reduce the length of the messages or completion.",
  ],
  [
    "too_long",
    "vLLM, limit",
    400,
    "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 32768 tokens and your request has 1200 input tokens (32000 > 32768 - 1200).",
    "BadRequestError",
  ],
  [
    "too_long",
    "vLLM, decoder",
    400,
    "The decoder prompt (length 40000) is longer than the maximum model length of 32768. Make sure that `max_model_len` is no smaller than the number of text tokens.",
  ],
  ["too_long", "SGLang", 400, "The input (40000 tokens) is longer than the model's context length (32768 tokens)."],
  [
    "too_long",
    "SGLang, request",
    400,
    "Requested token count exceeds the model's maximum context length of 32768 tokens. You requested a total of 40000 tokens.",
  ],
  [
    "too_long",
    "TGI",
    422,
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
  ],
  [
    "too_long",
    "llama.cpp",
    400,
    "the request exceeds the available context size, try increasing it",
    "exceed_context_size_error",
  ],
  ["too_long", "llama.cpp, old", 500, "Context size has been exceeded."],
  ["too_long", "Ollama", 400, "the input length exceeds the context length"],
  ["too_long", "Ollama, cloud", 400, "prompt too long; exceeded max context length by 1200 tokens"],
  [
    "too_long",
    "LM Studio",
    400,
    "The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input",
  ],
  [
    "too_long",
    "LM Studio, overflow",
    undefined,
    "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
  ],
  ["too_long", "Anthropic", 400, "prompt is too long: 208310 tokens > 200000 maximum", "invalid_request_error"],
  [
    "too_long",
    "Anthropic, limit",
    400,
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again",
  ],
  ["too_long", "Anthropic, size", 413, "Request exceeds the maximum size", "request_too_large"],
  [
    "too_long",
    "Google",
    400,
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
  ],
  [
    "too_long",
    "Mistral",
    400,
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
  ],
  ["too_long", "Groq", 400, "Please reduce the length of the messages or completion.", "context_length_exceeded"],
  ["too_long", "xAI", 400, "This model's maximum prompt length is 131072 but the request contains 140000 tokens."],
  [
    "too_long",
    "OpenRouter",
    400,
    "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens.",
  ],
  [
    "too_long",
    "answer limit",
    400,
    "max_tokens is too large: 16384. This model supports at most 4096 completion tokens, whereas you provided 16384.",
  ],
  [
    "too_long",
    "answer limit, Anthropic",
    400,
    "max_tokens: 16384 > 4096, which is the maximum allowed number of output tokens for claude-3-haiku-20240307",
  ],
  ["no_tools", "Ollama", 400, "registry.ollama.ai/library/gemma:2b does not support tools"],
  ["no_tools", "vLLM", 400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'],
  ["no_tools", "llama.cpp", 500, "tools param requires --jinja flag"],
  ["no_tools", "hosted", 400, "Function calling is not enabled for this model"],
  ["no_model", "OpenAI", 404, "The model `gpt-x` does not exist or you do not have access to it.", "model_not_found"],
  ["no_model", "vLLM", 404, "The model `x` does not exist.", "NotFoundError"],
  ["no_model", "Ollama", 404, 'model "x" not found, try pulling it first'],
  ["no_model", "Anthropic", 404, "model: claude-x", "not_found_error"],
  ["no_model", "LM Studio", 400, 'Failed to load model "x". Error: not found.'],
  ["no_key", "OpenAI", 401, "Incorrect API key provided: …. You can find your API key at …", "invalid_api_key"],
  ["no_key", "a gate", 403, "Forbidden"],
  [
    "no_money",
    "OpenAI",
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
  ],
  [
    "no_money",
    "Anthropic",
    400,
    "Your credit balance is too low to access the Anthropic API.",
    "invalid_request_error",
  ],
  [
    "other",
    "load, by tokens",
    429,
    "Rate limit reached for gpt-x on tokens per min (TPM): Limit 30000, Used 28000, Requested 4000.",
  ],
  ["other", "no such path", 404, "Not Found"],
  [
    "other",
    "a broken runner",
    500,
    "llama runner process has terminated: error loading model: unknown model architecture",
  ],
  ["other", "a bad request", 400, "Invalid schema for function 'search_corpus'"],
  ["other", "overload", 529, "Overloaded", "overloaded_error"],
];

describe("refusals", () => {
  test.each(CASES)("%s: %s", (kind, _server, status, said, code = "") => {
    expect(refusalKind({ status, said, code })).toBe(kind);
  });
});

const FIELDS: readonly [RefusablePart | undefined, string, number, string][] = [
  ["temperature", "OpenAI, value", 400, "Unsupported value: 'temperature' does not support 0.2 with this model."],
  ["temperature", "OpenAI, parameter", 400, "Unsupported parameter: 'temperature' is not supported with this model."],
  ["temperature", "Anthropic", 400, "`temperature` may only be set to 1 when thinking is enabled."],
  ["temperature", "vLLM", 400, "temperature must be non-negative, got -1.0."],
  ["temperature", "FastAPI", 422, '{"detail":[{"loc":["body","temperature"],"msg":"Input should be less than 1"}]}'],
  ["extra_fields", "OpenAI", 400, "Unrecognized request arguments supplied: return_token_ids, stop_token_ids"],
  ["extra_fields", "pydantic", 422, '{"detail":[{"type":"extra_forbidden","loc":["body","return_token_ids"]'],
  ["extra_fields", "vLLM, strict", 400, "[{'type': 'extra_forbidden', 'msg': 'Extra inputs are not permitted'}]"],
  ["extra_fields", "serde", 422, "unknown field `skip_special_tokens`, expected one of `model`, `prompt`"],
  [undefined, "another field", 400, "Unrecognized request argument supplied: logprobs"],
  [undefined, "a fault of the server's own", 500, "temperature sensor return_token_ids"],
  [undefined, "load", 429, "Rate limit reached; lower the temperature of your requests"],
];

describe("refused fields", () => {
  const all = new Set<RefusablePart>(["temperature", "extra_fields", "reasoning"]);

  test.each(FIELDS)("%s: %s", (field, _server, status, said) => {
    expect(refusedField({ status, said, code: "" }, all)).toBe(field);
    // What was not sent is not what was refused.
    expect(refusedField({ status, said, code: "" }, new Set(["reasoning"]))).toBeUndefined();
  });
});
