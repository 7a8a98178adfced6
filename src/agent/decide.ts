import { toWinnowError, WinnowError } from "../core/errors.ts";
import { truncate } from "../core/text.ts";
import type { RunFailure } from "../record/events.ts";
import { type CheckedDecision, checkDecision } from "./check-decision.ts";
import { promptHash } from "./context/context.ts";
import { reusableTokens } from "./context/prefix-cache.ts";
import type { RenderedContext } from "./context/rendered.ts";
import { pruneOldest } from "./make-room.ts";
import { ContextLengthError, type View } from "./policy.ts";
import { pruneBatchTokens } from "./profiles/profile.ts";
import type { Session } from "./session.ts";
import { toolSchemas } from "./tools/tool-schemas.ts";

/** Answers of the policy that one turn may cost: unusable ones and failures together. */
const ATTEMPTS_MAX = 3;
const WINDOW_HINT =
  "Set --context (contextTokens in the configuration) to the size of the server's window, or start the server with a larger one.";

export type Accepted = Pick<CheckedDecision, "reasoning" | "text" | "calls">;
export type DecideOutcome = Accepted | { readonly failure: RunFailure };

/**
 * Asks the policy until an answer can be used, at most three times, and records every answer. A prompt that the server
 * refuses as too long is edited once. Rejects only when the run's signal aborts.
 */
export async function decide(session: Session, mustConclude: boolean): Promise<DecideOutcome> {
  const { profile } = session.options;
  let failure: RunFailure = { code: "policy_failed", message: "The policy gave no usable answer." };
  let edited = false;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const context = session.context.render();
    const maxTokens = profile.budget.limit - context.tokens - session.extraTokens;
    if (maxTokens < profile.budget.reserveDecision) return { failure };
    const prompt = { promptHash: promptHash(context), promptTokens: context.tokens, maxTokens, attempt };
    const answer = await ask(session, context, maxTokens, mustConclude);
    if ("error" in answer) {
      const { code, message, hint } = answer.error;
      const error = { code, message };
      failure = { ...error, ...(hint === undefined ? {} : { hint }) };
      session.emit({
        type: "decision",
        ...prompt,
        finishReason: "error",
        calls: [],
        completionTokens: 0,
        error,
      });
      if (answer.tooLong && !edited) {
        edited = true;
        pruneOldest(session, Math.floor(session.used / 2), "emergency");
      } else if (!answer.error.retryable) return { failure };
      continue;
    }
    const { problem, dropped, tokens, ...read } = answer;
    account(session, context, read);
    const decision = { ...read, ...(tokens === undefined ? {} : { tokens: session.packTokens(tokens) }) };
    if (problem === undefined) {
      session.emit({
        type: "decision",
        ...prompt,
        ...decision,
        finishReason: decision.calls.length > 0 ? "calls" : "stop",
      });
      if (dropped > 0) {
        const message = `Only the first ${profile.callsPerTurnMax} calls of a turn are run; ${dropped} were dropped.`;
        session.emit({ type: "notice", code: "calls_dropped", message, shown: "once" });
      }
      return decision;
    }
    failure = { code: "policy_failed", message: problem.told };
    const finishReason = problem.code === "too_long" ? "length" : "rejected";
    session.emit({ type: "decision", ...prompt, ...decision, finishReason });
    session.emit({ type: "notice", code: problem.code, message: problem.message, shown: "once" });
  }
  return { failure };
}

type Answer = CheckedDecision | { readonly error: WinnowError; readonly tooLong: boolean };

async function ask(
  session: Session,
  context: RenderedContext,
  maxTokens: number,
  mustConclude: boolean,
): Promise<Answer> {
  const { policy, profile, counter, temperature } = session.options;
  const view: View = {
    query: session.header.query,
    context,
    ...(session.context.ranking && { ranking: session.context.ranking }),
    tools: toolSchemas(profile),
    maxTokens,
    documentsMax: session.header.documentsMax,
    corpora: session.header.corpora.length,
    mustConclude,
    conclusion: profile.conclusion,
    window: { tokens: profile.budget.limit, reserve: profile.budget.reserveDecision },
    pruneBatchTokens: pruneBatchTokens(profile),
    date: new Date(session.header.at).toISOString().slice(0, 10),
  };
  try {
    const value: unknown = await untilAborted(
      Promise.resolve().then(() =>
        policy.decide(view, {
          signal: session.signal,
          seed: session.header.seed,
          runId: session.header.runId,
          ...(temperature === undefined ? {} : { temperature }),
          onDelta: (kind, delta) => session.delta(kind, delta),
          onNotice: (code, message) => session.policyNotice(code, message),
        }),
      ),
      session.signal,
    );
    const callIds = (): string => session.nextCallId();
    return checkDecision(value, { counter, maxTokens, callsMax: profile.callsPerTurnMax, callIds });
  } catch (error) {
    session.signal.throwIfAborted();
    const known = toWinnowError(error, "policy_failed");
    const tooLong = error instanceof ContextLengthError;
    const hint = tooLong ? WINDOW_HINT : known.hint;
    const short = new WinnowError(known.code, truncate(known.message, 500), {
      retryable: known.retryable,
      cause: error,
      ...(hint === undefined ? {} : { hint: truncate(hint, 500) }),
    });
    return { error: short, tooLong };
  }
}

/** Rejects as soon as the signal aborts, whether or not the promise ever settles. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function account(
  session: Session,
  context: RenderedContext,
  decision: Omit<CheckedDecision, "problem" | "dropped" | "tokens">,
): void {
  const { usage } = decision;
  const reported = usage?.promptTokens;
  session.reportedTokens = reported;
  if (reported !== undefined) session.extraTokens = Math.max(0, reported - context.tokens);
  session.spent.prompt += reported ?? context.tokens;
  session.spent.completion += usage?.completionTokens ?? decision.completionTokens;
  session.spent.cached += usage?.cachedTokens ?? 0;
  session.spent.reusable += reusableTokens(session.lastPrompt, context);
  if (usage?.costUsd !== undefined) {
    session.spent.cost += usage.costUsd;
    session.spent.priced = true;
  }
  session.lastPrompt = context;
}
