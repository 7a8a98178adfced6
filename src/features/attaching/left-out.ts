import { WinnowError } from "../../core/errors.ts";
import type { Notice } from "../../core/types.ts";
import type { CorpusReader } from "../../retrieval/corpus-reader.ts";

const TOKEN_COUNTER_NAME = "o200k";

/** A corpus that may not be read stands for itself with nothing in it, and says in every answer why. */
export function leftOut(name: string, folder: string, why: WinnowError): CorpusReader {
  const message = why.hint === undefined ? why.message : `${why.message} ${why.hint}`;
  const notices: readonly Notice[] = [{ code: "left_out", message }];
  return {
    name,
    info: async () => ({
      name,
      location: folder,
      generation: 0,
      documents: 0,
      chunks: 0,
      tokens: 0,
      tokenCounter: TOKEN_COUNTER_NAME,
      embedder: null,
      metadataKeys: [],
    }),
    find: async () => ({ hits: [], notices }),
    grep: async () => ({ hits: [], matchesTotal: 0, documentsTotal: 0, truncated: false, notices }),
    async read({ documentId }) {
      throw new WinnowError("document_not_found", `${name} is left out: ${documentId} is not read. ${why.message}`, {
        ...(why.hint === undefined ? {} : { hint: why.hint }),
      });
    },
    documents: async () => ({ documents: [], truncated: false, notices }),
    close: async () => undefined,
  };
}
