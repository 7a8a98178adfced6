import { wellFormed } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import type { Chunk, SourceDocument } from "../../core/types.ts";
import { chunkDocument } from "../../retrieval/chunking/chunk-document.ts";
import { indexedText } from "../../retrieval/corpus/indexed-text.ts";
import { analyzeText } from "../../retrieval/lexical/analyze.ts";
import { plainValues } from "../../retrieval/store/lance/lance-rows.ts";
import type { ReadOutcome } from "../../sources/source.ts";

/** Tokens that no chunk exceeds: twice the default target. */
const CHUNK_TOKENS_MAX = 1_024;

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/**
 * Cuts what a source read into chunks and rows as indexing does, and checks what the types promise: chunks tile their
 * document, `document.slice(start, end)` is the chunk, ids are unique, everything survives JSON and UTF-8. Returns the rows.
 */
export function checkOutcome(outcome: ReadOutcome, counter: TokenCounter): Chunk[] {
  if ("skipped" in outcome) {
    must(/^[a-z_]+$/.test(outcome.skipped.reason), "a skip without a reason");
    must(outcome.skipped.detail.length < 1_000, "a skip that is explained at too great a length");
    return [];
  }
  const ids = new Set(outcome.documents.map(({ id }) => id));
  must(ids.size === outcome.documents.length, "two documents have one id");
  return outcome.documents.flatMap((document) => checkDocument(document, counter));
}

function checkDocument(document: SourceDocument, counter: TokenCounter): Chunk[] {
  const { text } = document;
  const json = JSON.stringify(document, (key, value: unknown) => {
    must(wellFormed(key) === key, "a key holds lone surrogates");
    must(typeof value !== "string" || wellFormed(value) === value, "a text holds lone surrogates");
    return value;
  });
  must(JSON.stringify(JSON.parse(json)) === json, "a document changes on the way through JSON");
  must(!text.includes("\r"), "line ends are not normalized");
  must(text.trim() !== "", "a document says nothing");
  const chunks = chunkDocument(document, { counter });
  must(chunks.length > 0, "a document has no chunk");
  let end = 0;
  for (const chunk of chunks) {
    must(chunk.start === end && chunk.end > chunk.start, "chunks do not tile their document");
    must(chunk.text === text.slice(chunk.start, chunk.end), "a chunk is not its slice of the document");
    must(chunk.tokens <= CHUNK_TOKENS_MAX, `a chunk has ${chunk.tokens} tokens`);
    end = chunk.end;
    const row = { chunk, item: document.uri, terms: analyzeText(indexedText(chunk)) };
    const record = plainValues(row);
    must(
      Object.values(record).every((value) => typeof value === "string" || Number.isInteger(value)),
      "a row has a column of another type",
    );
  }
  must(end === text.length, "chunks end before their document does");
  return chunks;
}
