import { readFile } from "node:fs/promises";
import { setImmediate as nextTick } from "node:timers/promises";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { type Embedder, normalize } from "./embedder.ts";
import { type Artefact, parseArtefact } from "./static/artefact.ts";
import { WordPieceTokenizer } from "./static/word-piece.ts";

/** Only bounds the work on one text: up to here, the more of a long text was read the better it was found. */
export const STATIC_TOKENS_MAX = 16_384;
/** Units of text between two looks at the abort signal, about 20 ms of work. */
const UNITS_BETWEEN_PAUSES_MAX = 131_072;

let loaded: Promise<Embedder> | undefined;

/**
 * The built-in embedder: token vectors distilled from all-MiniLM-L6-v2, a look-up and a weighted mean. Needs no key,
 * no network and no other file than the one in the package, which is read at the first call and shared afterwards.
 * Rejects with `embedder_failed` when that file is missing or damaged.
 */
export function loadStaticEmbedder(): Promise<Embedder> {
  loaded ??= readEmbedder().catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function readEmbedder(): Promise<Embedder> {
  // The bundler copies a file that is addressed in this way, and rewrites the address.
  const address = new URL("../../models/static-minilm/static-minilm.bin", import.meta.url);
  const bytes = await readFile(address).catch((cause: unknown) => {
    throw new WinnowError("embedder_failed", "The file of the built-in embedder cannot be read.", {
      hint: "Install winnow-search again.",
      cause,
    });
  });
  return createStaticEmbedder(parseArtefact(bytes));
}

/** An embedder over any artefact of our format. */
export function createStaticEmbedder(artefact: Artefact): Embedder {
  const { name, dimension, unknownToken, wordCharactersMax } = artefact.header;
  const { vocabulary, characterRuns } = artefact;
  const tokenizer = new WordPieceTokenizer({ vocabulary, characterRuns, unknownToken, wordCharactersMax });
  return {
    name,
    dimension,
    async embed(texts, { signal } = {}) {
      const vectors: Float32Array[] = [];
      let units = 0;
      for (const text of texts) {
        if (signal?.aborted === true) throw toWinnowError(signal.reason);
        vectors.push(weightedMean(artefact, tokenizer.encode(text, STATIC_TOKENS_MAX)));
        units += text.length;
        if (units < UNITS_BETWEEN_PAUSES_MAX) continue;
        units = 0;
        await nextTick();
      }
      if (signal?.aborted === true) throw toWinnowError(signal.reason);
      return vectors;
    },
  };
}

/** Direction of the sum of the tokens' vectors, each times its scale. Unknown tokens count for nothing. */
function weightedMean({ header, scales, vectors }: Artefact, tokens: readonly number[]): Float32Array {
  const { dimension, unknownToken } = header;
  const sum = new Float32Array(dimension);
  for (const token of tokens) {
    if (token === unknownToken) continue;
    const scale = scales[token] ?? 0;
    const row = token * dimension;
    for (let index = 0; index < dimension; index++) {
      sum[index] = (sum[index] ?? 0) + scale * (vectors[row + index] ?? 0);
    }
  }
  return normalize(sum);
}
