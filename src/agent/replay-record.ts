import type { TokenCounter } from "../core/token-counter.ts";
import type { RunRecord } from "../record/reader.ts";
import { Context, promptHash } from "./context/context.ts";
import type { RenderedContext } from "./context/rendered.ts";
import type { Profile } from "./profiles/profile.ts";

export interface ReplayedDecision {
  readonly turn: number;
  readonly attempt: number;
  readonly context: RenderedContext;
  /** True when the bytes are those that the policy was shown. */
  readonly same: boolean;
}

/**
 * Renders the prompt of every decision from the record alone and compares it with the hash taken when it was shown.
 * Needs no corpus. The profile is the record's own.
 */
export function* replayRecord(record: RunRecord, counter: TokenCounter): Generator<ReplayedDecision> {
  const context = new Context(record.header, recordedProfile(record), counter);
  for (const event of record.events) {
    if (event.type === "decision") {
      const rendered = context.render();
      const same = promptHash(rendered) === event.promptHash && rendered.tokens === event.promptTokens;
      yield { turn: event.turn, attempt: event.attempt, context: rendered, same };
    }
    context.apply(event);
  }
}

/** The profile that a record carries. Records are written by us; the reader has checked the header's frame. */
export function recordedProfile(record: RunRecord): Profile {
  return record.header.profile as unknown as Profile;
}
