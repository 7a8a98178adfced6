/** Joins the ranks of the two halves of a hybrid search: reciprocal rank fusion. */
export interface RankFusion {
  /** Reciprocal rank fusion's constant. */
  readonly k: number;
  readonly lexicalWeight: number;
  readonly denseWeight: number;
  /** Rank that a chunk is given in a half that lacks it; null: such a half contributes nothing. */
  readonly absentRank: number | null;
}

/** Joins their scores: BM25 as a share of the best one, cosine as its place within the span of the nearest chunks. */
export interface ScoreFusion {
  /** Share of meaning, 0 to 1; of words the rest. */
  readonly denseShare: number;
  /** The nearest chunks, whose cosines from the least to the best are the span that 0 to 1 stands for. */
  readonly pool: number;
  /** The second stage, which reads the first candidates of both halves; null: none. */
  readonly interaction: InteractionSettings | null;
}

export interface InteractionSettings {
  /** Share of the second stage in the final score, 0 to 1. */
  readonly share: number;
  /** First candidates of each half that it reads. */
  readonly candidates: number;
}

/** How the two halves of a hybrid search are joined; part of what makes two searches comparable. */
export type FusionSettings = RankFusion | ScoreFusion;

/** By measurement over eight kinds of questions: docs/decisions/hybrid-search.md. */
export const DEFAULT_FUSION: ScoreFusion = {
  denseShare: 0.25,
  pool: 200,
  interaction: { share: 0.25, candidates: 60 },
};

export function isRankFusion(settings: FusionSettings): settings is RankFusion {
  return "absentRank" in settings;
}

/** One line that names the settings, e.g. `scores, dense 0.2, interaction 0.25` or `rrf 60, dense 0.5`. */
export function fusionName(settings: FusionSettings): string {
  if (!isRankFusion(settings)) {
    const { denseShare, interaction } = settings;
    return `scores, dense ${denseShare}${interaction === null ? "" : `, interaction ${interaction.share}`}`;
  }
  const { k, lexicalWeight, denseWeight, absentRank } = settings;
  const lexical = lexicalWeight === 1 ? "" : `, lexical ${lexicalWeight}`;
  const absent = absentRank === null ? "" : `, absent at ${absentRank}`;
  return `rrf ${k}${lexical}, dense ${denseWeight}${absent}`;
}
