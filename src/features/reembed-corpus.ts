import { corpusLayout } from "../retrieval/corpus/layout.ts";
import { readManifest } from "../retrieval/corpus/manifest.ts";
import { interruptedEmbedder, type ReembedProgress, reembed } from "../retrieval/corpus/reembed.ts";
import { type EmbedderChoice, identifyEmbedder, loadEmbedder } from "./indexing/embedders.ts";

export interface ReembedCorpusOptions {
  /** The corpus folder (`…/.winnow`). */
  readonly folder: string;
  /** Default: that of a run that was interrupted, else the service of the present vectors, else the built-in one. */
  readonly embedder?: Partial<EmbedderChoice>;
  readonly signal: AbortSignal;
}

export interface ReembedSummary {
  readonly schema: "reembed/1";
  readonly folder: string;
  readonly generation: number;
  readonly chunks: number;
  /** Chunks whose vectors an interrupted run had made. */
  readonly resumed: number;
  /** Names of the embedders before and after; null without vectors. */
  readonly before: string | null;
  readonly embedder: string | null;
  readonly seconds: number;
}

/**
 * Makes the vectors of an index anew from its own chunks; what the index holds otherwise stays. All or nothing: until
 * the end, and after any failure, the index is what it was; the next run with the same embedder goes on with the vectors
 * that were made. Rejects as `reembed` and `identifyEmbedder` do.
 */
export async function reembedCorpus(
  { folder, embedder: choice = {}, signal }: ReembedCorpusOptions,
  onProgress?: (progress: ReembedProgress) => void,
): Promise<ReembedSummary> {
  const start = performance.now();
  const before = (await readManifest(corpusLayout(folder)))?.manifest.identity.embedder?.name ?? null;
  const present = before === null || before.startsWith("static:") ? "static" : before;
  const spec = choice.spec ?? (await interruptedEmbedder(folder))?.name ?? present;
  const identity = await identifyEmbedder({ ...choice, spec }, signal);
  const loaded = identity === null ? undefined : await loadEmbedder(identity, choice);
  const { manifest, resumed } = await reembed(folder, {
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
    resumed,
    before,
    embedder: identity?.name ?? null,
    seconds: (performance.now() - start) / 1_000,
  };
}
