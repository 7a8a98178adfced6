import { lineNumbers, shownText } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import type { Chunk } from "../../core/types.ts";
import { chunkIdOf } from "../../retrieval/chroma/chunk-id.ts";
import { chunkDocument } from "../../retrieval/chunking/chunk-document.ts";
import type { RecordDocument, RecordSpan } from "./record-document.ts";

/** Stored in `corpus.json`; changes whenever the same records would be split differently. */
export const RECORD_CHUNKER_NAME = "records-1024-v1";
/** A record of at most this size is one chunk; a longer one is split as a document would be. */
const RECORD_TOKENS_MAX = 1_024;

interface Part {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

/** The chunks of a document of records: a chunk lies within one record, and all of them tile the text. */
export function chunkRecords({ document, spans }: RecordDocument, counter: TokenCounter): readonly Chunk[] {
  const parts = spans.flatMap((span) => partsOf(document.text, span, counter).map((part, at) => ({ span, part, at })));
  const lines = lineNumbers(
    document.text,
    parts.map(({ part }) => part.start),
  );
  const { id: documentId, title, uri, metadata } = document;
  return parts.map(({ span, part, at }, index) => ({
    id: chunkIdOf(span.recordId, at),
    documentId,
    index,
    count: parts.length,
    start: part.start,
    end: part.end,
    line: lines[index] ?? 1,
    text: document.text.slice(part.start, part.end),
    tokens: part.tokens,
    title,
    headings: span.heading === undefined || span.heading === title ? [] : [span.heading],
    uri,
    metadata,
  }));

  function partsOf(text: string, { start, end }: RecordSpan, tokenCounter: TokenCounter): readonly Part[] {
    const own = text.slice(start, end);
    const tokens = tokenCounter.count(shownText(own));
    if (tokens <= RECORD_TOKENS_MAX) return [{ start, end, tokens }];
    return chunkDocument({ ...document, text: own }, { counter: tokenCounter }).map((chunk) => ({
      start: start + chunk.start,
      end: start + chunk.end,
      tokens: chunk.tokens,
    }));
  }
}
