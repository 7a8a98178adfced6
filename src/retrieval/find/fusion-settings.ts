import { RRF_K } from "./fuse.ts";

/** How the two halves of a hybrid search are joined; part of what makes two searches comparable. */
export interface FusionSettings {
  /** Reciprocal rank fusion's constant. */
  readonly k: number;
  readonly lexicalWeight: number;
  readonly denseWeight: number;
  /** Rank that a chunk is given in a half that lacks it; null: such a half contributes nothing. */
  readonly absentRank: number | null;
}

/** Weights by measurement: docs/decisions/hybrid-weights.md. */
export const DEFAULT_FUSION: FusionSettings = { k: RRF_K, lexicalWeight: 1, denseWeight: 1, absentRank: null };

/** One line that names the settings, e.g. `rrf 60, dense 0.5`. */
export function fusionName({ k, lexicalWeight, denseWeight, absentRank }: FusionSettings): string {
  const lexical = lexicalWeight === 1 ? "" : `, lexical ${lexicalWeight}`;
  const absent = absentRank === null ? "" : `, absent at ${absentRank}`;
  return `rrf ${k}${lexical}, dense ${denseWeight}${absent}`;
}
