import type { View } from "../../policy.ts";
import type { Evidence } from "./evidence.ts";

/** Searches of one turn at most. */
const SEARCHES_PER_TURN_MAX = 5;
/** Chunks that a search brings, for planning. */
const CHUNKS_PER_SEARCH = 8;
/** Share of the window that one search may bring: the profiles' cap for one call. */
const PER_SEARCH_SHARE = 1 / 8;
/** Share of the window that may be full after a turn: under the profiles' soft limit. */
const FILL_SHARE = 0.75;
/** Share of the room for chunks that a turn's new ones may take. */
const NEW_SHARE = 0.4;

/** What the window has room for in the next turn. */
export interface Room {
  /** 0 where a search would leave no room for a chunk beside its result. */
  readonly searches: number;
  /** Tokens of chunks that may stay beside what the searches bring. */
  readonly keepTokens: number;
}

/** Plans a turn: how many searches, and how much of what is in view may stay beside their results. */
export function roomFor(view: View, evidence: Evidence): Room {
  const limit = view.context.tokens + view.maxTokens;
  const chunkTokens = evidence.chunks.reduce((sum, { tokens }) => sum + tokens, 0);
  const each = chunkTokens / Math.max(1, evidence.chunks.length);
  // Everything but chunks: instructions, calls, usage lines and stubs, which nothing takes away again.
  const fixed = view.context.tokens - chunkTokens;
  const space = FILL_SHARE * limit - fixed;
  const perSearch = Math.max(1, each, Math.min(CHUNKS_PER_SEARCH * each, PER_SEARCH_SHARE * limit));
  const fitting = Math.max(0, Math.min(2, Math.floor((space - each) / perSearch)));
  const wanted = Math.floor((NEW_SHARE * space) / perSearch);
  const searches = Math.min(SEARCHES_PER_TURN_MAX, Math.max(wanted, fitting));
  return { searches, keepTokens: space - searches * perSearch };
}
