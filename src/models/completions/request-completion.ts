import type { Endpoint } from "../chat/endpoint.ts";
import { ANSWER_BYTES_MAX, NoStreamError, oversized } from "../chat/guarded-fetch.ts";
import { BrokenOffError, StreamFault } from "../chat/read-answer.ts";
import type { RefusablePart } from "../chat/refusals.ts";
import { sessionHeaders } from "../chat/session-header.ts";
import type { CompletionRequest } from "./completion-model.ts";
import { eventData } from "./event-lines.ts";
import { CompletionReader, type ReadCompletion } from "./read-completion.ts";

/** Bytes of a refusal that are read; the rest says nothing more. */
const REFUSAL_BYTES_MAX = 65_536;

/** The server's refusal, with the fields that errors of the AI SDK have. */
class RefusedError extends Error {
  readonly statusCode: number;
  readonly responseBody: string;
  readonly responseHeaders: Readonly<Record<string, string>>;

  constructor({ status, headers }: Response, body: string) {
    super(`Status ${status}.`);
    this.statusCode = status;
    this.responseBody = body;
    this.responseHeaders = Object.fromEntries(headers);
  }
}

/**
 * One request, streamed; an answer that comes whole is taken as well. Follows no redirect: it would take the key and the
 * texts elsewhere. Rejects with what `failureOf` understands.
 */
export async function requestCompletion(
  endpoint: Endpoint,
  request: CompletionRequest,
  scope: {
    readonly send: typeof fetch;
    /** What of the request is sent. */
    readonly parts: ReadonlySet<RefusablePart>;
    readonly session: string | undefined;
    readonly signal: AbortSignal;
    readonly onIds: (ids: readonly number[]) => void;
  },
): Promise<ReadCompletion> {
  const { base, key } = endpoint;
  const response = await scope.send(`${base.href.replace(/\/$/, "")}/completions`, {
    method: "POST",
    redirect: "error",
    signal: scope.signal,
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream, application/json",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...sessionHeaders(endpoint, scope.session),
    },
    body: JSON.stringify(bodyOf(endpoint.model, request, scope.parts)),
  });
  if (!response.ok) throw new RefusedError(response, await textUpTo(response, REFUSAL_BYTES_MAX));
  const type = response.headers.get("content-type") ?? "";
  const reader = new CompletionReader(scope.onIds);
  if (type.includes("html")) {
    await response.body?.cancel();
    throw new NoStreamError("");
  }
  if (type.includes("json")) reader.take(jsonOf(await textUpTo(response, ANSWER_BYTES_MAX + 1)));
  else for await (const data of eventData(capped(response))) reader.take(jsonOf(data));
  return reader.answer();
}

function bodyOf(model: string, request: CompletionRequest, parts: ReadonlySet<RefusablePart>) {
  const { prompt, maxTokens, stopTexts = [], temperature, topP, seed } = request;
  const plain = stopTexts.length === 0 ? {} : { stop: stopTexts };
  return {
    model,
    prompt,
    max_tokens: maxTokens,
    ...(parts.has("temperature") ? { temperature } : {}),
    top_p: topP,
    ...(seed === undefined ? {} : { seed }),
    stream: true,
    stream_options: { include_usage: true },
    logprobs: 1,
    ...(parts.has("extra_fields") ? extraFields(request) : plain),
  };
}

/**
 * The fields beside those of OpenAI's are vLLM's: ids in the answer, in two ways for its older versions, and a text that
 * can be encoded again where there are none. Most servers that do not know them leave them out of account; a new one needs
 * its name among those that `refusedField` looks for.
 */
function extraFields({ stopIds }: CompletionRequest) {
  return {
    return_token_ids: true,
    return_tokens_as_token_ids: true,
    stop_token_ids: stopIds,
    include_stop_str_in_output: true,
    skip_special_tokens: false,
    spaces_between_special_tokens: false,
  };
}

/** Throws `StreamFault` for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StreamFault(error);
  }
}

/** The body; a connection that ends before it does is a broken answer, not a server out of reach. */
async function* bodyParts({ body }: Response): AsyncGenerator<Uint8Array> {
  try {
    // Leaving the loop early cancels the body, and with it the connection.
    for await (const part of body ?? []) yield part;
  } catch (cause) {
    throw new BrokenOffError("The answer broke off.", { cause });
  }
}

async function* capped(response: Response): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of bodyParts(response)) {
    bytes += part.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw oversized(`${ANSWER_BYTES_MAX} bytes`);
    yield part;
  }
}

async function textUpTo(response: Response, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of bodyParts(response)) {
    parts.push(part.subarray(0, bytesMax - bytes));
    bytes += part.byteLength;
    if (bytes >= bytesMax) break;
  }
  if (bytes > ANSWER_BYTES_MAX) throw oversized(`${ANSWER_BYTES_MAX} bytes`);
  return Buffer.concat(parts).toString("utf8");
}
