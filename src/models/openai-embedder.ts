import type { Embedder } from "./embedder.ts";
import { type HttpEmbedderOptions, openHttpEmbedder, type Protocol } from "./http-embedder.ts";

interface Row {
  readonly index: number;
  readonly embedding: unknown;
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && "index" in value && Number.isInteger(value.index);
}

/** Rows may come in any order; each says which text it belongs to. */
function vectorsOf(answer: unknown): readonly unknown[] | undefined {
  const data = typeof answer === "object" && answer !== null && "data" in answer ? answer.data : undefined;
  if (!Array.isArray(data)) return undefined;
  const rows: readonly unknown[] = data;
  const found: unknown[] = rows.map(() => undefined);
  for (const row of rows) {
    if (!isRow(row) || row.index < 0 || row.index >= rows.length || found[row.index] !== undefined) return undefined;
    found[row.index] = row.embedding;
  }
  return found;
}

const openAi: Protocol = {
  label: "The embedding service",
  kind: "openai-compatible",
  defaultBaseUrl: "https://api.openai.com/v1",
  path: "/embeddings",
  body: (model, input) => ({ model, input, encoding_format: "float" }),
  vectors: vectorsOf,
};

/**
 * An embedder behind the wire format of OpenAI's embeddings (`POST BASE/embeddings`), which vLLM, llama.cpp, LM Studio,
 * text-embeddings-inference and others serve as well. `baseUrl` usually ends in `/v1`. Named `openai-compatible:MODEL`.
 * Rejects as `openHttpEmbedder` does.
 */
export function openOpenAiEmbedder(options: HttpEmbedderOptions): Promise<Embedder> {
  return openHttpEmbedder(openAi, options);
}
