import { WinnowError } from "../../core/errors.ts";
import { CHUNKER_NAME } from "../../retrieval/chunking/chunker-name.ts";
import { ANALYZER_NAME, analyzeText } from "../../retrieval/lexical/analyze.ts";
import { createSource } from "./create-source.ts";
import { loadEmbedder, STATIC_EMBEDDER } from "./embedders.ts";
import type { IndexParts } from "./parts.ts";

/** Known without loading the vocabulary, which a refresh without changes never needs. */
const TOKEN_COUNTER_NAME = "o200k";

/** Files, cut by our chunker, counted in o200k tokens, found by words and by the built-in embedder's vectors. */
export const defaultParts: IndexParts = {
  identity: {
    chunker: CHUNKER_NAME,
    tokenCounter: TOKEN_COUNTER_NAME,
    analyzer: ANALYZER_NAME,
    embedder: STATIC_EMBEDDER,
  },
  createSource,
  async loadChunker() {
    const [{ chunkDocument }, { loadTokenCounter }] = await Promise.all([
      import("../../retrieval/chunking/chunk-document.ts"),
      import("../../models/o200k-token-counter.ts"),
    ]);
    const counter = await loadTokenCounter();
    if (counter.name !== TOKEN_COUNTER_NAME) throw new WinnowError("internal", `The counter is ${counter.name}.`);
    return (document) => chunkDocument(document, { counter });
  },
  analyze: analyzeText,
  async loadEmbedder(identity, access) {
    const embedder = await loadEmbedder(identity, access);
    return (texts, signal) => embedder.embed(texts, { kind: "document", signal });
  },
};
