import type { GrepSegmentEntry, ManifestItem } from "./manifest.ts";

/** More segments than this are merged, because every search opens each of them. */
export const GREP_SEGMENTS_MAX = 16;
/** Merging goes on until this many are left, so that it does not happen at every commit. */
const GREP_SEGMENTS_KEPT = 8;

/**
 * Which grep segments are to be written anew, into one: those of which more bytes are dead than live, those that are
 * damaged, and, where there are too many, the smallest. Segments in which nothing lives need no writing; they are
 * `dropped`.
 */
export function planGrepCompaction(
  segments: readonly GrepSegmentEntry[],
  items: Iterable<ManifestItem>,
  damaged: ReadonlySet<number> = new Set(),
): { readonly merged: ReadonlySet<number>; readonly dropped: ReadonlySet<number> } {
  const live = new Map<number, number>();
  const inhabited = new Set<number>();
  for (const { segment, textBytes, documents } of items) {
    live.set(segment, (live.get(segment) ?? 0) + textBytes);
    if (documents > 0) inhabited.add(segment);
  }
  const liveBytes = (entry: GrepSegmentEntry): number => live.get(entry.segment) ?? 0;
  const dropped = segments.filter(({ segment }) => !inhabited.has(segment));
  const kept = segments.filter(({ segment }) => inhabited.has(segment));
  const merged = kept.filter((entry) => damaged.has(entry.segment) || isMostlyDead(entry, liveBytes(entry)));
  const sound = kept.filter((entry) => !merged.includes(entry)).sort((a, b) => a.bytes - b.bytes);
  if (sound.length > GREP_SEGMENTS_MAX) merged.push(...sound.slice(0, sound.length - GREP_SEGMENTS_KEPT + 1));
  const numbers = (entries: readonly GrepSegmentEntry[]) => new Set(entries.map(({ segment }) => segment));
  return { merged: numbers(merged), dropped: numbers(dropped) };
}

/** Two bytes of each document frame it (see grep/segment.ts), which is not worth writing a segment again for. */
function isMostlyDead(entry: GrepSegmentEntry, liveBytes: number): boolean {
  return entry.bytes - 2 * entry.documents > 2 * liveBytes;
}
