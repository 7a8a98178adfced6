import type { Segment } from "./segments.ts";

export type SegmentRule =
  | "lengths"
  | "mask"
  | "first_masked"
  | "logprobs"
  | "vocabulary"
  | "too_long"
  | "sampled_total"
  | "advantage"
  | "order";

export interface SegmentProblem {
  readonly rollout: string;
  /** Index of the segment; null for what concerns the rollout as a whole. */
  readonly segment: number | null;
  readonly rule: SegmentRule;
  /** Names rollout, segment and rule. */
  readonly message: string;
}

export interface SegmentLimits {
  /** One more than the largest id that the engine knows. */
  readonly vocabularySize: number;
  /** Longest segment that the engine takes, tokens. */
  readonly tokensMax: number;
  /** Sampled tokens by rollout, from the records: what the masks must add up to. Not checked for rollouts left out. */
  readonly sampledTokens?: ReadonlyMap<string, number>;
}

/**
 * What is wrong with segments that are about to be trained on; nothing, when they are as they must be: arrays of equal
 * length; a mask of zeros and ones that begins with 0 and has a 1; log-probabilities finite and at most 0 where the mask
 * is 1, and 0 elsewhere; ids inside the vocabulary; no segment longer than the engine takes; and in each rollout all
 * segments side by side, numbered from 0, the last one marked, under one advantage, with masks that add up to the sampled
 * tokens. At most one problem for each segment and rule.
 */
export function validateSegments(segments: readonly Segment[], limits: SegmentLimits): SegmentProblem[] {
  const problems = segments.flatMap((segment) => segmentProblems(segment, limits));
  const rollouts = new Map<string, Segment[]>();
  let last: string | undefined;
  for (const segment of segments) {
    const { rollout_id: rollout } = segment;
    const known = rollouts.get(rollout);
    if (known !== undefined && last !== rollout) {
      problems.push(problem(segment, "order", `stands apart from segment ${segment.segment_index - 1}`));
    }
    if (known === undefined) rollouts.set(rollout, [segment]);
    else known.push(segment);
    last = rollout;
  }
  for (const [rollout, members] of rollouts) problems.push(...rolloutProblems(rollout, members, limits));
  return problems;
}

function segmentProblems(segment: Segment, { vocabularySize, tokensMax }: SegmentLimits): SegmentProblem[] {
  const { tokens, mask, logprobs } = segment;
  const problems: SegmentProblem[] = [];
  const report = (rule: SegmentRule, what: string | undefined): void => {
    if (what !== undefined) problems.push(problem(segment, rule, what));
  };
  const { length } = tokens;
  if (mask.length !== length || logprobs.length !== length) {
    report("lengths", `has ${length} tokens, a mask of ${mask.length} and ${logprobs.length} log-probabilities`);
  }
  report("mask", maskProblem(mask));
  if (mask[0] === 1) report("first_masked", "is to train its first token, which follows from nothing");
  report("logprobs", logprobProblem(mask, logprobs));
  const stranger = tokens.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
  if (stranger >= 0) report("vocabulary", `has the id ${tokens[stranger]} at ${stranger}, not below ${vocabularySize}`);
  if (length > tokensMax) report("too_long", `has ${length} tokens, more than ${tokensMax}`);
  return problems;
}

function maskProblem(mask: readonly number[]): string | undefined {
  const odd = mask.findIndex((value) => value !== 0 && value !== 1);
  if (odd >= 0) return `has a mask of ${mask[odd]} at ${odd}`;
  return mask.includes(1) ? undefined : "has no token to train";
}

function logprobProblem(mask: readonly number[], logprobs: readonly number[]): string | undefined {
  const wrong = logprobs.findIndex((value, i) =>
    mask[i] === 1 ? !(Number.isFinite(value) && value <= 0) : value !== 0,
  );
  if (wrong < 0) return undefined;
  return `has a log-probability of ${logprobs[wrong]} at ${wrong}, where the mask is ${mask[wrong]}`;
}

function rolloutProblems(rollout: string, segments: readonly Segment[], limits: SegmentLimits): SegmentProblem[] {
  const problems: SegmentProblem[] = [];
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment.segment_index !== i) problems.push(problem(segment, "order", `stands at place ${i} of its rollout`));
    else if (segment.is_last !== isLast) {
      problems.push(problem(segment, "order", isLast ? "is not marked as the last" : "is marked as the last"));
    }
    const { advantage } = segment;
    const first = segments[0]?.advantage;
    if (advantage !== null && !Number.isFinite(advantage)) {
      problems.push(problem(segment, "advantage", `has an advantage of ${advantage}`));
    } else if (advantage !== first) {
      problems.push(problem(segment, "advantage", `has an advantage of ${advantage}, segment 0 one of ${first}`));
    }
  }
  const expected = limits.sampledTokens?.get(rollout);
  const trained = segments.reduce((total, { mask }) => total + mask.filter((value) => value === 1).length, 0);
  if (expected !== undefined && trained !== expected) {
    const message = `Rollout ${rollout} is to train ${trained} tokens of ${expected} sampled ones (sampled_total).`;
    problems.push({ rollout, segment: null, rule: "sampled_total", message });
  }
  return problems;
}

function problem(segment: Segment, rule: SegmentRule, what: string): SegmentProblem {
  const { rollout_id: rollout, segment_index: index } = segment;
  return { rollout, segment: index, rule, message: `Segment ${index} of rollout ${rollout} ${what} (${rule}).` };
}
