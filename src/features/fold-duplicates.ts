import { isArchived } from "../core/provenance.ts";
import { findSuperseded } from "../core/supersession.ts";
import type { DocumentName } from "../core/types.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import {
  areNearDuplicates,
  type Fingerprint,
  fingerprint,
  mayBeNearDuplicates,
} from "../retrieval/find/near-duplicates.ts";
import type { RankedDocument } from "../retrieval/find/rank-documents.ts";

/** Documents of a list that are compared; those behind are taken as they are. */
const COMPARED_MAX = 300;
/** Documents that are read to be sure of a likeness, and chunks of each. A longer document counts as long as this. */
const READ_DOCUMENTS_MAX = 40;
const READ_CHUNKS_MAX = 40;
/** Hits of a document that tell whether it is worth reading. */
const PASSAGES_MAX = 2;

export interface DistinctDocument extends RankedDocument {
  /** Documents behind it in the ranking that say the same in the same words. */
  readonly duplicates: readonly DocumentName[];
}

interface Kept {
  document: RankedDocument;
  readonly duplicates: DocumentName[];
  readonly seen: Fingerprint;
  whole?: Fingerprint | undefined;
}

/**
 * The first `documentsMax` documents of a ranking that say something of their own, each with its near-duplicates behind
 * it; of a copy in an archive and one outside, the latter. A document that is out of date by its own word or another's stands for itself: it is no copy, but a state.
 */
export async function foldDuplicates(
  corpora: readonly CorpusReader[],
  ranked: readonly RankedDocument[],
  documentsMax: number,
  signal: AbortSignal | undefined,
): Promise<DistinctDocument[]> {
  const outdated = outdatedOf(ranked);
  const kept: Kept[] = [];
  /** Which kept documents have a run of words, so that a document meets only those that it shares one with. */
  const holders = new Map<number, number[]>();
  const readWhole = wholeReader(corpora, signal);
  for (const [i, document] of ranked.entries()) {
    if (i >= COMPARED_MAX && kept.length >= documentsMax) break;
    const seen = fingerprintOfHits(document);
    const isCompared = i < COMPARED_MAX && !outdated.has(document);
    const original = isCompared ? await originalOf(document, seen, kept, holders, readWhole) : undefined;
    if (original !== undefined) {
      original.duplicates.push(putAway(original, document));
    } else if (kept.length < documentsMax) {
      if (isCompared) for (const shingle of seen.all) addTo(holders, shingle, kept.length);
      kept.push({ document, duplicates: [], seen });
    }
  }
  return kept.map(({ document, duplicates }) => ({ ...document, duplicates }));
}

function addTo(holders: Map<number, number[]>, shingle: number, place: number): void {
  const known = holders.get(shingle);
  if (known === undefined) holders.set(shingle, [place]);
  else known.push(place);
}

/** The name of the one of two that does not take the place: the better-ranked one only where it lies in an archive. */
function putAway(kept: Kept, copy: RankedDocument): DocumentName {
  const { document } = kept;
  const isSwapped = inArchive(document) && !inArchive(copy);
  if (isSwapped) kept.document = { ...copy, score: document.score };
  const { corpus, documentId } = isSwapped ? document : copy;
  return { corpus, id: documentId };
}

function inArchive({ hits: [best] }: RankedDocument): boolean {
  return best !== undefined && isArchived(best.chunk.metadata, best.chunk.uri);
}

async function originalOf(
  document: RankedDocument,
  seen: Fingerprint,
  kept: readonly Kept[],
  holders: ReadonlyMap<number, readonly number[]>,
  readWhole: (document: RankedDocument) => Promise<Fingerprint | undefined>,
): Promise<Kept | undefined> {
  const near = new Set([...seen.all].flatMap((shingle) => holders.get(shingle) ?? []));
  let whole: Fingerprint | undefined;
  for (const i of [...near].sort((a, b) => a - b)) {
    const other = kept[i];
    if (other === undefined || !mayBeNearDuplicates(seen, other.seen)) continue;
    whole ??= seen.isWhole ? seen : await readWhole(document);
    other.whole ??= other.seen.isWhole ? other.seen : await readWhole(other.document);
    if (whole === undefined || other.whole === undefined) return undefined;
    if (areNearDuplicates(whole, other.whole)) return other;
  }
  return undefined;
}

function fingerprintOfHits({ hits }: RankedDocument): Fingerprint {
  const chunks = hits[0]?.chunk.count ?? 1;
  const passages = hits.slice(0, PASSAGES_MAX).map(({ chunk }) => chunk.text);
  return fingerprint({ title: hits[0]?.chunk.title ?? "", passages, isWhole: chunks === 1, chunks });
}

/** Reads the beginning of a document; undefined where the limit is reached or it went away meanwhile. */
function wholeReader(corpora: readonly CorpusReader[], signal: AbortSignal | undefined) {
  let left = READ_DOCUMENTS_MAX;
  return async ({ corpus, documentId, hits }: RankedDocument): Promise<Fingerprint | undefined> => {
    const reader = corpora.find(({ name }) => name === corpus);
    if (reader === undefined || left-- <= 0) return undefined;
    const range = { documentId, from: 0, to: READ_CHUNKS_MAX - 1, ...(signal === undefined ? {} : { signal }) };
    const chunks = await reader.read(range).catch(() => {
      signal?.throwIfAborted();
      return [];
    });
    if (chunks.length === 0) return undefined;
    const passages = chunks.map(({ text }) => text);
    return fingerprint({ title: hits[0]?.chunk.title ?? "", passages, isWhole: true, chunks: chunks.length });
  };
}

/** Ids are unique within a corpus only. */
function outdatedOf(ranked: readonly RankedDocument[]): ReadonlySet<RankedDocument> {
  const outdated = new Set<RankedDocument>();
  for (const corpus of new Set(ranked.map((document) => document.corpus))) {
    const own = ranked.filter((document) => document.corpus === corpus);
    const superseded = findSuperseded(
      own.flatMap(({ documentId, hits: [best] }) => {
        if (best === undefined) return [];
        const { uri, title, metadata } = best.chunk;
        return [{ id: documentId, uri, title, metadata }];
      }),
    );
    for (const document of own) if (superseded.has(document.documentId)) outdated.add(document);
  }
  return outdated;
}
