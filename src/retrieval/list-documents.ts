import type { Chunk } from "../core/types.ts";
import type { DocumentSummary, DocumentsAnswer, DocumentsQuery } from "./corpus-reader.ts";
import { compareIds } from "./find/fuse.ts";
import type { StoreReader } from "./store/store.ts";

/** Documents that one listing returns at most. */
export const LISTED_DOCUMENTS_MAX = 200_000;
/** Documents whose first chunks are read at once: keeps the texts that are held at a time to a few megabytes. */
const BATCH_DOCUMENTS = 2_000;
/** What is kept of a document's beginning, UTF-16 units. */
export const OPENING_UNITS_MAX = 400;

/** The documents that `where` accepts, by id. */
export async function listDocuments(
  store: StoreReader,
  { where = [], signal }: DocumentsQuery,
  placed: (chunk: Chunk) => Chunk,
): Promise<DocumentsAnswer> {
  const ids = [...(await store.documentsWhere(where, signal))].sort(compareIds);
  const taken = ids.slice(0, LISTED_DOCUMENTS_MAX);
  const documents: DocumentSummary[] = [];
  for (let i = 0; i < taken.length; i += BATCH_DOCUMENTS) {
    signal?.throwIfAborted();
    const first = await store.chunksOf(taken.slice(i, i + BATCH_DOCUMENTS), { from: 0, to: 0 }, signal);
    for (const chunk of first) documents.push(summaryOf(placed(chunk)));
  }
  return { documents, truncated: taken.length < ids.length };
}

function summaryOf({ documentId, uri, title, metadata, count, text }: Chunk): DocumentSummary {
  return { id: documentId, uri, title, metadata, chunks: count, opening: text.slice(0, OPENING_UNITS_MAX) };
}
