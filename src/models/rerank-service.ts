import { WinnowError } from "../core/errors.ts";
import type { ServiceEffects } from "./attempts.ts";
import type { ServiceOptions } from "./embedding-service.ts";
import { serviceKey } from "./service-access.ts";

/** One request; the whole call is bounded by whoever waits for it. */
const ATTEMPT_TIMEOUT_MS = 15_000;
/** Units of one text that are sent; models cut there or refuse. */
export const RERANK_TEXT_UNITS_MAX = 8_000;

export interface RerankServiceOptions extends ServiceEffects {
  readonly model: string;
  /** Address of the service, http or https, e.g. `https://api.cohere.com/v2`. */
  readonly baseUrl: string;
  /** Name of the environment variable that holds the key. */
  readonly apiKeyEnv?: string | undefined;
  /** Where that variable is looked up; default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default 15,000. */
  readonly attemptTimeoutMs?: number;
}

/** Rejects an address or key that cannot be used with `invalid_argument`. `path` is put behind the base URL. */
export function rerankService(options: RerankServiceOptions, path: string): ServiceOptions {
  const { apiKeyEnv, environment = process.env, baseUrl } = options;
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol) || base.username !== "" || base.password !== "") {
    throw new WinnowError(
      "invalid_argument",
      "The address of the reranker must be http or https, without a password.",
      {
        hint: "For example --rerank-url https://api.cohere.com/v2",
      },
    );
  }
  const key = serviceKey(apiKeyEnv, environment);
  base.pathname = `${base.pathname.replace(/\/+$/, "")}${path}`;
  const attemptTimeoutMs = options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS;
  const failure = "rerank_failed";
  return { label: "The reranker", url: base, key, keyVariable: apiKeyEnv, attemptTimeoutMs, failure, effects: options };
}

export function field(value: unknown, name: string | number): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

export function unusable(what: string): WinnowError {
  return new WinnowError("rerank_failed", `The reranker answered with ${what}.`, {
    hint: "Check the model and the address.",
  });
}
