/** How the two halves of a hybrid search are joined; part of what makes two searches comparable. */
export interface FusionSettings {
  /** Reciprocal rank fusion's constant. */
  readonly k: number;
  readonly lexicalWeight: number;
  readonly denseWeight: number;
  /** Rank that a chunk is given in a half that lacks it; null: such a half contributes nothing. */
  readonly absentRank: number | null;
}

/**
 * By measurement: docs/decisions/hybrid-weights.md. With the customary k = 60 neighbours in a list differ so little that
 * even a light second half reorders the top of the first.
 */
export const DEFAULT_FUSION: FusionSettings = { k: 3, lexicalWeight: 1, denseWeight: 0.15, absentRank: null };

/** One line that names the settings, e.g. `rrf 60, dense 0.5`. */
export function fusionName({ k, lexicalWeight, denseWeight, absentRank }: FusionSettings): string {
  const lexical = lexicalWeight === 1 ? "" : `, lexical ${lexicalWeight}`;
  const absent = absentRank === null ? "" : `, absent at ${absentRank}`;
  return `rrf ${k}${lexical}, dense ${denseWeight}${absent}`;
}
