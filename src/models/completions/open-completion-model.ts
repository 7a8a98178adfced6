import { deadline } from "../../core/deadline.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { type FailedAttempt, retryNotice, withAttempts } from "../attempts.ts";
import { askWithLess, type RefusedParts, type Variant } from "../chat/ask-with-less.ts";
import { type ChatModelOptions, type Endpoint, endpointOf } from "../chat/endpoint.ts";
import { failureOf, NoModelError, timedOut } from "../chat/failure.ts";
import { KeyFilter } from "../chat/key-filter.ts";
import { listModels } from "../chat/list-models.ts";
import { noSuchModel } from "../chat/no-such-model.ts";
import { costOf, priceOf } from "../chat/prices.ts";
import {
  COMPLETION_KIND,
  type CompletionAnswer,
  type CompletionModel,
  type CompletionOptions,
  type CompletionRequest,
} from "./completion-model.ts";
import type { ReadCompletion } from "./read-completion.ts";
import { requestCompletion } from "./request-completion.ts";

export type CompletionModelOptions = Omit<ChatModelOptions, "kind" | "reasoning">;

/**
 * A model behind `BASE/completions` that takes and gives token ids: vLLM, or what speaks like it. Checks address and key
 * and asks nothing yet. Throws `invalid_argument`. The key stands in no message, record or error.
 */
export function openCompletionModel(options: CompletionModelOptions): CompletionModel {
  const endpoint = completionEndpoint(options);
  const send = options.fetch ?? fetch;
  const refused: RefusedParts = new Map();
  return {
    name: endpoint.name,
    model: endpoint.model,
    listModels: (signal) => listModels(endpoint, send, signal),
    keyFilter: (pass) => new KeyFilter(endpoint.key, pass),
    async complete(request, callOptions = {}) {
      const client: Client = { endpoint, options, send };
      const ask = async (variant: Variant): Promise<CompletionAnswer> => {
        const read = await askAgain(client, request, variant, callOptions);
        return answerOf(read, request, variant, client, callOptions);
      };
      const { label } = endpoint;
      const { maxTokens } = request;
      const scope = { maxTokens, carried: REFUSABLE, refused, label, onNotice: callOptions.onNotice };
      try {
        return await askWithLess(ask, scope);
      } catch (error) {
        if (error instanceof NoModelError) throw await noSuchModel(error, endpoint, send, callOptions.signal);
        throw error;
      }
    },
  };
}

/** What every request carries that a server could refuse. */
const REFUSABLE = ["temperature", "extra_fields"] as const;

interface Client {
  readonly endpoint: Endpoint;
  readonly options: CompletionModelOptions;
  readonly send: typeof fetch;
}

function completionEndpoint(options: CompletionModelOptions): Endpoint {
  if (options.model.trim() === "") {
    throw new WinnowError("invalid_argument", `The policy ${COMPLETION_KIND} needs the name of a model.`, {
      hint: `Write --policy ${COMPLETION_KIND}:MODEL`,
    });
  }
  const endpoint = endpointOf({ ...options, kind: "openai-compatible" });
  return { ...endpoint, name: `${COMPLETION_KIND}:${options.model}`, api: "completions" };
}

function askAgain(
  client: Client,
  request: CompletionRequest,
  variant: Variant,
  options: CompletionOptions,
): Promise<ReadCompletion> {
  const { signal, attemptsMax, onNotice } = options;
  return withAttempts(() => askOnce(client, request, variant, options), {
    effects: client.options,
    signal,
    attemptsMax,
    onRetry: retryNotice(onNotice),
  });
}

async function askOnce(
  { endpoint, send }: Client,
  request: CompletionRequest,
  { maxTokens, parts }: Variant,
  { signal, session, onStart, onIds }: CompletionOptions,
): Promise<{ readonly answer: ReadCompletion } | FailedAttempt> {
  const timer = deadline(endpoint.answerTimeoutMs);
  const either = signal === undefined ? timer : AbortSignal.any([signal, timer]);
  onStart?.();
  try {
    const answer = await requestCompletion(
      endpoint,
      { ...request, maxTokens },
      {
        send,
        parts,
        session,
        signal: either,
        onIds: (ids) => onIds?.(ids),
      },
    );
    return { answer };
  } catch (error) {
    if (signal?.aborted === true) throw toWinnowError(signal.reason);
    if (timer.aborted) return timedOut(endpoint);
    return failureOf(error, endpoint, parts);
  }
}

function answerOf(
  read: ReadCompletion,
  { prompt, stopIds, temperature, topP, seed }: CompletionRequest,
  { parts }: Variant,
  { endpoint, options }: Client,
  { onNotice }: CompletionOptions,
): CompletionAnswer {
  const { label, name } = endpoint;
  const { ids, text, stoppedBy, finish, usage, promptIds } = read;
  let { logprobs } = read;
  if (ids === undefined && text !== "") {
    const message = `${label} gives no token ids: the text of answers is encoded again, which may not give the ids that were sampled.`;
    onNotice?.("no_token_ids", message);
  }
  if (promptIds !== undefined && !equal(promptIds, prompt)) {
    logprobs = undefined;
    const message = `${label} read another prompt than it was sent (${promptIds.length} tokens, not ${prompt.length}); its log-probabilities are not kept.`;
    onNotice?.("prompt_changed", message);
  } else if (promptIds === undefined && usage.promptTokens !== undefined && usage.promptTokens !== prompt.length) {
    const message = `${label} counts ${usage.promptTokens} tokens in a prompt of ${prompt.length}: it may have cut or changed it.`;
    onNotice?.("prompt_changed", message);
  }
  const price = priceOf(options.prices ?? {}, endpoint);
  const costUsd = price === undefined ? undefined : costOf(usage, price);
  if (price === undefined) {
    const message = `No price is set for ${name}: usage is in tokens only. The setting "prices" gives dollars per million tokens.`;
    onNotice?.("no_price", message);
  } else if (costUsd === undefined) {
    onNotice?.("no_usage", `${label} does not report its usage, so the cost is not known.`);
  }
  const stop = stoppedBy !== undefined && stopIds.includes(stoppedBy) ? stoppedBy : undefined;
  return {
    text,
    finish,
    usage,
    sampling: { topP, ...(parts.has("temperature") ? { temperature } : {}), ...(seed === undefined ? {} : { seed }) },
    ...(ids === undefined ? {} : { ids }),
    ...(logprobs === undefined ? {} : { logprobs }),
    ...(stop === undefined ? {} : { stoppedBy: stop }),
    ...(costUsd === undefined ? {} : { costUsd }),
  };
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
