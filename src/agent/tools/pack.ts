import type { TokenCounter } from "../../core/token-counter.ts";
import type { RecordedChunk, RecordedHit, ToolResultEvent } from "../../record/events.ts";
import { headLinesOf, headLinesTokens } from "../context/blocks.ts";
import type { Context } from "../context/context.ts";
import type { Profile } from "../profiles/profile.ts";

/** A chunk that answers a call, best first, before it is known whether there is room for it. */
export interface Candidate {
  readonly chunk: RecordedChunk;
  readonly score?: number;
  readonly match?: { readonly line: number; readonly text: string };
}

export interface PackLimits {
  /** Chunks shown at most. */
  readonly hitsMax: number;
  /** Cap of the call, tokens. The first chunk may exceed it as long as it keeps to `roomTokens`. */
  readonly capTokens: number;
  /** What the context has room for, tokens. Never exceeded. */
  readonly roomTokens: number;
  /** Whether a pruned chunk is shown again (an explicit read under a recoverable profile). */
  readonly reviewPruned: boolean;
}

/** Heading line of a chunk in tokens, the ids and the count in it at their longest. */
const HEADING_TOKENS_MAX = 28;

/** Upper estimate of what showing a chunk costs. */
function cost(chunk: RecordedChunk, profile: Profile, counter: TokenCounter): number {
  return chunk.tokens + headLinesTokens(headLinesOf(chunk, profile), counter) + HEADING_TOKENS_MAX;
}

type Packed = Pick<ToolResultEvent, "chunks" | "hits" | "alreadyShown" | "hiddenPruned" | "omitted">;

/**
 * Fills a result with whole chunks in the given order until a limit is met. Chunks that stand in the context are named,
 * not repeated; chunks that were pruned are named too, unless they may be reviewed.
 */
export function pack(
  candidates: readonly Candidate[],
  context: Context,
  profile: Profile,
  counter: TokenCounter,
  limits: PackLimits,
): Packed {
  const chunks: RecordedChunk[] = [];
  const hits: RecordedHit[] = [];
  const alreadyShown: string[] = [];
  const hiddenPruned: string[] = [];
  let omitted = 0;
  let tokens = 0;
  const packed = new Set<string>();
  for (const { chunk, score, match } of candidates) {
    if (packed.has(chunk.key)) continue;
    packed.add(chunk.key);
    if (context.isVisible(chunk.key)) {
      alreadyShown.push(chunk.key);
      continue;
    }
    const known = context.wasShown(chunk.key);
    if (known && !limits.reviewPruned) {
      hiddenPruned.push(chunk.key);
      continue;
    }
    if (hits.length >= limits.hitsMax) {
      omitted++;
      continue;
    }
    const next = tokens + cost(chunk, profile, counter);
    const cap = hits.length === 0 ? limits.roomTokens : Math.min(limits.capTokens, limits.roomTokens);
    // Whole chunks in order: after the first one that does not fit, nothing smaller may jump the queue.
    if (omitted > 0 || next > cap) {
      omitted++;
      continue;
    }
    tokens = next;
    if (!known) chunks.push(chunk);
    hits.push({
      key: chunk.key,
      ...(score === undefined ? {} : { score }),
      ...(match === undefined ? {} : { match }),
    });
  }
  return { chunks, hits, alreadyShown, hiddenPruned, omitted };
}
