import { WinnowError } from "../core/errors.ts";
import type { Chunk } from "../core/types.ts";
import type { ReadQuery } from "./corpus-reader.ts";
import type { StoreReader } from "./store/store.ts";

/**
 * Chunks of a document in order. Rejects with `document_not_found`, and with `invalid_argument` for bounds that are not
 * whole numbers from 0.
 */
export async function readChunks(store: StoreReader, query: ReadQuery): Promise<readonly Chunk[]> {
  const { documentId, from = 0, to = Number.MAX_SAFE_INTEGER, signal } = query;
  for (const bound of [from, to]) {
    if (Number.isInteger(bound) && bound >= 0) continue;
    throw new WinnowError("invalid_argument", "Chunk numbers are whole numbers, counted from 0.");
  }
  signal?.throwIfAborted();
  const chunks = await store.chunksOf([documentId], { from, to }, signal);
  if (chunks.length > 0) return chunks;
  if ((await store.spansOf([documentId], signal)).length > 0) return [];
  throw new WinnowError("document_not_found", `There is no document ${documentId}.`, {
    hint: "Use the id of a document as `winnow find` shows it.",
  });
}
