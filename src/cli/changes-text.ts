import type { IndexSummary } from "../features/index-corpus.ts";

/** What a refresh changed, e.g. `2 added, 1 removed`; empty where nothing did. */
export function changesText({ added, changed, renamed, removed }: IndexSummary): string {
  const counts = [
    [added, "added"],
    [changed, "changed"],
    [renamed, "renamed"],
    [removed, "removed"],
  ] as const;
  return counts.flatMap(([count, word]) => (count > 0 ? [`${count.toLocaleString("en-US")} ${word}`] : [])).join(", ");
}
