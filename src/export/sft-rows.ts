import type { RunRecord } from "../record/reader.ts";
import { spliceTurns } from "./splice.ts";
import { tokenTurnsOf } from "./token-turns.ts";

/** Label of tokens that are not to be learnt: the index that PyTorch's cross-entropy ignores. */
export const IGNORED_LABEL = -100;

/** A row for supervised training, tokenised already: it does not depend on any chat template. */
export interface SftRow {
  readonly input_ids: readonly number[];
  /** Equal to `input_ids` where the token is to be learnt, else `IGNORED_LABEL`; not shifted. */
  readonly labels: readonly number[];
}

/**
 * One row for each segment of a run. Only decisions that the run accepted are learnt: nobody should imitate rejected or
 * cut answers, and segments of nothing else give no row. Token ids that are text encoded again will do here. Rejects as
 * `tokenTurnsOf` does.
 */
export function sftRowsOf(record: RunRecord): SftRow[] {
  const rows: SftRow[] = [];
  for (const { tokens, completions } of spliceTurns(tokenTurnsOf(record))) {
    const labels = tokens.map(() => IGNORED_LABEL);
    let learnt = 0;
    for (const { decision, start, end } of completions) {
      if (decision.finishReason !== "calls" && decision.finishReason !== "stop") continue;
      for (let i = start; i < end; i++) labels[i] = tokens[i] ?? IGNORED_LABEL;
      learnt += end - start;
    }
    if (learnt > 0) rows.push({ input_ids: tokens, labels });
  }
  return rows;
}
