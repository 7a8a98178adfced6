import type { Config } from "../config/config.ts";
import type { ChatModelOptions } from "../models/chat/endpoint.ts";

/** How the models of policies are reached. A key is only ever named. */
export interface PolicyAccess {
  /** What the caller gives for this one command: goes with every kind of model. */
  readonly baseUrl?: string | undefined;
  readonly apiKeyEnv?: string | undefined;
  /** What the configuration gives: for `openai-compatible:` and `harmony:` only, so that no other service's key is sent there. */
  readonly configured?: { readonly baseUrl?: string | undefined; readonly apiKeyEnv?: string | undefined };
  readonly prices?: ChatModelOptions["prices"];
  readonly reasoning?: ChatModelOptions["reasoning"];
  readonly answerTimeoutMs?: number;
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** The caller's options joined with the configuration. */
export function policyAccess(
  { baseUrl, apiKeyEnv, prices, reasoning, requestSeconds }: Config["settings"],
  given: Pick<PolicyAccess, "baseUrl" | "apiKeyEnv">,
): PolicyAccess {
  return {
    ...given,
    configured: { baseUrl: baseUrl || undefined, apiKeyEnv: apiKeyEnv || undefined },
    prices,
    reasoning: reasoning || undefined,
    answerTimeoutMs: requestSeconds * 1000,
  };
}
