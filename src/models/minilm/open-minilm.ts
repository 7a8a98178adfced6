import { WinnowError } from "../../core/errors.ts";
import type { Embedder } from "../embedder.ts";
import { findModel, type ModelSurroundings, ownFolder } from "./find-model.ts";
import { createMiniLmEmbedder } from "./minilm-embedder.ts";
import { installModel } from "./model-archive.ts";
import { MODEL_HINT } from "./model-files.ts";

/**
 * The embedder over the model that is on this machine; an archive in Chroma's cache is unpacked into ours first. Never
 * downloads. Rejects with `embedder_failed` where there is no model, and as `installModel` does.
 */
export async function openMiniLm(surroundings: ModelSurroundings, signal?: AbortSignal): Promise<Embedder> {
  const place = await findModel(surroundings);
  if (place === undefined) {
    throw new WinnowError("embedder_failed", "The model all-MiniLM-L6-v2 is not on this machine.", {
      hint: MODEL_HINT,
    });
  }
  if (place.kind === "folder") return createMiniLmEmbedder({ folder: place.path });
  const folder = ownFolder(surroundings);
  await installModel(place.path, folder, { signal });
  return createMiniLmEmbedder({ folder });
}
