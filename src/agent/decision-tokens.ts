import { wellFormed } from "../core/text.ts";
import type { DecisionRepair, SamplingSettings } from "../record/events.ts";

/** What a policy that works on raw tokens has to put on record beside its decision. */
export interface DecisionTokens {
  /** The whole prompt, as sent. */
  readonly prompt: readonly number[];
  /** As sampled, stop token included. */
  readonly completion: readonly number[];
  /** One per completion id, natural log. */
  readonly logprobs?: readonly number[];
  /** What made the prompt's ids, with its version. */
  readonly renderer: string;
  /** False when the server gave no ids and the text was encoded again. */
  readonly sampled: boolean;
}

/** Ids of one prompt and its completion together; no window is larger. */
const IDS_MAX = 2_000_000;
const REPAIRS_MAX = 64;
const NAME_UNITS_MAX = 100;
/** Log-probabilities of certain tokens come out a little above zero where servers round. */
const ROUNDING_MAX = 0.001;

type Given = Readonly<Record<string, unknown>>;
const asGiven = (value: unknown): Given => (typeof value === "object" && value !== null ? (value as Given) : {});

/** Tokens in the shape that a record can hold; undefined for what is none. Unusable log-probabilities are left out. */
export function checkedTokens(value: unknown): DecisionTokens | undefined {
  const { prompt, completion, logprobs, renderer, sampled } = asGiven(value);
  if (!isIds(prompt) || !isIds(completion) || prompt.length + completion.length > IDS_MAX) return undefined;
  if (typeof renderer !== "string") return undefined;
  const known = checkedLogprobs(logprobs, completion.length);
  return {
    prompt,
    completion,
    ...(known === undefined ? {} : { logprobs: known }),
    renderer: renderer.slice(0, NAME_UNITS_MAX),
    sampled: sampled === true,
  };
}

function isIds(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((id) => Number.isSafeInteger(id) && id >= 0);
}

function checkedLogprobs(value: unknown, length: number): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length !== length) return undefined;
  const fine = value.every((item) => typeof item === "number" && Number.isFinite(item) && item <= ROUNDING_MAX);
  return fine ? (value as readonly number[]).map((item) => Math.min(0, item)) : undefined;
}

/** At most 64 repairs, those that are none left out. */
export function checkedRepairs(value: unknown): readonly DecisionRepair[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).slice(0, REPAIRS_MAX).flatMap((item) => {
    const { code, at, detail } = asGiven(item);
    if (typeof code !== "string" || typeof at !== "number" || !Number.isSafeInteger(at) || at < 0) return [];
    const shown = typeof detail === "string" ? { detail: wellFormed(detail.slice(0, NAME_UNITS_MAX)) } : {};
    return [{ code: code.slice(0, NAME_UNITS_MAX), at, ...shown }];
  });
}

/** The settings that are numbers; undefined where none is. */
export function checkedSampling(value: unknown): SamplingSettings | undefined {
  const { temperature, topP, seed } = asGiven(value);
  const numbers = Object.entries({ temperature, topP, seed }).filter(([, one]) => Number.isFinite(one));
  return numbers.length === 0 ? undefined : (Object.fromEntries(numbers) as SamplingSettings);
}
