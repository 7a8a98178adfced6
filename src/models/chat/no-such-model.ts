import { WinnowError } from "../../core/errors.ts";
import { suggest } from "../../core/suggest.ts";
import { truncate } from "../../core/text.ts";
import { cleanMessage } from "../service-message.ts";
import type { Endpoint } from "./endpoint.ts";
import type { NoModelError } from "./failure.ts";
import { listModels } from "./list-models.ts";

const MODELS_NAMED_MAX = 10;

/** The error that says which models the server has instead of the one that was asked for. Never rejects. */
export async function noSuchModel(
  { message }: NoModelError,
  endpoint: Endpoint,
  send: typeof fetch,
  signal: AbortSignal | undefined,
): Promise<WinnowError> {
  const models: readonly string[] = await listModels(endpoint, send, signal).catch(() => []);
  // A server may list a model and still refuse it: then its own words say more than its list.
  const isListed = models.includes(endpoint.model);
  const close = isListed ? undefined : suggest(endpoint.model, models);
  const named = models.slice(0, MODELS_NAMED_MAX).join(", ");
  const more = models.length > MODELS_NAMED_MAX ? ` and ${models.length - MODELS_NAMED_MAX} more` : "";
  const said = message === "" ? "" : ` It says: ${message}`;
  const list = models.length === 0 || isListed ? said : ` It has: ${named}${more}.`;
  const guess = close === undefined ? "" : ` Did you mean "${close}"?`;
  const name = cleanMessage(endpoint.model, endpoint.key);
  return new WinnowError(
    "policy_unavailable",
    truncate(
      `${endpoint.label} ${isListed ? "lists, but does not serve, the" : "has no"} model "${name}".${guess}${list}`,
      480,
    ),
    {
      hint: endpoint.kind === "ollama" ? `Fetch it with: ollama pull ${name}` : "Check the name of the model.",
    },
  );
}
