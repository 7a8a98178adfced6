import shipped from "./ranker.json" with { type: "json" };
import type { Ranker } from "./ranker.ts";

/** Parts of the rules that can be switched off or exchanged, by the caller (`cut`) or to measure what each earns. */
export interface RulesSettings {
  /** Follow names that are news against the question, and let links between chunks count. */
  readonly bridge: boolean;
  /** End the list where a document is no longer likely enough to matter; otherwise it is as long as the caller allows. */
  readonly cut: boolean;
  /** Weighs evidence against the question's own ranking; fitted by python/rules/fit_ranker.py. */
  readonly weights: Ranker;
}

export const DEFAULT_RULES: RulesSettings = { bridge: true, cut: true, weights: shipped };
