/**
 * Special tokens of the o200k_harmony encoding (gpt-oss and its descendants). The ids are facts of the published format;
 * they are the only way in which the renderer writes, and the parser recognises, structure: text never becomes one.
 */
export const START = 200_006;
export const END = 200_007;
export const MESSAGE = 200_008;
export const CHANNEL = 200_005;
export const CONSTRAIN = 200_003;
export const RETURN = 200_002;
export const CALL = 200_012;

/** Ordinary tokens have the ids below this one. */
export const ORDINARY_IDS_END = 199_998;
/** One more than the largest id of the vocabulary. */
export const VOCABULARY_SIZE = 201_088;

/** Ids at which sampling of an assistant's turn must stop. The one that stopped it belongs to the sampled tokens. */
export const ACTION_STOP_IDS: readonly number[] = [RETURN, CALL];

const NAMES: ReadonlyMap<number, string> = new Map([
  [199_998, "<|startoftext|>"],
  [199_999, "<|endoftext|>"],
  [RETURN, "<|return|>"],
  [CONSTRAIN, "<|constrain|>"],
  [CHANNEL, "<|channel|>"],
  [START, "<|start|>"],
  [END, "<|end|>"],
  [MESSAGE, "<|message|>"],
  [CALL, "<|call|>"],
]);

/** True for ids that stand for structure or are reserved, within the vocabulary. */
export function isSpecialId(id: number): boolean {
  return id >= ORDINARY_IDS_END && id < VOCABULARY_SIZE;
}

/** True for an id that the vocabulary has. */
export function isKnownId(id: number): boolean {
  return Number.isInteger(id) && id >= 0 && id < VOCABULARY_SIZE;
}

/** How a special token is written, e.g. `<|start|>` or `<|reserved_200013|>`. */
export function specialTokenName(id: number): string {
  return NAMES.get(id) ?? `<|reserved_${id}|>`;
}
