import { WinnowError } from "../core/errors.ts";
import type { Chunk, Metadata } from "../core/types.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";

export interface LineRange {
  /** 1-based, inclusive. */
  readonly from: number;
  readonly to: number;
}

export interface DocumentText {
  readonly schema: "document/1";
  readonly corpus: string;
  readonly id: string;
  readonly uri: string;
  readonly title: string;
  readonly metadata: Metadata;
  /** Lines of the text below, 1-based and inclusive. */
  readonly lines: LineRange;
  readonly linesTotal: number;
  readonly text: string;
}

/** `25` or `10-40`; `invalid_argument` for anything else. */
export function parseLineRange(text: string): LineRange {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text);
  const from = Number(match?.[1] ?? 0);
  const to = Number(match?.[2] ?? match?.[1] ?? 0);
  if (from >= 1 && to >= from) return { from, to };
  throw new WinnowError("invalid_argument", `"${text}" is not a range of lines.`, {
    hint: "Write a line such as 25, or lines such as 10-40.",
  });
}

/** A document as it was indexed, whole or some of its lines. Rejects with `document_not_found`. */
export async function readDocument(
  corpora: readonly CorpusReader[],
  documentId: string,
  range?: LineRange,
): Promise<DocumentText> {
  const { corpus, chunks } = await readFirst(corpora, documentId);
  const [first] = chunks;
  if (first === undefined) throw notFound(documentId);
  const lines = chunks
    .map((chunk) => chunk.text)
    .join("")
    .split("\n");
  const total = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  if (range !== undefined && range.from > total) {
    throw new WinnowError("invalid_argument", `${documentId} has ${total} lines.`, {
      hint: "Ask for lines that it has.",
    });
  }
  const shown = { from: range?.from ?? 1, to: Math.min(range?.to ?? total, total) };
  const { uri, title, metadata } = first;
  const text = lines.slice(shown.from - 1, shown.to).join("\n");
  return { schema: "document/1", corpus, id: documentId, uri, title, metadata, lines: shown, linesTotal: total, text };
}

async function readFirst(
  corpora: readonly CorpusReader[],
  documentId: string,
): Promise<{ corpus: string; chunks: readonly Chunk[] }> {
  for (const corpus of corpora) {
    try {
      return { corpus: corpus.name, chunks: await corpus.read({ documentId }) };
    } catch (error) {
      if (!(WinnowError.isInstance(error) && error.code === "document_not_found")) throw error;
    }
  }
  throw notFound(documentId);
}

function notFound(documentId: string): WinnowError {
  return new WinnowError("document_not_found", `The index holds no document "${documentId}".`, {
    hint: "Documents are named as winnow find prints them; winnow status tells what is indexed.",
  });
}
