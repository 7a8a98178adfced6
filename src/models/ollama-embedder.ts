import type { Embedder } from "./embedder.ts";
import { type HttpEmbedderOptions, openHttpEmbedder, type Protocol } from "./http-embedder.ts";

const ollama: Protocol = {
  label: "Ollama",
  kind: "ollama",
  defaultBaseUrl: "http://127.0.0.1:11434",
  path: "/api/embed",
  // Ollama cuts what exceeds the model's window instead of refusing it.
  body: (model, input) => ({ model, input, truncate: true }),
  vectors(answer) {
    const found =
      typeof answer === "object" && answer !== null && "embeddings" in answer ? answer.embeddings : undefined;
    return Array.isArray(found) ? found : undefined;
  },
};

/**
 * An embedder behind a local or remote Ollama (`POST BASE/api/embed`, Ollama 0.3 and later). Named `ollama:MODEL`.
 * Rejects as `openHttpEmbedder` does.
 */
export function openOllamaEmbedder(options: HttpEmbedderOptions): Promise<Embedder> {
  return openHttpEmbedder(ollama, options);
}
