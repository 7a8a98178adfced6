import { CHUNKER_NAME } from "../../retrieval/chunking/chunker-name.ts";
import { ANALYZER_NAME, analyzeText } from "../../retrieval/lexical/analyze.ts";
import type { IndexParts } from "./parts.ts";

/** Files, cut by our chunker, counted in o200k tokens, matched by words. */
export const defaultParts: IndexParts = {
  identity: { chunker: CHUNKER_NAME, tokenCounter: "o200k", analyzer: ANALYZER_NAME, embedder: null },
  async createSource(scope) {
    const { createFilesSource } = await import("../../sources/files/files-source.ts");
    return createFilesSource(scope);
  },
  async loadChunker() {
    const [{ chunkDocument }, { loadTokenCounter }] = await Promise.all([
      import("../../retrieval/chunking/chunk-document.ts"),
      import("../../models/o200k-token-counter.ts"),
    ]);
    const counter = await loadTokenCounter();
    return (document) => chunkDocument(document, { counter });
  },
  analyze: analyzeText,
};
