import type { QualitySet } from "./sets.ts";

/**
 * What was tuned on which set: the only place that says it, for the report takes its table from here. Keyed by the name
 * of a set, or by its kind.
 */
const TUNED_ON: Readonly<Record<string, string>> = {
  musique:
    "In-sample: the fusion of hybrid search was chosen with a look at it, and the ranker of `rules` fitted on it.",
  techqa:
    "In-sample: the fusion of hybrid search was chosen with a look at it, and the ranker of `rules` fitted on it.",
  fiqa: "In-sample: the fusion of hybrid search was chosen with a look at it, and the ranker of `rules` fitted on it.",
  documentation:
    "In-sample: the fusion of hybrid search was chosen with a look at it, and the ranker of `rules` fitted on it.",
  manuals:
    "The form of the fusion and of its second stage was fixed before these questions existed; the share of meaning was moved from 0.2 to 0.25 with a look at them, and the ranker of `rules` fitted on them.",
  decisions:
    "The form of the fusion and of its second stage was fixed before these questions existed; the share of meaning was moved from 0.2 to 0.25 with a look at them, and the ranker of `rules` fitted on them.",
  "world-9001":
    "In-sample: the ranker of `rules` was fitted on questions of this seed, over a smaller world; the fusion was chosen with a look at that one.",
  "world-9001-single-hop":
    "The fusion of hybrid search was chosen with a look at questions of this seed, over a smaller world.",
  world: "Nothing was tuned on it; the ranker of `rules` was fitted on a world of another seed.",
};
const NOTHING = "Nothing was tuned on it.";

export function tunedOn({ name, kind }: Pick<QualitySet, "name" | "kind">): string {
  return TUNED_ON[name] ?? TUNED_ON[kind] ?? NOTHING;
}
