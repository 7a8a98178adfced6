import type { View } from "../../policy.ts";
import type { Evidence } from "./evidence.ts";
import type { Item } from "./pool.ts";
import { ranked, type Scores } from "./score.ts";

/** Best chunks that are never pruned. */
const KEEP_MIN = 2;

/**
 * The least relevant chunks, worst first, until at most `keepTokens` tokens of chunks are left; where that takes any, the
 * profile's batch besides.
 */
export function itemsToPrune(view: View, evidence: Evidence, scores: Scores, keepTokens: number): Item[] {
  if (!view.tools.some((tool) => tool.name === "prune_chunks")) return [];
  const tokens = new Map(evidence.chunks.map(({ chunk, tokens }) => [chunk.key, tokens]));
  const items: Item[] = [];
  let used = evidence.chunks.reduce((sum, { tokens }) => sum + tokens, 0);
  if (used <= keepTokens) return [];
  for (const item of ranked(scores).slice(KEEP_MIN).reverse()) {
    if (used <= keepTokens - view.pruneBatchTokens) break;
    used -= tokens.get(item.chunk.key) ?? 0;
    items.push(item);
  }
  return items;
}
