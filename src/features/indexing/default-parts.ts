import { WinnowError } from "../../core/errors.ts";
import { ANALYZER_NAME, analyzeText } from "../../retrieval/lexical/analyze.ts";
import type { IndexParts } from "./parts.ts";

/** Files, cut by our chunker, counted in o200k tokens, matched by words. */
export const defaultParts: IndexParts = {
  identity: { chunker: "pending", tokenCounter: "o200k", analyzer: ANALYZER_NAME, embedder: null },
  async createSource(scope) {
    const { createFilesSource } = await import("../../sources/files/files-source.ts");
    return createFilesSource(scope);
  },
  async loadChunker() {
    throw new WinnowError("internal", "The chunker is not there yet.");
  },
  analyze: analyzeText,
};
