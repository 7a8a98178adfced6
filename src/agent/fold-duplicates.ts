import { findSuperseded } from "../core/supersession.ts";
import type { DocumentName } from "../core/types.ts";
import type { RecordedChunk, RecordedDocument } from "../record/events.ts";
import { areNearDuplicates, type Fingerprint, fingerprint } from "../retrieval/find/near-duplicates.ts";
import { documentKeyOf } from "./context/id-book.ts";

/** Documents that are compared, of a list and of what else the run has seen. */
const COMPARED_MAX = 200;
/** Chunks of a document that are compared. */
const CHUNKS_MAX = 8;

interface Kept {
  readonly document: RecordedDocument;
  readonly seen: Fingerprint | undefined;
  readonly duplicates: DocumentName[];
}

/**
 * The first `documentsMax` documents of a list that say something of their own, as far as the run has seen them. Each
 * names its near-duplicates among the rest of the list and among `others`, what else the run has seen: they take no place,
 * and none in `others` gets one. A document that is out of date stands for itself.
 */
export function foldDuplicates(
  documents: readonly RecordedDocument[],
  others: readonly RecordedDocument[],
  chunkOf: (key: string) => RecordedChunk | undefined,
  documentsMax: number,
): RecordedDocument[] {
  const listed = new Set(documents.flatMap((document) => namesOf(document).map(keyOf)));
  const all = [...documents, ...others.filter((document) => !listed.has(keyOf(document)))];
  const outdated = outdatedOf(all, chunkOf);
  const kept: Kept[] = [];
  for (const [i, document] of all.entries()) {
    const isListed = i < documents.length;
    if (i >= COMPARED_MAX && (!isListed || kept.length >= documentsMax)) break;
    const seen = i >= COMPARED_MAX || outdated.has(document) ? undefined : seenOf(document, chunkOf);
    const original = seen && kept.find((other) => other.seen !== undefined && areNearDuplicates(seen, other.seen));
    if (original !== undefined) original.duplicates.push(...namesOf(document));
    else if (isListed && kept.length < documentsMax) {
      kept.push({ document, seen, duplicates: [...(document.duplicates ?? [])] });
    }
  }
  return kept.map(({ document, duplicates }) => (duplicates.length === 0 ? document : { ...document, duplicates }));
}

function namesOf({ corpus, id, duplicates = [] }: RecordedDocument): DocumentName[] {
  return [{ corpus, id }, ...duplicates];
}

function keyOf({ corpus, id }: DocumentName): string {
  return documentKeyOf({ corpus, documentId: id });
}

function seenOf(
  { chunks }: RecordedDocument,
  chunkOf: (key: string) => RecordedChunk | undefined,
): Fingerprint | undefined {
  const seen = chunks.flatMap((key) => chunkOf(key) ?? []);
  const [first] = seen;
  if (first === undefined) return undefined;
  const isWhole = seen.length === first.count && seen.length <= CHUNKS_MAX;
  const ordered = isWhole ? seen.sort((a, b) => a.index - b.index) : seen.slice(0, CHUNKS_MAX);
  return fingerprint({ title: first.title, passages: ordered.map(({ text }) => text), isWhole, chunks: first.count });
}

function outdatedOf(
  documents: readonly RecordedDocument[],
  chunkOf: (key: string) => RecordedChunk | undefined,
): ReadonlySet<RecordedDocument> {
  const outdated = new Set<RecordedDocument>();
  for (const corpus of new Set(documents.map((document) => document.corpus))) {
    const own = documents.filter((document) => document.corpus === corpus);
    const superseded = findSuperseded(
      own.flatMap(({ id, chunks: [key = ""] }) => {
        const chunk = chunkOf(key);
        return chunk === undefined ? [] : [{ id, uri: chunk.uri, title: chunk.title, metadata: chunk.metadata }];
      }),
    );
    for (const document of own) if (superseded.has(document.id)) outdated.add(document);
  }
  return outdated;
}
