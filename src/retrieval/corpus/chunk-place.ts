import { isAbsolute, resolve } from "node:path";
import type { Chunk } from "../../core/types.ts";

/** An address such as `https://…`. A key has no empty parts, so no path of ours looks like one. */
const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * The chunk with a `uri` that can be opened. What lies within the corpus is stored relative to `base`, the folder that
 * holds the index, so that the two can be moved together; absolute paths and addresses stay as they are.
 */
export function placeChunk(chunk: Chunk, base: string): Chunk {
  const { uri } = chunk;
  if (uri === "" || isAbsolute(uri) || ADDRESS.test(uri)) return chunk;
  return { ...chunk, uri: resolve(base, uri) };
}
