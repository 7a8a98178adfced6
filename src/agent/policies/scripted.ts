import type { DecideOptions, Decision, Policy, View } from "../policy.ts";

export type ScriptStep = Decision | ((view: View, options: DecideOptions) => Decision | Promise<Decision>);

/**
 * Plays the steps in order, then `last` for ever (default: an empty final list). A step may be a function of the view.
 * For tests, demonstrations and recorded examples; unlike a real policy it counts its own turns.
 */
export function scriptedPolicy(steps: readonly ScriptStep[], last: ScriptStep = FINISH_EMPTY): Policy {
  let next = 0;
  return {
    name: "scripted",
    async decide(view, options) {
      const step = steps[next++] ?? last;
      return typeof step === "function" ? step(view, options) : step;
    },
  };
}

const FINISH_EMPTY: Decision = { calls: [{ tool: "finish", arguments: { documents: [] } }] };
