import { areNearDuplicates, type Fingerprint, fingerprint } from "../../../retrieval/find/near-duplicates.ts";
import type { Item } from "./pool.ts";
import type { Scores } from "./score.ts";

/**
 * The first entries, by document, whose documents say something of their own, as far as they are in view; a document that
 * is not stands for itself.
 */
export function distinctDocuments<Entry>(entries: ReadonlyMap<string, Entry>, scores: Scores, count: number): Entry[] {
  const kept: { readonly entry: Entry; readonly seen: Fingerprint | undefined }[] = [];
  const inView = inViewOf(scores);
  for (const [document, entry] of entries) {
    if (kept.length === count) break;
    const seen = seenOf(inView.get(document));
    const isCopy = seen !== undefined && kept.some((other) => other.seen && areNearDuplicates(seen, other.seen));
    if (!isCopy) kept.push({ entry, seen });
  }
  return kept.map(({ entry }) => entry);
}

function inViewOf(scores: Scores): ReadonlyMap<string, readonly Item[]> {
  const documents = new Map<string, Item[]>();
  for (const [item] of [...scores].sort(([, a], [, b]) => b - a)) {
    const known = documents.get(item.chunk.shownDocumentId);
    if (known === undefined) documents.set(item.chunk.shownDocumentId, [item]);
    else known.push(item);
  }
  return documents;
}

/** How long a document is does not stand in view. */
function seenOf(items: readonly Item[] = []): Fingerprint | undefined {
  const [best] = items;
  if (best === undefined) return undefined;
  const passages = items.map(({ chunk }) => chunk.text);
  return fingerprint({ title: best.chunk.title, passages, isWhole: false, chunks: 1 });
}
