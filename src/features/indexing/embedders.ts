import { deadline } from "../../core/deadline.ts";
import { WinnowError } from "../../core/errors.ts";
import { didYouMean } from "../../core/suggest.ts";
import type { Embedder } from "../../models/embedder.ts";
import type { EmbedderIdentity, EmbedQuery } from "../../retrieval/find/embed-query.ts";
import type { ScorePassages } from "../../retrieval/find/score-passages.ts";

/** The built-in embedder as an index names it, known without reading its file. */
export const STATIC_EMBEDDER: EmbedderIdentity = { name: "static:minilm-192-1", dimension: 192 };

/** The model of Chroma's default embedding function, as an index names it; its files are not part of the package. */
export const MINILM_EMBEDDER: EmbedderIdentity = { name: "minilm", dimension: 384 };

const STATIC = "static";
const NONE = "none";
const SERVICES = ["openai-compatible", "ollama"] as const;
type ServiceKind = (typeof SERVICES)[number];
const KINDS: readonly string[] = [STATIC, MINILM_EMBEDDER.name, NONE, ...SERVICES];
const SPEC_HINT = "Embedders: static, minilm, none, openai-compatible:MODEL, ollama:MODEL.";

/** Where a service is, for those who do not give it with a command. */
const BASE_URL_VARIABLE = "WINNOW_EMBEDDER_BASE_URL";
/** Holds the name of the variable that holds the key, never the key. */
const KEY_NAME_VARIABLE = "WINNOW_EMBEDDER_API_KEY_ENV";
/** How long a query waits for its vector before it goes on without; retries included. */
const QUERY_TIMEOUT_MS = 15_000;

/** An embedder as a user names it, with how to reach it. */
export interface EmbedderChoice {
  /** `static`, `minilm`, `none`, `openai-compatible:MODEL` or `ollama:MODEL`. */
  readonly spec: string;
  readonly baseUrl?: string | undefined;
  /** Name of the environment variable with the key. */
  readonly apiKeyEnv?: string | undefined;
}

export type EmbedderAccess = Omit<EmbedderChoice, "spec">;

/** Texts to vectors; zeros for a text that says nothing. */
export type EmbedTexts = (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>;

/**
 * What an index would name the chosen embedder; null for none. Asks a service once, to learn the length of its vectors.
 * Rejects with `invalid_argument`, `embedder_failed`, `timeout` or `cancelled`.
 */
export async function identifyEmbedder(choice: EmbedderChoice, signal?: AbortSignal): Promise<EmbedderIdentity | null> {
  const { spec } = choice;
  if (spec === NONE) return null;
  if (spec === STATIC || spec === STATIC_EMBEDDER.name) return STATIC_EMBEDDER;
  if (spec === MINILM_EMBEDDER.name) {
    // Without the model the index would have to be made again: better told before it is begun.
    await openMiniLm(signal);
    return MINILM_EMBEDDER;
  }
  const kind = serviceOf(spec);
  if (kind === undefined) {
    throw new WinnowError("invalid_argument", `There is no embedder "${spec}".${didYouMean(spec, KINDS)}`, {
      hint: SPEC_HINT,
    });
  }
  const { name, dimension } = await openService(kind, spec, undefined, choice, signal);
  return { name, dimension };
}

/**
 * The embedder that an index names, and never another one. Rejects with `embedder_failed` when it is unknown here or of
 * another version, and with what the service's own options are refused for.
 */
export async function loadEmbedder(identity: EmbedderIdentity, access: EmbedderAccess = {}): Promise<Embedder> {
  if (identity.name.startsWith(`${STATIC}:`)) {
    const { loadStaticEmbedder } = await import("../../models/static-embedder.ts");
    return checked(await loadStaticEmbedder(), identity);
  }
  if (identity.name === MINILM_EMBEDDER.name) return checked(await openMiniLm(undefined), identity);
  const kind = serviceOf(identity.name);
  if (kind === undefined) throw otherEmbedder(identity, "which this version does not know");
  return checked(await openService(kind, identity.name, identity.dimension, access, undefined), identity);
}

async function openMiniLm(signal: AbortSignal | undefined): Promise<Embedder> {
  const minilm = await import("../../models/minilm/open-minilm.ts");
  return minilm.openMiniLm({ environment: process.env }, signal);
}

function serviceOf(name: string): ServiceKind | undefined {
  return SERVICES.find((kind) => name.startsWith(`${kind}:`) && name.length > kind.length + 1);
}

async function openService(
  kind: ServiceKind,
  name: string,
  dimension: number | undefined,
  access: EmbedderAccess,
  signal: AbortSignal | undefined,
): Promise<Embedder> {
  const baseUrl = access.baseUrl ?? process.env[BASE_URL_VARIABLE];
  const apiKeyEnv = access.apiKeyEnv ?? process.env[KEY_NAME_VARIABLE];
  if (kind === "openai-compatible" && baseUrl === undefined) {
    // A default address would send texts to a company that nobody named.
    throw new WinnowError("embedder_failed", `The address of the embedder ${name} is not known.`, {
      hint: `Give --base-url to \`winnow index\` and \`winnow reembed\`, or set ${BASE_URL_VARIABLE}.`,
    });
  }
  const options = {
    model: name.slice(kind.length + 1),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
    ...(dimension === undefined ? {} : { dimension }),
    ...(signal === undefined ? {} : { signal }),
  };
  if (kind === "ollama") return (await import("../../models/ollama-embedder.ts")).openOllamaEmbedder(options);
  return (await import("../../models/openai-embedder.ts")).openOpenAiEmbedder(options);
}

function checked(embedder: Embedder, identity: EmbedderIdentity): Embedder {
  if (embedder.name === identity.name && embedder.dimension === identity.dimension) return embedder;
  throw otherEmbedder(identity, `and this version has ${embedder.name}`);
}

function otherEmbedder({ name }: EmbedderIdentity, what: string): WinnowError {
  return new WinnowError("embedder_failed", `The vectors of the index were made by ${name}, ${what}.`, {
    hint: "Make new ones with: winnow reembed",
  });
}

/** What the queries of a corpus are answered with besides its store; each part is loaded by the first query. */
export interface QueryModels {
  readonly embedQuery: EmbedQuery;
  readonly scorePassages: ScorePassages;
}

export function queryModels(access: EmbedderAccess = {}): QueryModels {
  return { embedQuery: queryEmbedder(access), scorePassages: scoreWithTokenVectors };
}

/** The second stage of hybrid search, over the built-in embedder's token vectors, whichever embedder the corpus has. */
async function scoreWithTokenVectors(
  query: string,
  passages: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const { scorePassages } = await import("../../models/static-embedder.ts");
  return scorePassages(query, passages, signal);
}

/** Embeds queries with the embedder that the corpus names, which is loaded by the first query. */
export function queryEmbedder(access: EmbedderAccess = {}): EmbedQuery {
  const loaded = new Map<string, Promise<Embedder>>();
  const load = (identity: EmbedderIdentity): Promise<Embedder> => {
    const known = loaded.get(identity.name) ?? loadEmbedder(identity, access);
    loaded.set(identity.name, known);
    known.catch(() => loaded.delete(identity.name));
    return known;
  };
  return async (text, identity, signal) => {
    const timer = deadline(QUERY_TIMEOUT_MS);
    try {
      const embedder = await load(identity);
      const either = signal === undefined ? timer : AbortSignal.any([signal, timer]);
      const [vector] = await embedder.embed([text], { kind: "query", signal: either });
      return vector ?? new Float32Array(identity.dimension);
    } catch (error) {
      // A service without an address or key is one that cannot be had; the query itself is sound.
      if (!WinnowError.isInstance(error) || error.code !== "invalid_argument") throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new WinnowError("embedder_failed", error.message, { ...hint, cause: error });
    }
  };
}
