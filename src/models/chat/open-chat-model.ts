import { toWinnowError } from "../../core/errors.ts";
import { type FailedAttempt, retryNotice, withAttempts } from "../attempts.ts";
import { withoutKey } from "../service-message.ts";
import { ANSWER_TOKENS_MAX, SMALL_ANSWER_TOKENS, windowSmallMessage } from "./answer-limits.ts";
import {
  type ChatAnswer,
  type ChatModel,
  type ChatOptions,
  type ChatRequest,
  PromptTooLongError,
} from "./chat-model.ts";
import { type ChatModelOptions, type Endpoint, endpointOf } from "./endpoint.ts";
import { failureOf, NoModelError, ReasoningRefusedError, timedOut } from "./failure.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { KeyFilter, secretOf } from "./key-filter.ts";
import { listModels } from "./list-models.ts";
import { noSuchModel } from "./no-such-model.ts";
import { costOf, priceOf } from "./prices.ts";
import { readAnswer } from "./read-answer.ts";
import type { SdkModel } from "./sdk-model.ts";
import { carriesReasoning, sdkCall } from "./sdk-prompt.ts";

/** One way to ask; a refusal may call for another. */
interface Variant {
  readonly maxTokens: number;
  readonly keepReasoning: boolean;
}

/**
 * A chat model behind the wire format of OpenAI (vLLM, Ollama, llama.cpp, LM Studio, hosted services) or Anthropic, on
 * the AI SDK. Checks address and key, asks nothing yet, and loads the SDK with the first request. Throws
 * `invalid_argument`. The key stands in no message, record or error.
 */
export function openChatModel(options: ChatModelOptions): ChatModel {
  const endpoint = endpointOf(options);
  const send = options.fetch ?? fetch;
  let loaded: Promise<SdkModel> | undefined;
  // Not memory of a conversation: a server that has refused reasoning once does so every time.
  let reasoningRefused = false;
  return {
    name: endpoint.name,
    model: endpoint.model,
    listModels: (signal) => listModels(endpoint, send, signal),
    async complete(request, callOptions = {}) {
      const ask = async (variant: Variant): Promise<ChatAnswer> => {
        loaded ??= import("./sdk-model.ts").then(({ openSdkModel }) => openSdkModel(endpoint, guardedFetch(send)));
        return askAgain({ model: await loaded, endpoint, options }, request, variant, callOptions);
      };
      let variant: Variant = {
        maxTokens: Math.min(request.maxTokens, ANSWER_TOKENS_MAX),
        keepReasoning: !reasoningRefused,
      };
      let windowSmall: string | undefined;
      for (;;) {
        try {
          const answer = await ask(variant);
          if (windowSmall !== undefined) callOptions.onNotice?.("window_small", windowSmall);
          return withCost(answer, options, endpoint, callOptions);
        } catch (error) {
          if (error instanceof ReasoningRefusedError && variant.keepReasoning) {
            reasoningRefused = true;
            variant = { ...variant, keepReasoning: false };
            const message = `${endpoint.label} takes no reasoning of earlier turns back; it is left out. (${error.message})`;
            callOptions.onNotice?.("reasoning_refused", message);
          } else if (error instanceof PromptTooLongError && variant.maxTokens > SMALL_ANSWER_TOKENS) {
            windowSmall = windowSmallMessage(error);
            variant = { ...variant, maxTokens: SMALL_ANSWER_TOKENS };
          } else if (error instanceof NoModelError) {
            throw await noSuchModel(error, endpoint, send, callOptions.signal);
          } else throw error;
        }
      }
    },
  };
}

interface Client {
  readonly model: SdkModel;
  readonly endpoint: Endpoint;
  readonly options: ChatModelOptions;
}

function askAgain(client: Client, request: ChatRequest, variant: Variant, options: ChatOptions): Promise<ChatAnswer> {
  const { signal, attemptsMax, onNotice } = options;
  return withAttempts(() => askOnce(client, request, variant, options), {
    effects: client.options,
    signal,
    attemptsMax,
    onRetry: retryNotice(onNotice),
  });
}

async function askOnce(
  { model, endpoint, options }: Client,
  request: ChatRequest,
  { maxTokens, keepReasoning }: Variant,
  { signal, onDelta }: ChatOptions,
): Promise<{ readonly answer: ChatAnswer } | FailedAttempt> {
  const { key, kind } = endpoint;
  const timer = AbortSignal.timeout(endpoint.answerTimeoutMs);
  const either = signal === undefined ? timer : AbortSignal.any([signal, timer]);
  const filters = {
    reasoning: new KeyFilter(key, (text) => onDelta?.("reasoning", text)),
    text: new KeyFilter(key, (text) => onDelta?.("text", text)),
  };
  try {
    const call = sdkCall(request, maxTokens, {
      kind,
      model: endpoint.model,
      keepReasoning,
      reasoning: options.reasoning,
    });
    const { stream } = await model.doStream({ ...call, abortSignal: either });
    const answer = await readAnswer(stream, (part, delta) => filters[part].push(delta));
    filters.reasoning.end();
    filters.text.end();
    return { answer: withoutSecret(answer, secretOf(key)) };
  } catch (error) {
    if (signal?.aborted === true) throw toWinnowError(signal.reason);
    if (timer.aborted) return timedOut(endpoint);
    return failureOf(error, endpoint, keepReasoning && carriesReasoning(request));
  }
}

/** A server that repeats the key in its answer must not get it into a record. */
function withoutSecret(answer: ChatAnswer, secret: string | undefined): ChatAnswer {
  if (secret === undefined) return answer;
  const written = JSON.stringify(answer);
  const escaped = JSON.stringify(secret).slice(1, -1);
  return written.includes(escaped) ? (JSON.parse(withoutKey(written, escaped)) as ChatAnswer) : answer;
}

function withCost(
  answer: ChatAnswer,
  { prices = {} }: ChatModelOptions,
  endpoint: Endpoint,
  { onNotice }: ChatOptions,
): ChatAnswer {
  const price = priceOf(prices, endpoint);
  const costUsd = price === undefined ? undefined : costOf(answer.usage, price);
  if (price === undefined) {
    const message = `No price is set for ${endpoint.name}: usage is in tokens only. The setting "prices" gives dollars per million tokens.`;
    onNotice?.("no_price", message);
  } else if (costUsd === undefined) {
    onNotice?.("no_usage", `${endpoint.label} does not report its usage, so the cost is not known.`);
  }
  if (answer.finish === "filtered") {
    onNotice?.("content_filter", `${endpoint.label} ended an answer by its content filter.`);
  }
  return costUsd === undefined ? answer : { ...answer, costUsd };
}
