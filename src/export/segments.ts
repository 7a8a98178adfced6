import { WinnowError } from "../core/errors.ts";
import type { FinishReason } from "../record/events.ts";
import type { RunRecord } from "../record/reader.ts";
import { type SegmentEdit, type SplicedSegment, spliceTurns } from "./splice.ts";
import { type TokenTurn, tokenTurnsOf } from "./token-turns.ts";
import { tokenizerOf } from "./tokenizers.ts";

export const SEGMENT_SCHEMA = "segment/1";

/** Sampling settings; null where they are not known, or not limited. */
export interface SegmentSampling {
  readonly temperature: number | null;
  readonly top_p: number | null;
  readonly top_k: number | null;
}

/**
 * The unit of training: one line of JSON, exchanged with engines (reference: training-and-serving.md §4.1), hence the
 * names with underscores.
 */
export interface Segment {
  readonly schema: typeof SEGMENT_SCHEMA;
  readonly run_id: string;
  readonly step: number;
  readonly group_id: string;
  readonly rollout_id: string;
  /** From 0 within the rollout. */
  readonly segment_index: number;
  readonly is_last: boolean;
  /** Prompt, completions and the tool results between them. */
  readonly tokens: readonly number[];
  /** 1 where the policy sampled the token. */
  readonly mask: readonly (0 | 1)[];
  /** The sampler's natural log-probability where the mask is 1, else 0. */
  readonly logprobs: readonly number[];
  /** Equal in all segments of a rollout; null until someone has judged it. */
  readonly advantage: number | null;
  readonly reward: number | null;
  /** Spans of tokens by the version of the weights; empty where it is not known. */
  readonly policy_versions: readonly { readonly version: string; readonly start: number; readonly end: number }[];
  /** Of the last completion. */
  readonly finish_reason: FinishReason;
  /** True when the last completion was cut at its limit. */
  readonly truncated: boolean;
  /** Turns that have a completion here; several attempts of a turn count once. */
  readonly turns: readonly number[];
  readonly edit: SegmentEdit;
  /** Null for a renderer whose tokenizer is not known here. */
  readonly tokenizer_sha: string | null;
  readonly renderer_version: string;
  readonly sampling: SegmentSampling;
}

export interface SegmentOptions {
  /** The training run; default the id of the recorded run. */
  readonly runId?: string;
  /** Optimizer step at which the rollout was made; default 0. */
  readonly step?: number;
  /** Rollouts that are compared with each other; default the run's parent, else the run. */
  readonly groupId?: string;
  readonly advantage?: number;
  readonly reward?: number;
  /** Version of the weights that sampled all of it. */
  readonly policyVersion?: string;
}

/**
 * The segments of one rollout. Every attempt that sampled tokens is in them, also those that were rejected or cut: their
 * tokens came from the policy too, and each trains exactly once, under the rollout's advantage, in the segment whose
 * `finish_reason` tells. Rejects with `invalid_argument` when the record cannot be trained from: it has no token ids, they
 * are text encoded again, log-probabilities are missing, or the run did not end.
 */
export function segmentsOf(record: RunRecord, options: SegmentOptions = {}): Segment[] {
  const turns = tokenTurnsOf(record);
  const renderer = checkTrainable(record, turns);
  const spliced = spliceTurns(turns);
  const { header } = record;
  return spliced.map((segment, i) => ({
    schema: SEGMENT_SCHEMA,
    run_id: options.runId ?? header.runId,
    step: options.step ?? 0,
    group_id: options.groupId ?? header.parent ?? header.runId,
    rollout_id: header.runId,
    segment_index: i,
    is_last: i === spliced.length - 1,
    ...trainedTokens(segment),
    advantage: options.advantage ?? null,
    reward: options.reward ?? null,
    policy_versions:
      options.policyVersion === undefined
        ? []
        : [{ version: options.policyVersion, start: 0, end: segment.tokens.length }],
    ...endOf(segment),
    turns: [...new Set(segment.completions.map(({ decision }) => decision.turn))],
    edit: segment.edit,
    tokenizer_sha: tokenizerOf(renderer)?.sha256 ?? null,
    renderer_version: renderer,
    sampling: samplingOf(segment),
  }));
}

/** How many tokens the policy of a record sampled: what the masks of its segments must add up to. */
export function sampledTokensOf(record: RunRecord): number {
  return tokenTurnsOf(record).reduce((total, { completion }) => total + completion.length, 0);
}

function trainedTokens({ tokens, completions }: SplicedSegment): Pick<Segment, "tokens" | "mask" | "logprobs"> {
  const mask = tokens.map((): 0 | 1 => 0);
  const logprobs = tokens.map(() => 0);
  for (const completion of completions) {
    for (let i = completion.start; i < completion.end; i++) {
      mask[i] = 1;
      logprobs[i] = completion.logprobs?.[i - completion.start] ?? Number.NaN;
    }
  }
  return { tokens, mask, logprobs };
}

function endOf({ completions }: SplicedSegment): Pick<Segment, "finish_reason" | "truncated"> {
  const reason = completions.at(-1)?.decision.finishReason ?? "error";
  return { finish_reason: reason, truncated: reason === "length" };
}

/** Those of the first completion: a run samples all of them alike. */
function samplingOf({ completions }: SplicedSegment): SegmentSampling {
  const sampling = completions[0]?.decision.sampling;
  return { temperature: sampling?.temperature ?? null, top_p: sampling?.topP ?? null, top_k: null };
}

/** The one renderer of the record. */
function checkTrainable({ header, events }: RunRecord, turns: readonly TokenTurn[]): string {
  const refuse = (what: string, hint: string) =>
    new WinnowError("invalid_argument", `Run ${header.runId} gives no segments: ${what}.`, { hint });
  if (events.at(-1)?.type !== "end") {
    throw refuse("its record has no end", "Only finished runs can be rewarded; leave this one out.");
  }
  const renderer = turns[0]?.renderer ?? "";
  for (const { decision, sampled, logprobs, renderer: other } of turns) {
    const at = `turn ${decision.turn}, attempt ${decision.attempt}`;
    if (!sampled) {
      const hint = "Serve the model with a server that returns token ids; for supervised training, export SFT rows.";
      throw refuse(`at ${at} the server gave text, whose ids need not be those that were sampled`, hint);
    }
    if (logprobs === undefined) {
      throw refuse(`at ${at} the server gave no log-probabilities`, "Make the runs with log-probabilities on.");
    }
    if (other !== renderer) {
      throw refuse(`it was rendered by both ${renderer} and ${other}`, "Leave this run out.");
    }
  }
  return renderer;
}
