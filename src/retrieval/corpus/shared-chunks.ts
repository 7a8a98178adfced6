import type { Chunk } from "../../core/types.ts";

/** UTF-16 units of text that are kept, so many in each of two halves. */
const HALF_UNITS_MAX = 8_000_000;

/**
 * Chunks of one generation that were read lately, so that many runs over the same documents hold their texts once. The
 * older half is forgotten as a whole when the newer is full: to take entries out one by one costs more than it keeps.
 */
export class SharedChunks {
  #newer = new Map<string, Chunk>();
  #older = new Map<string, Chunk>();
  #units = 0;

  /** The same chunk as it was read before, if it is still known. */
  same(chunk: Chunk): Chunk {
    const { id, text } = chunk;
    const newer = this.#newer.get(id);
    if (newer !== undefined) return newer;
    const kept = this.#older.get(id) ?? chunk;
    if (this.#units > HALF_UNITS_MAX) {
      this.#older = this.#newer;
      this.#newer = new Map();
      this.#units = 0;
    }
    this.#newer.set(id, kept);
    this.#units += text.length;
    return kept;
  }
}
