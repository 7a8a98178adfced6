import type { DecisionEvent } from "../record/events.ts";
import type { TokenTurn } from "./token-turns.ts";

/** A completion's place in its segment. */
export interface SplicedCompletion {
  readonly decision: DecisionEvent;
  /** First of its tokens, and one past its last. */
  readonly start: number;
  readonly end: number;
  readonly logprobs?: readonly number[];
}

/** Why a segment begins where it does. */
export interface SegmentEdit {
  /** `budget`: the harness pruned, not the policy. `rerender`: the prompt changed and nothing had been pruned. */
  readonly kind: "start" | "prune" | "budget" | "rerender";
  /** Keys of the chunks that were pruned since the decision before, by whom ever. */
  readonly removed_chunk_ids: readonly string[];
}

export interface SplicedSegment {
  readonly tokens: readonly number[];
  readonly completions: readonly SplicedCompletion[];
  readonly edit: SegmentEdit;
}

/**
 * Joins turns into segments by exact prefix: a turn belongs to the open segment when its prompt begins with all of that
 * segment's tokens; else it opens another with its whole prompt. There is no threshold and no realignment, so a
 * completion stands in one segment, behind exactly the tokens that it was sampled from (reference:
 * training-and-serving.md §4.1). A rejected attempt is not in the prompts that follow it, so it closes its segment.
 */
export function spliceTurns(turns: readonly TokenTurn[]): SplicedSegment[] {
  const segments: { tokens: number[]; completions: SplicedCompletion[]; edit: SegmentEdit }[] = [];
  for (const turn of turns) {
    let open = segments.at(-1);
    if (open === undefined || !startsWith(turn.prompt, open.tokens)) {
      open = { tokens: [], completions: [], edit: open === undefined ? START : editOf(turn) };
      segments.push(open);
    }
    append(open.tokens, turn.prompt, open.tokens.length);
    const start = open.tokens.length;
    append(open.tokens, turn.completion, 0);
    open.completions.push({
      decision: turn.decision,
      start,
      end: open.tokens.length,
      ...(turn.logprobs === undefined ? {} : { logprobs: turn.logprobs }),
    });
  }
  return segments;
}

const START: SegmentEdit = { kind: "start", removed_chunk_ids: [] };

function editOf({ edits }: TokenTurn): SegmentEdit {
  const kind = edits.some(({ by }) => by === "policy") ? "prune" : edits.length > 0 ? "budget" : "rerender";
  return { kind, removed_chunk_ids: [...new Set(edits.flatMap(({ pruned }) => pruned))] };
}

function startsWith(whole: readonly number[], prefix: readonly number[]): boolean {
  return prefix.length <= whole.length && prefix.every((id, i) => whole[i] === id);
}

function append(target: number[], source: readonly number[], from: number): void {
  for (let i = from; i < source.length; i++) target.push(source[i] ?? 0);
}
