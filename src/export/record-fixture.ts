import { chat } from "../agent/profiles/chat.ts";
import {
  type DecisionEvent,
  type EventBody,
  RECORD_SCHEMA,
  type RecordEvent,
  type RecordedTokens,
} from "../record/events.ts";
import type { RunRecord } from "../record/reader.ts";

const ZERO_USAGE = {
  turns: 0,
  toolCalls: 0,
  promptTokens: 0,
  completionTokens: 0,
  cachedTokens: 0,
  reusableTokens: 0,
  prunedChunks: 0,
  shownChunks: 0,
  seconds: 0,
  costUsd: null,
} as const;

/** For tests: the end of a run that finished. */
export const ENDED: EventBody = {
  type: "end",
  stopReason: "finished",
  concluded: "policy",
  outcome: "found",
  documents: [],
  usage: ZERO_USAGE,
};

/** For tests: a record of hand-written events, each with its turn. */
export function recordOf(...events: (EventBody & { readonly turn?: number })[]): RunRecord {
  let turn = 0;
  const numbered = events.map((event, i) => {
    turn = event.turn ?? turn;
    return { seq: i + 1, at: i, ...event, turn } as RecordEvent;
  });
  return {
    header: {
      type: "header",
      schema: RECORD_SCHEMA,
      runId: "r1",
      at: 0,
      harness: "test",
      query: "q",
      corpora: [],
      policy: { name: "harmony" },
      profile: { ...chat } as never,
      hashes: { profile: "", prompt: "", tools: "" },
      tokenCounter: "words",
      seed: 0,
      documentsMax: 10,
      steering: { where: [], exclude: [], known: [] },
      turnsMax: 10,
    },
    events: numbered,
    torn: false,
  };
}

/** For tests: a decision with token ids; the log-probability of id n is −n / 100. */
export function sampledDecision(
  turn: number,
  prompt: RecordedTokens["prompt"],
  completion: readonly number[],
  part: Partial<DecisionEvent> & { readonly tokens?: RecordedTokens } = {},
): EventBody<DecisionEvent> & { readonly turn: number } {
  return {
    type: "decision",
    attempt: 1,
    promptHash: "",
    promptTokens: 0,
    maxTokens: 100,
    finishReason: "calls",
    calls: [],
    completionTokens: 0,
    tokens: { prompt, completion, logprobs: completion.map((id) => -id / 100), renderer: "harmony/1", sampled: true },
    ...part,
    turn,
  };
}
