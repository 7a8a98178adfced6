import { WinnowError } from "../../core/errors.ts";
import type { RunRecord } from "../../record/reader.ts";
import { TokenChain } from "../../record/token-chain.ts";
import type { Policy } from "../policy.ts";

/**
 * Repeats the decisions of a record, discarded ones included, against whatever corpus the new run searches. Rejects with
 * `policy_failed` when the new run asks for more decisions than the record holds.
 */
export function replayPolicy(record: RunRecord): Policy {
  const decisions = record.events.filter((event) => event.type === "decision");
  const chain = new TokenChain();
  let next = 0;
  return {
    name: "replay",
    startsFromRanking: record.events.some((event) => event.type === "ranking"),
    ...(record.header.policy.model === undefined ? {} : { model: record.header.policy.model }),
    async decide() {
      const decision = decisions[next++];
      if (decision === undefined || decision.finishReason === "error") {
        throw new WinnowError("policy_failed", decision?.error?.message ?? "The record holds no further decision.");
      }
      const { reasoning, text, usage, providerState, tokens, sampling, repairs } = decision;
      return {
        calls: decision.calls.map((call) => ({ tool: call.tool, arguments: call.raw ?? call.arguments })),
        ...(reasoning === undefined ? {} : { reasoning }),
        ...(text === undefined ? {} : { text }),
        ...(usage === undefined ? {} : { usage }),
        ...(providerState === undefined ? {} : { providerState }),
        ...(tokens === undefined ? {} : { tokens: { ...tokens, prompt: chain.unpack(tokens) } }),
        ...(sampling === undefined ? {} : { sampling }),
        ...(repairs === undefined ? {} : { repairs }),
        cut: decision.finishReason === "length",
      };
    },
  };
}
