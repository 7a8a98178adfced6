import type { Policy } from "./policy.ts";

const ROTATED_TOOL = "search_corpus";

/**
 * The policy with the searches of each turn moved `by` places round; other calls keep their places. What comes first
 * gets its hits shown first and excludes them from the rest, so a policy that no seed moves may still take another way.
 */
export function rotatedQueries(policy: Policy, by: number): Policy {
  return {
    ...policy,
    async decide(view, options) {
      const decision = await policy.decide(view, options);
      const searches = decision.calls.filter((call) => call.tool === ROTATED_TOOL);
      let next = by;
      const calls = decision.calls.map((call) =>
        call.tool === ROTATED_TOOL ? (searches[next++ % searches.length] ?? call) : call,
      );
      return { ...decision, calls };
    },
  };
}
