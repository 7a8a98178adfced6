import {
  type FailedAttempt,
  isTransientStatus,
  retryAfterMs,
  type ServiceEffects,
  withAttempts,
} from "../../core/attempts.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { nestsDeeper } from "../../core/json-depth.ts";
import { cleanMessage } from "../../core/service-message.ts";
import { spokenTime, type TimeLimit, timeLimit } from "../../core/time-limit.ts";

/** How long a call may take, the waiting for its turn, headers and body included. */
interface CallLimits {
  /** One attempt. */
  readonly attemptMs: number;
  /** All attempts and the pauses between them. */
  readonly totalMs: number;
  /** Attempts after which a server that does not answer in time is given up. */
  readonly timeoutsMax: number;
}

/** Limits of the kinds of calls. */
export const CALL_LIMITS = {
  /** What says little: a version, a count, a collection, a few records. */
  small: { attemptMs: 10_000, totalMs: 30_000, timeoutsMax: 1 },
  /** Somebody waits for it, and words are found without it. */
  query: { attemptMs: 10_000, totalMs: 10_000, timeoutsMax: 1 },
  /** A page of records: a busy server takes seconds for one. */
  page: { attemptMs: 60_000, totalMs: 240_000, timeoutsMax: 2 },
  /** Records to write, of which servers index some thousands at once. */
  write: { attemptMs: 60_000, totalMs: 240_000, timeoutsMax: 2 },
} as const satisfies Readonly<Record<string, CallLimits>>;
export type CallKind = keyof typeof CALL_LIMITS;
/** Bytes of one answer. Pages are asked for in sizes that stay far below. */
const ANSWER_BYTES_MAX = 256 * 2 ** 20;
/** Arrays and objects in one another. Answers have lists of lists of metadata, whose values may be lists again. */
const ANSWER_DEPTH_MAX = 32;
/** Calls under way at once; Cloud takes ten reads of a collection. */
const CALLS_MAX = 8;
const API = "/api/v2";

export interface WireOptions {
  readonly url: URL;
  /** Sent as `x-chroma-token`, and removed from every message. */
  readonly apiKey?: string | undefined;
  /** Time of one attempt at most, whatever its kind; the total goes down with it. Default `CALL_LIMITS`. */
  readonly callTimeoutMs?: number;
  readonly attemptsMax?: number | undefined;
  readonly effects?: ServiceEffects;
}

export interface WireCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v2`, encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** How long it may take, default `small`. */
  readonly kind?: CallKind;
  readonly signal?: AbortSignal | undefined;
  /** Overrides the wire's, e.g. 1 for a first contact. */
  readonly attemptsMax?: number;
  /** Answers with one of these are no refusals: the call resolves with undefined. */
  readonly absentStatuses?: readonly number[];
}

/**
 * Chroma's HTTP interface: JSON there and back. Every call has a time limit, see `CALL_LIMITS`; within it refusals for
 * load, faults of the server and broken connections are tried again with growing pauses and jitter, or after the pause
 * that the server asks for.
 * Rejects with `timeout`, `cancelled`, `corpus_not_found` (404), `limit_exceeded` (quota, size) or `store_failed`.
 *
 * Written here rather than taken from the official client: that one gives no call a signal, hides the pause that a
 * server asks for, and imports a package whose name the server chooses.
 */
export class ChromaWire {
  readonly #options: WireOptions;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  get origin(): string {
    return `${this.#options.url.origin}${this.#options.url.pathname.replace(/\/$/, "")}`;
  }

  async call(call: WireCall): Promise<unknown> {
    const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
    const limits = this.#limitsOf(call.kind ?? "small");
    const total = timeLimit(limits.totalMs, () => this.#overdue(limits.totalMs), call.signal);
    try {
      await this.#enter(total.signal);
      try {
        return await withAttempts((attempt) => this.#attempt(call, payload, limits, total, attempt), {
          effects: this.#options.effects ?? {},
          signal: total.signal,
          attemptsMax: call.attemptsMax ?? this.#options.attemptsMax,
          leftMs: total.leftMs,
        });
      } finally {
        this.#underWay--;
        this.#waiting.shift()?.();
      }
    } finally {
      total.end();
    }
  }

  #limitsOf(kind: CallKind): CallLimits {
    const limits: CallLimits = CALL_LIMITS[kind];
    const attemptMs = Math.min(limits.attemptMs, this.#options.callTimeoutMs ?? limits.attemptMs);
    return { ...limits, attemptMs, totalMs: limits.totalMs * (attemptMs / limits.attemptMs) };
  }

  async #enter(signal: AbortSignal): Promise<void> {
    while (this.#underWay >= CALLS_MAX) await this.#turn(signal);
    this.#underWay++;
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(toWinnowError(signal.reason));
      };
      const take = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      if (signal.aborted) return reject(toWinnowError(signal.reason));
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(take);
    });
  }

  async #attempt(
    call: WireCall,
    payload: string | undefined,
    { attemptMs, timeoutsMax }: CallLimits,
    total: TimeLimit,
    attempt: number,
  ): Promise<{ readonly answer: unknown } | FailedAttempt> {
    const limit = timeLimit(attemptMs, () => this.#overdue(attemptMs, attempt), total.signal);
    try {
      const response = await limit.within(this.#send(call, payload, limit.signal));
      const text = await readCapped(response, limit);
      if (call.absentStatuses?.includes(response.status) === true) return { answer: undefined };
      return response.ok ? { answer: parse(text) } : this.#refused(response, text);
    } catch (error) {
      // Whoever called, or the time for all attempts: nothing to be tried again.
      if (total.error !== undefined) throw total.error;
      if (limit.error !== undefined) return { error: limit.error, transient: true, attemptsMax: timeoutsMax };
      if (WinnowError.isInstance(error)) return { error, transient: error.retryable };
      return this.#unreachable(error);
    } finally {
      limit.end();
    }
  }

  #send(call: WireCall, payload: string | undefined, signal: AbortSignal): Promise<Response> {
    const { effects, apiKey } = this.#options;
    const { fetch: send = fetch } = effects ?? {};
    return send(`${this.origin}${API}${call.path}`, {
      method: call.method,
      headers: {
        accept: "application/json",
        ...(payload === undefined ? {} : { "content-type": "application/json" }),
        ...(apiKey === undefined ? {} : { "x-chroma-token": apiKey }),
      },
      ...(payload === undefined ? {} : { body: payload }),
      // A redirect would take the key and the questions somewhere that nobody named.
      redirect: "error",
      signal,
    });
  }

  #overdue(ms: number, attempts = 1): WinnowError {
    const tried = attempts === 1 ? "" : `, tried ${attempts} times`;
    const message = `The Chroma server at ${this.origin} did not answer in full within ${spokenTime(ms)}${tried}.`;
    return new WinnowError("timeout", message, { retryable: true });
  }

  #unreachable(cause: unknown): FailedAttempt {
    const inner = cause instanceof Error ? cause.cause : undefined;
    const code = typeof inner === "object" && inner !== null && "code" in inner ? String(inner.code) : "";
    const redirected = inner instanceof Error && inner.message.includes("redirect");
    const reason = redirected ? "it redirects elsewhere" : code || "the connection broke";
    const error = new WinnowError("store_failed", `The Chroma server at ${this.origin} cannot be reached: ${reason}.`, {
      hint: redirected ? "Give the address that it redirects to." : "Check that it runs and that the address is right.",
      retryable: !redirected,
      cause,
    });
    return { error, transient: !redirected };
  }

  #refused(response: Response, text: string): FailedAttempt {
    const { status } = response;
    const said = cleanMessage(spoken(text), this.#options.apiKey);
    // A quota stays used up: Cloud says so with 422, which no other refusal of a whole request has.
    const quota = /\b(quota|billing limit)\b/i.test(said);
    const transient = isTransientStatus(status) && !quota;
    const code = status === 404 ? "corpus_not_found" : quota || status === 413 ? "limit_exceeded" : "store_failed";
    const sentence = `Chroma refused the request with status ${status}${said === "" ? "." : `: ${said}`}`;
    const hint = hintFor(status, quota);
    const error = new WinnowError(code, sentence, { retryable: transient, ...(hint === undefined ? {} : { hint }) });
    return { error, transient, waitMs: transient ? retryAfterMs(response.headers.get("retry-after")) : undefined };
  }
}

function hintFor(status: number, quota: boolean): string | undefined {
  if (quota) return "Ask for a higher quota, or search fewer documents at once.";
  if (status === 401 || status === 403) return "Name the environment variable that holds the key with --api-key-env.";
  if (status === 404) return "Check the address, the tenant, the database and the name of the collection.";
  if (status === 410) return "The server is too old for this interface: it has to be Chroma 1.0 or newer.";
  if (status === 429) return "Wait, or ask for a higher limit.";
  return undefined;
}

/** Chroma names the kind of a refusal in `error` and says what is wrong in `message`. */
function spoken(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    const said = typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "message") : undefined;
    return typeof said === "string" ? said : text;
  } catch {
    return text;
  }
}

/** What the answer says, read until the limit of time or of size. */
async function readCapped(response: Response, limit: TimeLimit): Promise<string> {
  if (response.body === null) return "";
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await limit.within(reader.read());
      if (done) return Buffer.concat(parts).toString("utf8");
      bytes += value.byteLength;
      if (bytes > ANSWER_BYTES_MAX) {
        throw new WinnowError("limit_exceeded", `Chroma answered with more than ${ANSWER_BYTES_MAX} bytes.`);
      }
      parts.push(value);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function parse(text: string): unknown {
  if (text === "") return null;
  const parsed = parseJson(text);
  if (nestsDeeper(parsed, ANSWER_DEPTH_MAX)) throw notChroma("it sends lists in lists without end");
  return parsed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notChroma("it sends no JSON", cause);
  }
}

function notChroma(why: string, cause?: unknown): WinnowError {
  return new WinnowError("store_failed", `What answers there is not a Chroma server: ${why}.`, {
    hint: "Check the address.",
    cause,
  });
}
