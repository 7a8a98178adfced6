import type { Endpoint } from "./endpoint.ts";

/**
 * The header by which a router before several replicas can keep the requests of one run together, so that they meet a warm
 * prefix cache. vLLM's router looks at this name first; others are told which header to go by.
 */
const SESSION_HEADER = "x-session-id";
const SESSION_UNITS_MAX = 128;
/** Servers of the user's own: what is hosted routes by itself and is told nothing that it does not need. */
const ROUTED: readonly Endpoint["kind"][] = ["openai-compatible", "ollama"];

/** Headers of a request that belongs to this session; none for a request that belongs to none. */
export function sessionHeaders({ kind }: Pick<Endpoint, "kind">, session: string | undefined): Record<string, string> {
  if (session === undefined || session === "" || !ROUTED.includes(kind)) return {};
  // Callers may name runs as they like; a header takes few characters.
  return { [SESSION_HEADER]: session.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, SESSION_UNITS_MAX) };
}
