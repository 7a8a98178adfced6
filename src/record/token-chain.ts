import type { RecordedTokens } from "./events.ts";

/**
 * Prompts of a run as the record holds them: each as what it adds to the prompt and completion before it. Give it every
 * decision with `tokens`, in order; one instance serves one record, in one direction.
 */
export class TokenChain {
  #last: readonly number[] = [];

  /** How the record holds this prompt; `completion` is what was sampled from it. */
  pack(prompt: readonly number[], completion: readonly number[]): RecordedTokens["prompt"] {
    let keep = 0;
    while (keep < prompt.length && keep < this.#last.length && prompt[keep] === this.#last[keep]) keep++;
    this.#last = [...prompt, ...completion];
    return { keep, add: prompt.slice(keep) };
  }

  /** The whole prompt. A `keep` beyond the ids there are keeps them all. */
  unpack({ prompt, completion }: Pick<RecordedTokens, "prompt" | "completion">): readonly number[] {
    const whole = [...this.#last.slice(0, prompt.keep), ...prompt.add];
    this.#last = [...whole, ...completion];
    return whole;
  }
}
