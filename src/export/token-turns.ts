import { WinnowError } from "../core/errors.ts";
import type { DecisionEvent, EditEvent } from "../record/events.ts";
import type { RunRecord } from "../record/reader.ts";

/** A decision of the policy as token ids, and what was pruned since the one before it. */
export interface TokenTurn {
  readonly decision: DecisionEvent;
  readonly prompt: readonly number[];
  /** As sampled, never empty. */
  readonly completion: readonly number[];
  /** One per completion id; absent when the server gave none. */
  readonly logprobs?: readonly number[];
  readonly renderer: string;
  /** False when the ids are the text encoded again. */
  readonly sampled: boolean;
  /** Edits since the last decision with token ids, without those that removed nothing. */
  readonly edits: readonly EditEvent[];
}

/**
 * Every decision of a record that sampled a token, in order, rejected attempts included, with its whole prompt. Rejects
 * records in which the policy answered without token ids (`invalid_argument`) and prompts that go on from tokens that
 * the record does not hold (`record_corrupt`).
 */
export function tokenTurnsOf(record: RunRecord): TokenTurn[] {
  const turns: TokenTurn[] = [];
  let edits: EditEvent[] = [];
  let last: readonly number[] = [];
  for (const event of record.events) {
    if (event.type === "edit" && event.pruned.length > 0) edits.push(event);
    if (event.type !== "decision") continue;
    const { tokens } = event;
    if (tokens === undefined) {
      // A call that failed has sampled nothing that anyone knows of.
      if (event.finishReason === "error") continue;
      throw withoutTokens(record, event);
    }
    const { keep, add } = tokens.prompt;
    if (keep > last.length) {
      throw new WinnowError(
        "record_corrupt",
        `The record of run ${record.header.runId} is damaged: the prompt of turn ${event.turn} keeps ${keep} tokens of ${last.length}.`,
      );
    }
    const prompt = [...last.slice(0, keep), ...add];
    last = [...prompt, ...tokens.completion];
    if (tokens.completion.length === 0) continue;
    const { completion, logprobs, renderer, sampled } = tokens;
    turns.push({
      decision: event,
      prompt,
      completion,
      ...(logprobs === undefined ? {} : { logprobs }),
      renderer,
      sampled,
      edits,
    });
    edits = [];
  }
  if (turns.length === 0) throw withoutTokens(record, undefined);
  return turns;
}

function withoutTokens({ header }: RunRecord, decision: DecisionEvent | undefined): WinnowError {
  const where = decision === undefined ? "" : ` at turn ${decision.turn}, attempt ${decision.attempt}`;
  return new WinnowError("invalid_argument", `The record of run ${header.runId} holds no token ids${where}.`, {
    hint: `Only runs of a policy that speaks in tokens hold them, for example --policy harmony:MODEL; this one was made by "${header.policy.name}".`,
  });
}
