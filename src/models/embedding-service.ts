import { deadline } from "../core/deadline.ts";
import { type ErrorCode, toWinnowError, WinnowError, type WinnowErrorOptions } from "../core/errors.ts";
import { type FailedAttempt, isTransientStatus, retryAfterMs, type ServiceEffects, withAttempts } from "./attempts.ts";
import { messageOf } from "./service-message.ts";

export const ATTEMPT_TIMEOUT_MS = 60_000;
export const RESPONSE_BYTES_MAX = 64 * 2 ** 20;

export interface ServiceOptions {
  /** What to call the service in messages, e.g. `Ollama`. */
  readonly label: string;
  /** Address of the request, http or https, without user or password. */
  readonly url: URL;
  /** Value of the key; sent as a bearer token and removed from every message. */
  readonly key?: string | undefined;
  /** Name of the variable that the key came from or should come from, for hints. */
  readonly keyVariable?: string | undefined;
  readonly attemptTimeoutMs: number;
  /** What a failure of the service is called, default `embedder_failed`. */
  readonly failure?: ErrorCode;
  readonly effects: ServiceEffects;
}

/**
 * Posts JSON and returns what `read` makes of the parsed answer; `read` throws `WinnowError` for an answer of the wrong
 * shape. Refusals for load, faults of the server, broken connections and unreadable answers are tried again with growing
 * pauses and jitter, or after the pause that the server asks for. Rejects with `cancelled`, `timeout` or the service's code.
 */
export function postJson<T>(
  options: ServiceOptions,
  body: unknown,
  read: (answer: unknown) => T,
  signal?: AbortSignal,
): Promise<T> {
  const payload = JSON.stringify(body);
  return withAttempts(() => attemptOnce(options, payload, read, signal), { effects: options.effects, signal });
}

async function attemptOnce<T>(
  options: ServiceOptions,
  payload: string,
  read: (answer: unknown) => T,
  signal: AbortSignal | undefined,
): Promise<{ readonly answer: T } | FailedAttempt> {
  const timer = deadline(options.attemptTimeoutMs);
  const either = signal === undefined ? timer : AbortSignal.any([signal, timer]);
  const { fetch: send = fetch } = options.effects;
  try {
    const response = await send(options.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
      },
      body: payload,
      // A redirect would take the key and the texts somewhere that nobody named.
      redirect: "error",
      signal: either,
    });
    const text = await readCapped(response, options);
    if (!response.ok) return refused(options, response, text);
    return { answer: read(parse(text, options)) };
  } catch (error) {
    if (signal?.aborted === true) throw toWinnowError(signal.reason);
    if (timer.aborted) return timedOut(options);
    if (WinnowError.isInstance(error)) return { error, transient: error.retryable };
    return unreachable(options, error);
  }
}

async function readCapped(response: Response, { label, failure }: ServiceOptions): Promise<string> {
  if (response.body === null) return "";
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.byteLength;
    if (bytes > RESPONSE_BYTES_MAX) {
      throw failed(failure, `${label} answered with more than ${RESPONSE_BYTES_MAX} bytes.`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function failed(code: ErrorCode | undefined, message: string, options: WinnowErrorOptions = {}): WinnowError {
  return new WinnowError(code ?? "embedder_failed", message, options);
}

function parse(text: string, { label, failure }: ServiceOptions): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const what = text.trimStart().startsWith("<") ? "a page instead of JSON" : "JSON that cannot be read";
    throw failed(failure, `${label} answered with ${what}.`, {
      hint: "Check the base URL; for an OpenAI-compatible service it usually ends in /v1.",
      retryable: true,
      cause,
    });
  }
}

function timedOut({ label, attemptTimeoutMs }: ServiceOptions): FailedAttempt {
  const error = new WinnowError("timeout", `${label} did not answer within ${attemptTimeoutMs} ms.`, {
    retryable: true,
  });
  return { error, transient: true };
}

function unreachable({ label, url, failure }: ServiceOptions, cause: unknown): FailedAttempt {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const code = typeof inner === "object" && inner !== null && "code" in inner ? String(inner.code) : "";
  const redirected = inner instanceof Error && inner.message.includes("redirect");
  const reason = redirected ? "it redirects elsewhere" : code || "the connection broke";
  const error = failed(failure, `${label} cannot be reached at ${url.origin}: ${reason}.`, {
    hint: redirected
      ? "Give the address that it redirects to."
      : "Check that the service runs and that the base URL is right.",
    retryable: !redirected,
    cause,
  });
  return { error, transient: !redirected };
}

function refused(options: ServiceOptions, response: Response, text: string): FailedAttempt {
  const { status } = response;
  const transient = isTransientStatus(status);
  const said = messageOf(text, options.key);
  const message = `${options.label} refused the request with status ${status}${said === "" ? "." : `: ${said}`}`;
  const hint = hintFor(status, options);
  const error = failed(options.failure, message, {
    retryable: transient,
    ...(hint === undefined ? {} : { hint }),
  });
  return { error, transient, waitMs: transient ? retryAfterMs(response.headers.get("retry-after")) : undefined };
}

function hintFor(status: number, { keyVariable }: ServiceOptions): string | undefined {
  if (status === 401 || status === 403) {
    return keyVariable === undefined
      ? "Name the environment variable that holds the key."
      : `Check the key in the environment variable ${keyVariable}.`;
  }
  if (status === 404) return "Check the base URL and the name of the model.";
  if (status === 429) return "Wait, or ask the service for a higher limit.";
  return undefined;
}
