import { recordedProfile } from "../../../src/agent/replay-record.ts";
import type { RunRecord } from "../../../src/record/parse-record.ts";
import type { Turn } from "./turns.ts";

export interface BudgetPoint {
  readonly turn: number;
  /** Tokens of the prompt that the turn's decision saw. */
  readonly prompt: number;
  /** Tokens in use when the turn was over; the prompt's where no budget was recorded. */
  readonly used: number;
  readonly freed: number;
  readonly errors: number;
}

/** Prompt tokens over the turns with the lines that bind them. All in tokens. */
export interface BudgetSeries {
  readonly points: readonly BudgetPoint[];
  readonly soft: number;
  readonly hard: number;
  readonly limit: number;
  /** The largest prompt of the run. */
  readonly peak: number;
}

export function budgetSeries(record: RunRecord, turns: readonly Turn[]): BudgetSeries {
  const { soft, hard, limit } = recordedProfile(record).budget;
  const points = turns.map((turn) => {
    const prompt = turn.decisions.at(-1)?.promptTokens ?? 0;
    return {
      turn: turn.number,
      prompt,
      used: turn.budget?.used ?? prompt,
      freed: turn.edits.reduce((sum, edit) => sum + edit.tokensFreed, 0),
      errors: turn.errors.length,
    };
  });
  return { points, soft, hard, limit, peak: points.reduce((most, { prompt }) => Math.max(most, prompt), 0) };
}
