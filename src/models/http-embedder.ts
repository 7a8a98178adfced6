import { createHash } from "node:crypto";
import { WinnowError } from "../core/errors.ts";
import { truncate } from "../core/text.ts";
import type { ServiceEffects } from "./attempts.ts";
import { type Embedder, type EmbedKind, normalize } from "./embedder.ts";
import { ATTEMPT_TIMEOUT_MS, postJson, type ServiceOptions } from "./embedding-service.ts";
import { serviceKey } from "./service-access.ts";

/** Texts in one request. */
export const BATCH_TEXTS_MAX = 64;
/** Units of text in one request, together. */
export const BATCH_UNITS_MAX = 128_000;
/** Units of one text that are sent: a chunk is far shorter, and services refuse what exceeds their model's window. */
export const TEXT_UNITS_MAX = 8_000;
/** Requests under way at once for one call of `embed`. */
export const REQUESTS_MAX = 4;
const DIMENSION_MAX = 16_384;
const PREFIX_HASH_DIGITS = 8;

export interface HttpEmbedderOptions extends ServiceEffects {
  /** Name of the model, as the service knows it. */
  readonly model: string;
  /** Address of the service, http or https; a user or password in it is refused. */
  readonly baseUrl?: string;
  /** Name of the environment variable that holds the key. The key itself is read from there and kept nowhere else. */
  readonly apiKeyEnv?: string;
  /** Where that variable is looked up; default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Length of the vectors when it is known; otherwise one request finds it out. An answer of another length is refused. */
  readonly dimension?: number;
  /** Put before every question, for models that expect it (`search_query: `). Part of what makes vectors comparable. */
  readonly queryPrefix?: string;
  /** Put before every document. */
  readonly documentPrefix?: string;
  /** Default 60,000. */
  readonly attemptTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What differs between services. */
export interface Protocol {
  readonly label: string;
  /** First part of the embedder's name. */
  readonly kind: string;
  readonly defaultBaseUrl: string;
  /** Path below the base URL. */
  readonly path: string;
  body(model: string, texts: readonly string[]): unknown;
  /** The vectors in the order of the texts, not yet checked; undefined when the answer has another shape. */
  vectors(answer: unknown): readonly unknown[] | undefined;
}

interface Client {
  readonly protocol: Protocol;
  readonly options: HttpEmbedderOptions;
  readonly service: ServiceOptions;
}

/**
 * Opens an embedder behind HTTP. Rejects with `invalid_argument` for an address or key that cannot be used, and as
 * `embed` does when the first request, which finds the dimension out, fails.
 */
export async function openHttpEmbedder(protocol: Protocol, options: HttpEmbedderOptions): Promise<Embedder> {
  const client: Client = { protocol, options, service: serviceOf(protocol, options) };
  const known = options.dimension;
  const dimension = known ?? (await requestVectors(client, ["dimension"], undefined, options.signal))[0]?.length ?? 0;
  return {
    name: nameOf(protocol, options),
    dimension,
    embed: (texts, { kind = "document", signal } = {}) => embedAll(client, dimension, texts, kind, signal),
  };
}

/** Other prefixes make other vectors, so they are part of the name, as a short hash. */
function nameOf({ kind }: Protocol, { model, queryPrefix = "", documentPrefix = "" }: HttpEmbedderOptions): string {
  if (queryPrefix === "" && documentPrefix === "") return `${kind}:${model}`;
  const hash = createHash("sha256")
    .update(JSON.stringify([queryPrefix, documentPrefix]))
    .digest("hex");
  return `${kind}:${model}#${hash.slice(0, PREFIX_HASH_DIGITS)}`;
}

function serviceOf(protocol: Protocol, options: HttpEmbedderOptions): ServiceOptions {
  const { apiKeyEnv, environment = process.env, attemptTimeoutMs = ATTEMPT_TIMEOUT_MS } = options;
  if (options.model.trim() === "") throw new WinnowError("invalid_argument", "The embedding model has no name.");
  const key = serviceKey(apiKeyEnv, environment);
  return {
    label: protocol.label,
    url: addressOf(options.baseUrl ?? protocol.defaultBaseUrl, protocol.path),
    key,
    keyVariable: apiKeyEnv,
    attemptTimeoutMs,
    effects: options,
  };
}

function addressOf(baseUrl: string, path: string): URL {
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw new WinnowError("invalid_argument", "The base URL of the embedding service is not an http or https address.");
  }
  if (base.username !== "" || base.password !== "") {
    throw new WinnowError("invalid_argument", "The base URL of the embedding service holds a user or a password.", {
      hint: "Put the key into an environment variable and give its name.",
    });
  }
  base.pathname = `${base.pathname.replace(/\/+$/, "")}${path}`;
  return base;
}

async function embedAll(
  client: Client,
  dimension: number,
  texts: readonly string[],
  kind: EmbedKind,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const { queryPrefix = "", documentPrefix = "" } = client.options;
  const prefix = kind === "query" ? queryPrefix : documentPrefix;
  const result: Float32Array[] = texts.map(() => new Float32Array(dimension));
  // Services refuse an empty text; it says nothing, so it stays zero.
  const said = texts.flatMap((text, index) => (text.trim() === "" ? [] : [index]));
  const sent = said.map((index) => prefix + truncate(texts[index] ?? "", TEXT_UNITS_MAX));
  const batches = splitBatches(sent);
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
      const { start, end } = batch;
      const vectors = await requestVectors(client, sent.slice(start, end), dimension, either);
      for (const [offset, vector] of vectors.entries()) result[said[start + offset] ?? -1] = vector;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(REQUESTS_MAX, batches.length) }, work));
  } finally {
    // The first failure ends the other requests; nobody waits for them.
    stop.abort();
  }
  return result;
}

/** Ranges of at most `BATCH_TEXTS_MAX` texts and `BATCH_UNITS_MAX` units. */
function splitBatches(texts: readonly string[]): { readonly start: number; readonly end: number }[] {
  const batches: { start: number; end: number }[] = [];
  let units = 0;
  for (const [index, text] of texts.entries()) {
    const last = batches.at(-1);
    units += text.length;
    if (last !== undefined && units <= BATCH_UNITS_MAX && index - last.start < BATCH_TEXTS_MAX) last.end = index + 1;
    else {
      batches.push({ start: index, end: index + 1 });
      units = text.length;
    }
  }
  return batches;
}

function requestVectors(
  { protocol, options, service }: Client,
  texts: readonly string[],
  dimension: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const read = (answer: unknown): Float32Array[] => {
    const vectors = protocol.vectors(answer);
    if (vectors === undefined) throw unusable(protocol, "an answer without vectors");
    if (vectors.length !== texts.length) {
      throw unusable(protocol, `${vectors.length} vectors for ${texts.length} texts`);
    }
    return vectors.map((vector) => checkedVector(protocol, vector, dimension));
  };
  return postJson(service, protocol.body(options.model, texts), read, signal);
}

function checkedVector(protocol: Protocol, vector: unknown, dimension: number | undefined): Float32Array {
  if (!Array.isArray(vector) || vector.length === 0 || vector.length > DIMENSION_MAX) {
    throw unusable(protocol, "something that is not a vector");
  }
  if (dimension !== undefined && vector.length !== dimension) {
    throw unusable(
      protocol,
      `vectors of ${vector.length} numbers instead of ${dimension}`,
      "Is it still the same model?",
    );
  }
  const numbers: readonly unknown[] = vector;
  const checked = Float32Array.from(numbers, (value) => (typeof value === "number" ? value : Number.NaN));
  if (!checked.every(Number.isFinite)) throw unusable(protocol, "a vector with something that is not a number");
  return normalize(checked);
}

function unusable({ label }: Protocol, what: string, hint?: string): WinnowError {
  return new WinnowError("embedder_failed", `${label} answered with ${what}.`, hint === undefined ? {} : { hint });
}
