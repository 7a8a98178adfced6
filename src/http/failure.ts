import { ERROR_CODES, WinnowError } from "../core/errors.ts";
import { stripControl } from "../core/text.ts";

/** What a caller that is refused for now is told to wait before it asks again, seconds. */
const RETRY_AFTER_SECONDS = 5;
/** From here on a status says that the server is at fault. */
const SERVER_FAULT = 500;
/** Those whose reason callers may know. */
const SPOKEN = new Set(["policy_unavailable", "policy_failed", "embedder_failed", "rerank_failed", "unavailable"]);

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

export function statusOf({ code }: WinnowError): number {
  return ERROR_CODES[code].http;
}

/** What a caller is told. A fault of the server's own is named by its code alone: its words may tell of places and parts. */
export function errorBody(error: WinnowError): ErrorBody {
  const { code, hint } = error;
  if (isOwnFault(error)) {
    return { error: { code, message: ERROR_CODES[code].when, hint: "The server's log says more." } };
  }
  const message = stripControl(error.message);
  return { error: { code, message, ...(hint === undefined ? {} : { hint: stripControl(hint) }) } };
}

/** Whether the operator should be told of an error. */
export function isOwnFault(error: WinnowError): boolean {
  return statusOf(error) === SERVER_FAULT || (statusOf(error) > SERVER_FAULT && !SPOKEN.has(error.code));
}

export function errorHeaders(error: WinnowError): Record<string, string> {
  const status = statusOf(error);
  if (status === 401) return { "www-authenticate": "Bearer" };
  if (status === 429 || status === 503) return { "retry-after": String(RETRY_AFTER_SECONDS) };
  return {};
}

export function closing(): WinnowError {
  return new WinnowError("unavailable", "This server is shutting down.", {
    hint: "Try again when it has been started anew.",
    retryable: true,
  });
}
