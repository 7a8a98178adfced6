import { deadline } from "../../core/deadline.ts";
import { toWinnowError } from "../../core/errors.ts";
import { type FailedAttempt, retryNotice, withAttempts } from "../attempts.ts";
import { withoutKey } from "../service-message.ts";
import { askWithLess, type RefusedParts, type Variant } from "./ask-with-less.ts";
import type { ChatAnswer, ChatModel, ChatOptions, ChatRequest } from "./chat-model.ts";
import { type ChatModelOptions, type Endpoint, endpointOf } from "./endpoint.ts";
import { failureOf, NoModelError, timedOut } from "./failure.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { KeyFilter, secretOf } from "./key-filter.ts";
import { listModels } from "./list-models.ts";
import { noSuchModel } from "./no-such-model.ts";
import { costOf, priceOf } from "./prices.ts";
import { readAnswer } from "./read-answer.ts";
import type { SdkModel } from "./sdk-model.ts";
import { refusableParts, sdkCall } from "./sdk-prompt.ts";
import { sessionHeaders } from "./session-header.ts";

/**
 * A chat model behind the wire format of OpenAI (vLLM, Ollama, llama.cpp, LM Studio, hosted services) or Anthropic, on
 * the AI SDK. Checks address and key, asks nothing yet, and loads the SDK with the first request. Throws
 * `invalid_argument`. The key stands in no message, record or error.
 */
export function openChatModel(options: ChatModelOptions): ChatModel {
  const endpoint = endpointOf(options);
  const send = options.fetch ?? fetch;
  let loaded: Promise<SdkModel> | undefined;
  const refused: RefusedParts = new Map();
  return {
    name: endpoint.name,
    model: endpoint.model,
    listModels: (signal) => listModels(endpoint, send, signal),
    async complete(request, callOptions = {}) {
      const ask = async (variant: Variant): Promise<ChatAnswer> => {
        loaded ??= import("./sdk-model.ts").then(({ openSdkModel }) => openSdkModel(endpoint, guardedFetch(send)));
        return askAgain({ model: await loaded, endpoint, options }, request, variant, callOptions);
      };
      const { onNotice } = callOptions;
      const scope = { carried: refusableParts(request), refused, label: endpoint.label, onNotice };
      try {
        const answer = await askWithLess(ask, { ...scope, maxTokens: request.maxTokens });
        return withCost(answer, options, endpoint, callOptions);
      } catch (error) {
        if (error instanceof NoModelError) throw await noSuchModel(error, endpoint, send, callOptions.signal);
        throw error;
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
  { maxTokens, parts }: Variant,
  { signal, session, onDelta, onNotice }: ChatOptions,
): Promise<{ readonly answer: ChatAnswer } | FailedAttempt> {
  const { key, kind } = endpoint;
  const timer = deadline(endpoint.answerTimeoutMs);
  const either = signal === undefined ? timer : AbortSignal.any([signal, timer]);
  const filters = {
    reasoning: new KeyFilter(key, (text) => onDelta?.("reasoning", text)),
    text: new KeyFilter(key, (text) => onDelta?.("text", text)),
  };
  try {
    const call = sdkCall(request, maxTokens, {
      kind,
      model: endpoint.model,
      parts,
      reasoning: options.reasoning,
    });
    const { stream, request: sent } = await model.doStream({
      ...call,
      headers: sessionHeaders(endpoint, session),
      abortSignal: either,
    });
    const sampling = sentSampling(sent?.body);
    const answer = { ...(await readAnswer(stream, (part, delta) => filters[part].push(delta))), ...sampling };
    if (call.temperature !== undefined) tellTemperature(call.temperature, answer, endpoint, onNotice);
    filters.reasoning.end();
    filters.text.end();
    return { answer: withoutSecret(answer, secretOf(key)) };
  } catch (error) {
    if (signal?.aborted === true) throw toWinnowError(signal.reason);
    if (timer.aborted) return timedOut(endpoint);
    return failureOf(error, endpoint, parts);
  }
}

/** From the body itself: the SDK leaves out or changes what it knows a model not to take. */
function sentSampling(body: unknown): Pick<ChatAnswer, "sampling"> {
  const { temperature, seed } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const sampling = {
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof seed === "number" ? { seed } : {}),
  };
  return Object.keys(sampling).length === 0 ? {} : { sampling };
}

function tellTemperature(
  wanted: number,
  { sampling }: ChatAnswer,
  { label, model }: Endpoint,
  onNotice: ChatOptions["onNotice"],
): void {
  const sent = sampling?.temperature;
  if (sent === wanted) return;
  const instead = sent === undefined ? "it is left out, and the server's own holds" : `${sent} is sent instead`;
  onNotice?.("temperature_refused", `${label} takes no temperature of ${wanted} with ${model}; ${instead}.`);
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
