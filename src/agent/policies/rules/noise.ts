import { isPlainQuestion, noiseShare } from "../../../retrieval/find/text-form.ts";
import type { Question } from "./question.ts";
import type { Scores } from "./score.ts";

/** What a chunk loses that is nothing but links or data: enough not to be listed where anything else comes near. */
const NOISE_COST = 4;

/** The scores with those of lists of links, indexes and encoded data lowered, where a question is asked in plain words. */
export function withNoiseDemoted(scores: Scores, question: Question): Scores {
  if (!isPlainQuestion(question.text)) return scores;
  return new Map([...scores].map(([item, score]) => [item, score - NOISE_COST * noiseShare(item.chunk.text)]));
}
