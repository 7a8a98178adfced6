import { corpusLayout } from "../retrieval/corpus/layout.ts";
import { readManifest } from "../retrieval/corpus/manifest.ts";
import { reembed } from "../retrieval/corpus/reembed.ts";
import { type EmbedderChoice, identifyEmbedder, loadEmbedder } from "./indexing/embedders.ts";

export interface ReembedCorpusOptions {
  /** The corpus folder (`…/.winnow`). */
  readonly folder: string;
  /** Default: the service that made the present vectors, else the built-in embedder. */
  readonly embedder?: Partial<EmbedderChoice>;
  readonly signal: AbortSignal;
}

export interface ReembedSummary {
  readonly schema: "reembed/1";
  readonly folder: string;
  readonly generation: number;
  readonly chunks: number;
  /** Names of the embedders before and after; null without vectors. */
  readonly before: string | null;
  readonly embedder: string | null;
  readonly seconds: number;
}

/**
 * Makes the vectors of an index anew from its own chunks; what the index holds otherwise stays. All or nothing: until
 * the end, and after any failure, the index is what it was. Rejects as `reembed` and `identifyEmbedder` do.
 */
export async function reembedCorpus(
  { folder, embedder: choice = {}, signal }: ReembedCorpusOptions,
  onProgress?: (chunks: number, chunksTotal: number) => void,
): Promise<ReembedSummary> {
  const start = performance.now();
  const before = (await readManifest(corpusLayout(folder)))?.manifest.identity.embedder?.name ?? null;
  const spec = choice.spec ?? (before === null || before.startsWith("static:") ? "static" : before);
  const identity = await identifyEmbedder({ ...choice, spec }, signal);
  const loaded = identity === null ? undefined : await loadEmbedder(identity, choice);
  const manifest = await reembed(folder, {
    embedder: identity,
    embed: async (texts, stop) => (await loaded?.embed(texts, { kind: "document", signal: stop })) ?? [],
    signal,
    ...(onProgress && { onProgress }),
  });
  return {
    schema: "reembed/1",
    folder,
    generation: manifest.generation,
    chunks: manifest.chunks,
    before,
    embedder: identity?.name ?? null,
    seconds: (performance.now() - start) / 1_000,
  };
}
