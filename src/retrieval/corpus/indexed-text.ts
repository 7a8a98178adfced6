import type { Chunk } from "../../core/types.ts";

/** What a chunk is found by, as words and as a vector: its title and headings besides its text. */
export function indexedText(chunk: Chunk): string {
  return [chunk.title, ...chunk.headings, chunk.text].join("\n");
}
