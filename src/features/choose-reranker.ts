import { WinnowError } from "../core/errors.ts";
import { didYouMean } from "../core/suggest.ts";
import type { Reranker } from "../retrieval/rerank/reranker.ts";

const KINDS = ["cohere", "yes-no"];

export interface RerankerChoice {
  /** `cohere:MODEL` or `yes-no:MODEL`. */
  readonly spec: string;
  readonly baseUrl?: string | undefined;
  /** Name of the environment variable with the key. */
  readonly apiKeyEnv?: string | undefined;
}

/** The reranker that `--rerank` names. Nothing is asked of its service yet. Rejects with `invalid_argument`. */
export async function chooseReranker({ spec, baseUrl, apiKeyEnv }: RerankerChoice): Promise<Reranker> {
  const colon = spec.indexOf(":");
  const [kind, model] = colon < 0 ? [spec, ""] : [spec.slice(0, colon), spec.slice(colon + 1)];
  if (!KINDS.includes(kind) || model === "") {
    throw new WinnowError("invalid_argument", `There is no reranker "${spec}".${didYouMean(kind, KINDS)}`, {
      hint: "Rerankers: cohere:MODEL, yes-no:MODEL.",
    });
  }
  if (baseUrl === undefined) {
    throw new WinnowError("invalid_argument", "The address of the reranker is missing.", {
      hint: "Give it with --rerank-url, e.g. https://api.cohere.com/v2 or http://127.0.0.1:8000/v1",
    });
  }
  const options = { model, baseUrl, apiKeyEnv };
  if (kind === "cohere") return (await import("../models/rerank-cohere.ts")).cohereReranker(options);
  return (await import("../models/rerank-yes-no.ts")).yesNoReranker(options);
}
