import { WinnowError } from "../core/errors.ts";
import type { RunRecord } from "../record/reader.ts";
import { type Segment, type SegmentOptions, sampledTokensOf, segmentsOf } from "./segments.ts";
import { type SegmentLimits, validateSegments } from "./validate-segments.ts";

export interface ExportedRollouts {
  /** Valid, those of a rollout side by side. */
  readonly segments: readonly Segment[];
  readonly rollouts: number;
  /** Rollouts left out because a segment was longer than the engine takes: not to be counted in a group's baseline. */
  readonly tooLong: readonly string[];
}

/**
 * The segments of several records, validated. A rollout with an over-long segment is left out as a whole and named:
 * training on the rest of it would reward a part for the whole. Rejects as `segmentsOf` does, with `invalid_argument`
 * when a record is given twice, and with `record_corrupt` when what a record holds makes no valid segment, such as ids outside the vocabulary.
 */
export function exportRollouts(
  records: readonly RunRecord[],
  limits: Omit<SegmentLimits, "sampledTokens">,
  optionsOf: (record: RunRecord) => SegmentOptions = () => ({}),
): ExportedRollouts {
  const segments: Segment[] = [];
  const tooLong: string[] = [];
  const sampledTokens = new Map<string, number>();
  for (const record of records) {
    const { runId } = record.header;
    if (sampledTokens.has(runId)) throw new WinnowError("invalid_argument", `Run ${runId} is given twice.`);
    sampledTokens.set(runId, sampledTokensOf(record));
    const made = segmentsOf(record, optionsOf(record));
    if (made.some(({ tokens }) => tokens.length > limits.tokensMax)) tooLong.push(runId);
    else segments.push(...made);
  }
  const [problem] = validateSegments(segments, { ...limits, sampledTokens });
  if (problem !== undefined) throw new WinnowError("record_corrupt", problem.message);
  return { segments, rollouts: records.length - tooLong.length, tooLong };
}
