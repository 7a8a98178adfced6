import { WinnowError } from "../../core/errors.ts";
import { type FailedAttempt, isTransientStatus, retryAfterMs } from "../attempts.ts";
import { cleanMessage, messageOf } from "../service-message.ts";
import { PromptTooLongError } from "./chat-model.ts";
import type { Endpoint } from "./endpoint.ts";
import { NoStreamError } from "./guarded-fetch.ts";
import { BrokenOffError, StreamFault } from "./read-answer.ts";
import { type RefusablePart, type Refusal, refusalKind, refusedField, refusesReasoning } from "./refusals.ts";

/** Attempts for failures that took long or are unlikely to pass. */
const SECOND_CHANCE = 2;
const CAUSES_MAX = 8;

/** The server refused a part of the request that it can be asked without. */
export class PartRefusedError extends Error {
  override readonly name = "PartRefusedError";
  readonly part: RefusablePart;

  constructor(part: RefusablePart, message: string) {
    super(message);
    this.part = part;
  }
}

/** The server has no model of that name. */
export class NoModelError extends Error {
  override readonly name = "NoModelError";
}

/**
 * What an error of one attempt means. Throws `PromptTooLongError`, `NoModelError` or, where the request had the refused
 * one of the parts in `sent`, `PartRefusedError`. No error of the SDK leaves this folder: they hold the whole request.
 */
export function failureOf(error: unknown, endpoint: Endpoint, sent: ReadonlySet<RefusablePart>): FailedAttempt {
  const chain = causesOf(error);
  for (const one of chain) {
    if (WinnowError.isInstance(one)) return { error: one, transient: false };
    if (one instanceof BrokenOffError || isTornBody(one)) return brokenOff(endpoint);
    if (one instanceof NoStreamError) return noStream(one, endpoint);
    if (one instanceof StreamFault) return streamFault(one.fault, endpoint);
  }
  for (const one of chain) {
    const status = field(one, "statusCode");
    if (typeof status !== "number" || status < 400) continue;
    return refused(one, status, endpoint, sent);
  }
  return unreachable(chain, endpoint);
}

export function timedOut({ label, answerTimeoutMs }: Endpoint): FailedAttempt {
  const message = `${label} did not finish its answer within ${answerTimeoutMs / 1000} s.`;
  const hint = "Set requestSeconds in the configuration to wait longer, or use a faster model.";
  return { error: new WinnowError("timeout", message, { hint }), transient: true, attemptsMax: SECOND_CHANCE };
}

function refused(error: unknown, status: number, endpoint: Endpoint, sent: ReadonlySet<RefusablePart>): FailedAttempt {
  const body = field(error, "responseBody");
  const text = typeof body === "string" ? body : "";
  const said = messageOf(text, endpoint.key);
  const refusal: Refusal = { status, said, code: codeOf(text) };
  const part = refusedField(refusal, sent);
  if (part !== undefined) throw new PartRefusedError(part, refusalMessage(refusal, endpoint));
  const headers = field(error, "responseHeaders");
  const waitMs = retryAfterMs(textOf(field(headers, "retry-after")) ?? null);
  const failed = failureOfRefusal(refusal, endpoint, waitMs);
  if (sent.has("reasoning") && refusesReasoning(refusal)) throw new PartRefusedError("reasoning", failed.error.message);
  return failed;
}

function refusalMessage({ status, said }: Refusal, { label }: Endpoint): string {
  const what =
    status === undefined ? `${label} ended its answer with an error` : `${label} refused with status ${status}`;
  return said === "" ? `${what}.` : `${what}: ${said}`;
}

function failureOfRefusal(refusal: Refusal, endpoint: Endpoint, waitMs?: number): FailedAttempt {
  const { label, model, base, keyVariable } = endpoint;
  const { status, said } = refusal;
  const words = said === "" ? "." : `: ${said}`;
  const whole = refusalMessage(refusal, endpoint);
  const final = (message: string, hint: string): FailedAttempt => ({
    error: new WinnowError("policy_unavailable", message, { hint }),
    transient: false,
  });
  switch (refusalKind(refusal)) {
    case "too_long":
      throw new PromptTooLongError(`${label} refused the prompt as too long${words}`);
    case "no_model":
      throw new NoModelError(said);
    case "no_tools":
      return final(
        `${model} cannot call tools at ${base.origin}${words}`,
        "Choose a model that calls tools, or switch them on in the server (vLLM: --enable-auto-tool-choice --tool-call-parser NAME; llama.cpp: --jinja).",
      );
    case "no_key":
      return final(
        whole,
        keyVariable === undefined
          ? "Name the environment variable that holds the key with --api-key-env."
          : `Check the key in the environment variable ${keyVariable}.`,
      );
    case "no_money":
      return final(whole, "Add credit to the account, or use another model.");
    case "other":
      break;
  }
  if (status === 404 || status === 405) {
    return final(
      whole,
      `Check the base URL: ${base.origin}${base.pathname} has no ${endpoint.api ?? "chat completions"}.`,
    );
  }
  if (status !== undefined && !isTransientStatus(status)) {
    return { error: new WinnowError("policy_failed", whole), transient: false };
  }
  const hint = status === 429 ? "Wait, or ask the service for a higher limit." : "Look at the server's own messages.";
  return { error: new WinnowError("policy_unavailable", whole, { hint }), transient: true, waitMs };
}

/** An error that came where a piece of the answer was due: the server's own, or something that is not its format. */
function streamFault(fault: unknown, endpoint: Endpoint): FailedAttempt {
  if (field(fault, "name") === "AI_InvalidResponseDataError" && field(fault, "data") === undefined) {
    return brokenOff(endpoint);
  }
  if (fault instanceof Error) {
    // The SDK could not read a line; where that line is an error in another shape, its words are what matters.
    const value = field(fault, "value");
    const body = field(value, "error") === undefined ? undefined : JSON.stringify(value);
    if (body !== undefined) return failureOfRefusal(inStream(body, endpoint), endpoint);
    const message = `${endpoint.label} sent something that is not a piece of an answer.`;
    const hint = "Check the base URL; for an OpenAI-compatible server it usually ends in /v1.";
    return { error: new WinnowError("policy_failed", message, { hint }), transient: true, attemptsMax: SECOND_CHANCE };
  }
  return failureOfRefusal(inStream(JSON.stringify({ error: fault }), endpoint), endpoint);
}

function inStream(body: string, endpoint: Endpoint): Refusal {
  return { status: undefined, said: messageOf(body, endpoint.key), code: codeOf(body) };
}

function brokenOff({ label }: Endpoint): FailedAttempt {
  const message = `${label} broke off its answer before the end.`;
  const hint = "Look at the server's own messages: it may have run out of memory.";
  return { error: new WinnowError("policy_failed", message, { hint }), transient: true };
}

function noStream({ body }: NoStreamError, endpoint: Endpoint): FailedAttempt {
  if (body !== "" && field(parse(body), "error") !== undefined) {
    return failureOfRefusal(inStream(body, endpoint), endpoint);
  }
  const what = body === "" ? "a page" : "plain JSON";
  const message = `${endpoint.label} answered with ${what} where a stream of events was asked for.`;
  const hint = "Check the base URL; for an OpenAI-compatible server it usually ends in /v1.";
  return { error: new WinnowError("policy_unavailable", message, { hint }), transient: false };
}

function unreachable(chain: readonly unknown[], { label, base, key }: Endpoint): FailedAttempt {
  const code = chain.map((one) => textOf(field(one, "code"))).find((one) => one !== undefined && /^[A-Z_]+$/.test(one));
  const redirected = chain.some((one) => one instanceof Error && one.message.includes("redirect"));
  const reason = redirected ? "it redirects elsewhere" : cleanMessage(code ?? "the connection broke", key);
  const error = new WinnowError("policy_unavailable", `${label} cannot be reached at ${base.origin}: ${reason}.`, {
    hint: redirected
      ? "Give the address that it redirects to."
      : "Check that the server runs and that the base URL is right.",
  });
  return { error, transient: !redirected };
}

/** What Node's `fetch` says of a connection that ends inside a body: the server was reached, and went away. */
function isTornBody(error: unknown): boolean {
  return error instanceof TypeError && error.message === "terminated";
}

/** The error and what caused it, outermost first. */
function causesOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one !== undefined && one !== null && chain.length < CAUSES_MAX; one = field(one, "cause")) {
    chain.push(one);
  }
  return chain;
}

/** `code` and `type` of an error's body, which say more than its words. */
function codeOf(text: string): string {
  const parsed = parse(text);
  const error = field(parsed, "error") ?? parsed;
  return [field(error, "code"), field(error, "type")].filter((one) => typeof one === "string").join(" ");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
