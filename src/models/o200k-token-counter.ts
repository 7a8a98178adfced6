import { wellFormed } from "../core/text.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import { findLongRuns } from "./long-runs.ts";

/**
 * The library keeps merges by piece of text, and once its table of 100,000 is full, finding the oldest entry walks over all
 * that were removed before: ten times slower after 3 MB of varied text, and worse from there. So the table may grow, and
 * is emptied after so much text. A piece has at least one UTF-16 unit, which bounds its entries.
 */
const MERGES_KEPT_UNITS_MAX = 500_000;

let loaded: Promise<TokenCounter> | undefined;

/**
 * The o200k vocabulary as gpt-oss and Context-1 use it (o200k_harmony), loaded on first use and shared afterwards.
 *
 * `count(text) === encode(text).length` for every string. Special-token text (`<|start|>`) is encoded as the plain text
 * that it is in a document. Lone surrogates count as U+FFFD, which is what they become in UTF-8. A run of more than
 * `RUN_UNITS_MAX` units without a change of character class is cut, so that time stays linear in the text; all other
 * text is encoded exactly as the vocabulary defines.
 */
export function loadTokenCounter(): Promise<TokenCounter> {
  loaded ??= createTokenCounter();
  return loaded;
}

async function createTokenCounter(): Promise<TokenCounter> {
  // This entry holds the one vocabulary; the package's root and its resolvers would bring the other three along.
  const { clearMergeCache, countTokens, encode, setMergeCacheSize } = await import(
    "gpt-tokenizer/encoding/o200k_harmony"
  );
  const plainText = { disallowedSpecial: new Set<string>() };
  setMergeCacheSize(Number.POSITIVE_INFINITY);
  let units = 0;
  const partsOf = (text: string): readonly string[] => {
    units += text.length;
    if (units > MERGES_KEPT_UNITS_MAX) {
      clearMergeCache();
      units = text.length;
    }
    return encodableParts(text);
  };
  return {
    name: "o200k",
    count(text) {
      let tokens = 0;
      for (const part of partsOf(text)) tokens += countTokens(part, plainText);
      return tokens;
    },
    encode(text) {
      const parts = partsOf(text);
      if (parts.length === 1 && parts[0] !== undefined) return encode(parts[0], plainText);
      const ids: number[] = [];
      for (const part of parts) for (const id of encode(part, plainText)) ids.push(id);
      return ids;
    },
  };
}

function encodableParts(text: string): readonly string[] {
  const runs = findLongRuns(text);
  const clean = runs.wellFormed ? text : wellFormed(text);
  if (runs.cuts.length === 0) return [clean];
  const parts: string[] = [];
  let start = 0;
  for (const cut of runs.cuts) {
    parts.push(clean.slice(start, cut));
    start = cut;
  }
  parts.push(clean.slice(start));
  return parts;
}
