import { deadline } from "../../core/deadline.ts";
import { WinnowError } from "../../core/errors.ts";
import { cleanMessage } from "../service-message.ts";
import type { Endpoint } from "./endpoint.ts";

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 2 ** 20;
const MODELS_MAX = 100;

/** Names of the models that the server lists (`GET BASE/models`). Rejects with `policy_unavailable`. */
export async function listModels(
  endpoint: Endpoint,
  send: typeof fetch,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const timer = deadline(TIMEOUT_MS);
  try {
    const response = await send(`${endpoint.base.href.replace(/\/$/, "")}/models`, {
      headers: { accept: "application/json", ...keyHeader(endpoint) },
      redirect: "error",
      signal: signal === undefined ? timer : AbortSignal.any([signal, timer]),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return namesIn(await readCapped(response), endpoint.key);
  } catch {
    throw new WinnowError("policy_unavailable", `${endpoint.label} does not list its models.`);
  }
}

function keyHeader({ kind, key }: Endpoint): Record<string, string> {
  if (key === undefined) return {};
  if (kind === "anthropic") return { "x-api-key": key, "anthropic-version": "2023-06-01" };
  return { authorization: `Bearer ${key}` };
}

async function readCapped(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > BYTES_MAX) throw new Error("too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function namesIn(text: string, key: string | undefined): string[] {
  const parsed: unknown = JSON.parse(text);
  const data = typeof parsed === "object" && parsed !== null && "data" in parsed ? parsed.data : undefined;
  if (!Array.isArray(data)) return [];
  return (data as readonly unknown[]).slice(0, MODELS_MAX).flatMap((item) => {
    const id = typeof item === "object" && item !== null && "id" in item ? item.id : undefined;
    return typeof id === "string" && id !== "" ? [cleanMessage(id, key)] : [];
  });
}
