import { z } from "zod/mini";
import type { QueryOutcome, QueryScores, SystemAnswer } from "./query-outcome.ts";

// Apart from the types, so that the published declarations do not name zod, which users do not have.

const measure = z.number().check(z.minimum(0), z.maximum(1));
const atCutOffs = z.object({ "2": measure, "5": measure, "10": measure, "30": measure });
const count = z.number().check(z.minimum(0));
const ids = z.array(z.string());

const scoresSchema: z.ZodMiniType<QueryScores> = z.object({
  listLength: count,
  recall: measure,
  precision: measure,
  f1: measure,
  allGold: measure,
  answerFound: z.nullable(measure),
  trajectoryRecall: measure,
  pruneAccuracy: z.nullable(measure),
  prunes: count,
  recallAt: atCutOffs,
  allGoldAt: atCutOffs,
  // Evaluations from before it was measured do not have it.
  ndcgAt: z._default(z.nullable(z.object({ "10": measure })), null),
});

const answerSchema = z.object({
  documents: ids,
  seen: ids,
  pruned: ids,
  turns: count,
  toolCalls: count,
  promptTokens: count,
  completionTokens: count,
  seconds: count,
  stopReason: z.string(),
});

/** The answer as it will be stored, or undefined when it is not one (`NaN` seconds, say), which could not be read back. */
export function checkedAnswer(answer: SystemAnswer): SystemAnswer | undefined {
  return answerSchema.safeParse(answer).data;
}

export const outcomeSchema: z.ZodMiniType<QueryOutcome> = z.object({
  query: z.string(),
  at: z.number(),
  gold: ids,
  grades: z.optional(z.array(z.number().check(z.positive()))),
  answer: z.nullable(answerSchema),
  error: z.nullable(z.object({ code: z.string(), message: z.string() })),
  scores: scoresSchema,
});
