import { WinnowError } from "../core/errors.ts";
import type { Metadata } from "../core/types.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { resolveDocument } from "./resolve-document.ts";

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

function isLineRange({ from, to }: LineRange): boolean {
  return Number.isInteger(from) && Number.isInteger(to) && from >= 1 && to >= from;
}

/**
 * A document as it was indexed, whole or some of its lines. `name` is an id, or a path from `workingFolder`, as
 * `winnow find` prints them; a line behind it says where to begin when there is no `range`. Rejects with
 * `document_not_found`, and with `invalid_argument` for a range that is none.
 */
export async function readDocument(
  corpora: readonly CorpusReader[],
  name: string,
  workingFolder: string,
  range?: LineRange,
): Promise<DocumentText> {
  if (range !== undefined && !isLineRange(range)) {
    throw new WinnowError("invalid_argument", "These are no lines of a document.", {
      hint: "Write { from: 10, to: 40 }, counted from 1.",
    });
  }
  const { corpus, id, line } = await resolveDocument(corpora, name, workingFolder);
  const chunks = await corpus.read({ documentId: id });
  const [first] = chunks;
  if (first === undefined) throw new WinnowError("document_not_found", `The document "${id}" is gone.`);
  const lines = chunks
    .map((chunk) => chunk.text)
    .join("")
    .split("\n");
  const total = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  const from = range?.from ?? line ?? 1;
  if (from > 1 && from > total) {
    throw new WinnowError("invalid_argument", `${id} has ${total} lines.`, { hint: "Ask for lines that it has." });
  }
  const shown = { from, to: Math.min(range?.to ?? total, total) };
  const { uri, title, metadata } = first;
  const text = lines.slice(shown.from - 1, shown.to).join("\n");
  return { schema: "document/1", corpus: corpus.name, id, uri, title, metadata, lines: shown, linesTotal: total, text };
}
