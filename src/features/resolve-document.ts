import { resolve } from "node:path";
import { WinnowError } from "../core/errors.ts";
import { oneLine } from "../core/text.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { keyOfPath } from "./indexing/roots.ts";

/** Ids that an error names. */
const IDS_SHOWN_MAX = 3;

export interface ResolvedDocuments {
  readonly corpus: CorpusReader;
  /** One, or every row of a file that was named without a row. Never empty. */
  readonly ids: readonly string[];
  /** 1-based line that followed the name, as `winnow find` prints it. */
  readonly line?: number;
}

/**
 * The documents that a person means by a name: an id, or a path from `workingFolder` or absolute, either of them with
 * `:LINE` behind it. An exact id comes first. A name with a line is a path before it is an id, because that is what
 * `winnow find` prints. Undefined when no corpus holds it.
 */
export async function resolveDocuments(
  corpora: readonly CorpusReader[],
  name: string,
  workingFolder: string,
): Promise<ResolvedDocuments | undefined> {
  const exact = await firstHolding(corpora, async () => [name]);
  if (exact !== undefined) return exact;
  const byPath = (path: string) => firstHolding(corpora, (corpus) => keysOfPath(corpus, path, workingFolder));
  const [, bare, digits] = /^(.+):(\d{1,9})$/s.exec(name) ?? [];
  if (bare !== undefined && Number(digits) >= 1) {
    const placed = (await byPath(bare)) ?? (await firstHolding(corpora, async () => [bare]));
    if (placed !== undefined) return { ...placed, line: Number(digits) };
  }
  return byPath(name);
}

/** Ids of the documents that `names` stand for, with every row of a file. Rejects with `document_not_found`. */
export async function resolveDocumentIds(
  corpora: readonly CorpusReader[],
  names: readonly string[],
  workingFolder: string,
): Promise<readonly string[]> {
  const ids = new Set<string>();
  for (const name of names) {
    const resolved = await resolveDocuments(corpora, name, workingFolder);
    if (resolved === undefined) throw documentNotFound(name);
    for (const id of resolved.ids) ids.add(id);
  }
  return [...ids];
}

/** The one document that `name` stands for. Rejects with `document_not_found`, naming rows where it is a file of rows. */
export async function resolveDocument(
  corpora: readonly CorpusReader[],
  name: string,
  workingFolder: string,
): Promise<{ readonly corpus: CorpusReader; readonly id: string; readonly line?: number }> {
  const resolved = await resolveDocuments(corpora, name, workingFolder);
  const [id] = resolved?.ids ?? [];
  if (resolved === undefined || id === undefined) throw documentNotFound(name);
  const { corpus, ids, line } = resolved;
  if (ids.length === 1) return { corpus, id, ...(line === undefined ? {} : { line }) };
  const shown = ids.slice(0, IDS_SHOWN_MAX).map((row) => oneLine(row, 80));
  const more = ids.length > shown.length ? ", …" : "";
  throw new WinnowError(
    "document_not_found",
    `"${oneLine(name, 200)}" holds ${ids.length} documents, one for each row.`,
    { hint: `Name one of them: ${shown.join(", ")}${more}` },
  );
}

function documentNotFound(name: string): WinnowError {
  return new WinnowError("document_not_found", `The index holds no document "${oneLine(name, 200)}".`, {
    hint: "Documents are named as winnow find prints them; winnow status tells what is indexed.",
  });
}

async function firstHolding(
  corpora: readonly CorpusReader[],
  keysOf: (corpus: CorpusReader) => Promise<readonly string[]>,
): Promise<ResolvedDocuments | undefined> {
  for (const corpus of corpora) {
    for (const key of await keysOf(corpus)) {
      const ids = (await holds(corpus, key)) ? [key] : ((await corpus.documentsOf?.(key)) ?? []);
      if (ids.length > 0) return { corpus, ids };
    }
  }
  return undefined;
}

async function holds(corpus: CorpusReader, documentId: string): Promise<boolean> {
  try {
    await corpus.read({ documentId, from: 0, to: 0 });
    return true;
  } catch (error) {
    if (WinnowError.isInstance(error) && error.code === "document_not_found") return false;
    throw error;
  }
}

/** Ids that a path may have in a corpus: whole, and with what follows its first `#` as a row. */
async function keysOfPath(corpus: CorpusReader, path: string, workingFolder: string): Promise<readonly string[]> {
  const { base } = await corpus.info();
  if (base === undefined || path === "" || path.includes("\0")) return [];
  const keyOf = (place: string) => keyOfPath(base, resolve(workingFolder, place));
  const hash = path.indexOf("#");
  return hash < 1 ? [keyOf(path)] : [keyOf(path), `${keyOf(path.slice(0, hash))}${path.slice(hash)}`];
}
