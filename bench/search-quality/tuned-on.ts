import type { QualitySet } from "./sets.ts";

/**
 * What was tuned on which set: the only place that says it, for the report takes its table from here. Keyed by the name
 * of a set, or by its kind.
 */
const TUNED_ON: Readonly<Record<string, string>> = {
  "musique-100":
    "In-sample: the features of `rules` were chosen and its weights fitted on these questions, and the fusion of hybrid search was chosen with a look at them.",
  musique: "In-sample: the fusion of hybrid search and the weights of `rules` were chosen with a look at it.",
  techqa: "In-sample: the fusion of hybrid search and the weights of `rules` were chosen with a look at it.",
  fiqa: "In-sample: the fusion of hybrid search and the weights of `rules` were chosen with a look at it.",
  documentation: "In-sample on its dev half, from which weights of `rules` come; the held-out half was not fitted on.",
  "world-9001":
    "Not fitted on: the weights of `rules` come from a world of another seed. Its first 100 questions helped to decide that one part goes.",
  "world-9001-single-hop": "Not fitted on: the weights of `rules` come from a world of another seed.",
  world: "Not looked at: the weights of `rules` come from a world of another seed.",
};
const NOTHING = "Nothing was tuned on it.";

export function tunedOn({ name, kind }: Pick<QualitySet, "name" | "kind">): string {
  return TUNED_ON[name] ?? TUNED_ON[kind] ?? NOTHING;
}
