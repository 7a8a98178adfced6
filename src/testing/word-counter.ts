import type { TokenCounter } from "../core/token-counter.ts";

/**
 * A cheap, deterministic token counter: a token is a run of up to eight letters or digits, one other visible character,
 * or a run of white space. Additive across a line end followed by anything but white space, as real counters are.
 */
export function wordCounter(): TokenCounter {
  const split = (text: string): string[] => text.match(/[\p{L}\p{N}]{1,8}|\s+|[^\p{L}\p{N}\s]/gu) ?? [];
  return {
    name: "words",
    count: (text) => split(text).length,
    encode: (text) => split(text).map((token) => [...token].reduce((sum, char) => sum + (char.codePointAt(0) ?? 0), 0)),
  };
}
