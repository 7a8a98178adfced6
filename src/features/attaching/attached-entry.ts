import type { ChromaEntry } from "../../config/corpora.ts";
import type { PlaceOptions } from "../../retrieval/chroma/place.ts";
import type { Environment } from "../../retrieval/chroma/server/find-executable.ts";
import { MINILM_DIMENSION } from "../../retrieval/chroma/shape/key-hints.ts";
import type { EmbedderIdentity } from "../../retrieval/find/embed-query.ts";
import type { CollectionShape } from "./collection-shape.ts";

/** It has no vectors, or none that shall be asked: the user said so. */
export const NO_EMBEDDER = "none";
/** It has vectors, and nobody said what made them. */
export const UNKNOWN_EMBEDDER = "unknown";
export const MINILM = "minilm";

export function shapeOf(entry: ChromaEntry): CollectionShape {
  const { documentKey, orderKey, titleKey, uriKey, role } = entry;
  return { documentKey, orderKey, titleKey, uriKey, role };
}

/** Where the entry's collection is, with its key from the environment. Rejects with `invalid_argument` where there is none. */
export async function placeOptions(entry: ChromaEntry, environment: Environment): Promise<PlaceOptions> {
  const { serviceKey } = await import("../../models/service-access.ts");
  const { place, inPlace, tenant, database } = entry;
  return { place, inPlace, tenant, database, apiKey: serviceKey(entry.apiKeyEnv, environment), environment };
}

/** Whether its vectors are asked at all. */
export function hasEmbedder({ embedder }: Pick<ChromaEntry, "embedder">): boolean {
  return embedder !== NO_EMBEDDER && embedder !== UNKNOWN_EMBEDDER;
}

/** What made the collection's vectors; null where nobody said, or it has none. */
export function embedderOf(entry: ChromaEntry, dimension: number | null): EmbedderIdentity | null {
  if (!hasEmbedder(entry)) return null;
  const made = dimension ?? (entry.embedder === MINILM ? MINILM_DIMENSION : null);
  return made === null ? null : { name: entry.embedder, dimension: made };
}
