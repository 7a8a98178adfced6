import { type FailedAttempt, type ServiceEffects, withAttempts } from "../../core/attempts.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import type { ObjectAddress } from "../../core/object-address.ts";
import type { ObjectAccess } from "./access.ts";
import { type IdleLimit, idleLimit } from "./idle-limit.ts";
import { REFUSAL_BYTES_MAX, refused } from "./refusal.ts";
import { EMPTY_SHA256, encodePart, signedHeaders } from "./sign.ts";

/** A request may take as long as it needs, but nothing may stand still for so long. */
const IDLE_MS = 30_000;

export interface ObjectRequestsOptions {
  readonly address: ObjectAddress;
  readonly access: ObjectAccess;
  readonly effects?: ServiceEffects;
  readonly idleMs?: number;
  readonly now?: () => number;
}

export interface Call {
  readonly signal?: AbortSignal | undefined;
  /** Default that of every client. */
  readonly attemptsMax?: number | undefined;
}

export interface ObjectRequest extends Call {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Behind the prefix of the address; undefined asks the bucket. */
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  /** Lower-case names; asked for again by each attempt. */
  readonly headers?: () => Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
  /** SHA-256 of the body, in hex. */
  readonly sha256?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** In parts; ends with an error where the connection breaks or stands still. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What the caller makes of an answer; a failure of its own may be worth another attempt. */
export type Take<T> = (answer: Answer, attempt: number) => Promise<{ readonly answer: T } | FailedAttempt>;

/**
 * Requests to one place on an S3-compatible server, signed; each with limits on standstill, bounded retries with jitter
 * that honour Retry-After, and a signal. Rejects with `WinnowError` only: `store_failed`, `corpus_not_found` for a bucket
 * that is not there, `timeout`, `cancelled`.
 */
export class ObjectRequests {
  readonly address: ObjectAddress;
  /** The server, as messages name it. */
  readonly where: string;
  /** Where its objects lie, whatever the address means elsewhere. */
  readonly identity: string;
  readonly #base: URL;
  readonly #access: ObjectAccess;
  readonly #effects: ServiceEffects;
  readonly #idleMs: number;
  readonly #now: () => number;

  constructor({ address, access, effects = {}, idleMs = IDLE_MS, now = Date.now }: ObjectRequestsOptions) {
    this.address = address;
    this.#access = access;
    this.#effects = effects;
    this.#idleMs = idleMs;
    this.#now = now;
    this.#base = bucketAddress(address.bucket, access);
    this.where = this.#base.origin;
    this.identity = `${this.#base.href.replace(/\/$/, "")}/${address.prefix}`;
  }

  /** Sends until an attempt succeeds. Statuses in `expected` are given to `take`; all others are refusals. */
  send<T>(request: ObjectRequest, expected: readonly number[], take: Take<T>): Promise<T> {
    const { signal, attemptsMax } = request;
    return withAttempts((attempt) => this.#attempt(request, expected, (answer) => take(answer, attempt)), {
      effects: this.#effects,
      signal,
      attemptsMax,
    });
  }

  async #attempt<T>(
    request: ObjectRequest,
    expected: readonly number[],
    take: (answer: Answer) => ReturnType<Take<T>>,
  ): Promise<{ readonly answer: T } | FailedAttempt> {
    const { signal } = request;
    const limit = idleLimit(this.#idleMs, signal);
    try {
      const response = await this.#fetch(request, limit);
      limit.progress();
      const body = progressing(response, limit);
      if (expected.includes(response.status)) {
        const { status, headers } = response;
        return await take({ status, headers, body });
      }
      const text = (await readUpTo(body, REFUSAL_BYTES_MAX)).toString("utf8");
      const place = { bucket: this.address.bucket, where: this.where };
      return refused({ status: response.status, headers: response.headers, text }, place, this.#access);
    } catch (error) {
      if (signal?.aborted === true) throw toWinnowError(signal.reason);
      if (limit.isOver) return this.#stoodStill();
      if (WinnowError.isInstance(error)) throw error;
      return this.#unreachable(error);
    } finally {
      limit.end();
    }
  }

  #fetch(request: ObjectRequest, limit: IdleLimit): Promise<Response> {
    const { method, headers = () => ({}), body, sha256 = EMPTY_SHA256 } = request;
    const { fetch: send = fetch } = this.#effects;
    const url = this.#urlOf(request);
    const { host, ...signed } = signedHeaders({ method, url, headers: headers(), sha256 }, this.#access, this.#now());
    return send(url, {
      method,
      headers: signed,
      ...(body === undefined ? {} : { body }),
      // A redirect names the region of the bucket; followed, it would not be signed for where it leads.
      redirect: "manual",
      signal: limit.signal,
    });
  }

  #urlOf({ key, query = {} }: ObjectRequest): URL {
    const url = new URL(this.#base);
    if (key !== undefined) {
      const parts = [this.address.prefix, key].filter((part) => part !== "");
      const path = parts.join("/").split("/").map(encodePart).join("/");
      url.pathname = `${url.pathname.replace(/\/$/, "")}/${path}`;
    }
    url.search = Object.entries(query)
      .map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`)
      .join("&");
    return url;
  }

  #stoodStill(): FailedAttempt {
    const error = new WinnowError("timeout", `${this.where} did not answer within ${this.#idleMs} ms.`, {
      hint: "The object store is slow or down: try again later.",
      retryable: true,
    });
    return { error, transient: true };
  }

  #unreachable(cause: unknown): FailedAttempt {
    const inner = cause instanceof Error ? cause.cause : undefined;
    const code = typeof inner === "object" && inner !== null && "code" in inner ? String(inner.code) : "";
    const error = new WinnowError(
      "store_failed",
      `${this.where} cannot be reached: ${code || "the connection broke"}.`,
      { hint: "Is the object store up, and AWS_ENDPOINT_URL right?", retryable: true, cause },
    );
    return { error, transient: true };
  }
}

/**
 * Where a bucket is: below the endpoint's path where there is one; else at a name of its own on AWS, unless dots in it
 * would keep it from having a certificate.
 */
function bucketAddress(bucket: string, { endpoint, region }: ObjectAccess): URL {
  if (endpoint !== undefined) return new URL(`${endpoint.href.replace(/\/+$/, "")}/${bucket}`);
  const host = `s3.${region}.amazonaws.com`;
  return bucket.includes(".") ? new URL(`https://${host}/${bucket}`) : new URL(`https://${bucket}.${host}/`);
}

async function* progressing(response: Response, limit: IdleLimit): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  for await (const part of response.body) {
    limit.progress();
    yield part;
  }
}

/** The beginning of a body. What follows is not read. */
async function readUpTo(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(parts).subarray(0, bytesMax);
}

/** A whole body; rejects with `limit_exceeded` where it is larger than `bytesMax`. */
export async function readWhole(body: AsyncIterable<Uint8Array>, bytesMax: number, what: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.byteLength;
    if (bytes > bytesMax) throw new WinnowError("limit_exceeded", `${what} is larger than ${bytesMax} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
