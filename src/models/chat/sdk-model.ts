import type { OpenAICompatibleProvider } from "@ai-sdk/openai-compatible";
import type { Endpoint } from "./endpoint.ts";

/** A language model of the AI SDK. Its types stay inside this folder: they are no part of our surface. */
export type SdkModel = ReturnType<OpenAICompatibleProvider["chatModel"]>;
export type SdkCall = Parameters<SdkModel["doStream"]>[0];
export type SdkStream = Awaited<ReturnType<SdkModel["doStream"]>>["stream"];

/** Key of what we read out of a stream ourselves, in the metadata of its end. */
export const OWN_METADATA = "winnow";

/** Loads the provider that the endpoint needs. `send` does the requests. */
export async function openSdkModel(endpoint: Endpoint, send: typeof fetch): Promise<SdkModel> {
  const { kind, base, key, model } = endpoint;
  const common = { baseURL: base.href.replace(/\/$/, ""), fetch: send };
  if (kind === "anthropic") {
    const { createAnthropic } = await import("@ai-sdk/anthropic");
    return createAnthropic({ ...common, apiKey: key ?? "" }).chat(model);
  }
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const provider = createOpenAICompatible({
    ...common,
    name: OWN_METADATA,
    includeUsage: true,
    metadataExtractor: { extractMetadata: async () => undefined, createStreamExtractor: reasoningFieldWatcher },
    ...(key === undefined ? {} : { apiKey: key }),
    ...(kind === "openai" ? { transformRequestBody: withNewNameOfLimit } : {}),
  });
  return provider.chatModel(model);
}

/** OpenAI's reasoning models refuse `max_tokens`, and its other ones take both names. */
function withNewNameOfLimit({ max_tokens, ...body }: Record<string, unknown>): Record<string, unknown> {
  return { ...body, max_completion_tokens: max_tokens };
}

/**
 * Servers send reasoning as `reasoning` or as `reasoning_content`, and some refuse a name that is not theirs: the field
 * that it came in is the one that it goes back in.
 */
function reasoningFieldWatcher() {
  let found: "reasoning" | "reasoning_content" | undefined;
  return {
    processChunk(chunk: unknown): void {
      if (found !== undefined) return;
      const delta = field(field(field(chunk, "choices"), 0), "delta");
      for (const name of ["reasoning_content", "reasoning"] as const) {
        const value = field(delta, name);
        if (typeof value === "string" && value !== "") found ??= name;
      }
    },
    buildMetadata: () => (found === undefined ? undefined : { [OWN_METADATA]: { reasoningField: found } }),
  };
}

function field(value: unknown, name: string | number): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
