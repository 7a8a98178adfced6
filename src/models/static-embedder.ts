import { setImmediate as nextTick } from "node:timers/promises";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { type Embedder, normalize } from "./embedder.ts";
import type { Artefact } from "./static/artefact.ts";
import { scoreByInteraction } from "./static/late-interaction.ts";
import { PieceTable } from "./static/piece-table.ts";
import { readShippedArtefact } from "./static/shipped-artefact.ts";
import { WordPieceTokenizer } from "./static/word-piece.ts";

/** Only bounds the work on one text: up to here, the more of a long text was read the better it was found. */
export const STATIC_TOKENS_MAX = 16_384;
/** Units of text between two looks at the abort signal, about 20 ms of work. */
const UNITS_BETWEEN_PAUSES_MAX = 131_072;

let loaded: Promise<Embedder> | undefined;
let model: StaticModel | undefined;

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
  return embedderOf(shippedModel());
}

/**
 * Scores passages by late interaction over the built-in embedder's token vectors (`scoreByInteraction`), whatever made the
 * vectors of an index. Rejects with `embedder_failed` when the file of the package is missing or damaged.
 */
export async function scorePassages(
  query: string,
  passages: readonly string[],
  signal?: AbortSignal,
): Promise<readonly number[]> {
  if (signal?.aborted === true) throw toWinnowError(signal.reason);
  const { artefact, tokenizer } = shippedModel();
  return scoreByInteraction(artefact, tokenizer, query, passages);
}

interface StaticModel {
  readonly artefact: Artefact;
  readonly tokenizer: WordPieceTokenizer;
}

/** The file of the package, read once. */
function shippedModel(): StaticModel {
  model ??= modelOf(readShippedArtefact());
  return model;
}

function modelOf(artefact: Artefact): StaticModel {
  const { unknownToken, wordCharactersMax } = artefact.header;
  const pieces = new PieceTable(artefact.vocabulary);
  if (pieces.size !== artefact.header.tokens)
    throw new WinnowError("embedder_failed", "Vocabulary and vectors differ.");
  const { characterRuns } = artefact;
  const tokenizer = new WordPieceTokenizer({ pieces, characterRuns, unknownToken, wordCharactersMax });
  return { artefact, tokenizer };
}

/** An embedder over any artefact of our format. */
export function createStaticEmbedder(artefact: Artefact): Embedder {
  return embedderOf(modelOf(artefact));
}

function embedderOf({ artefact, tokenizer }: StaticModel): Embedder {
  const { name, dimension } = artefact.header;
  const mean = new WeightedMean(artefact);
  return {
    name,
    dimension,
    async embed(texts, { signal } = {}) {
      const vectors: Float32Array[] = [];
      let units = 0;
      for (const text of texts) {
        if (signal?.aborted === true) throw toWinnowError(signal.reason);
        vectors.push(mean.of(tokenizer.encode(text, STATIC_TOKENS_MAX)));
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
class WeightedMean {
  readonly #artefact: Artefact;
  /** How often each token occurs in the text at hand; zero between texts. */
  readonly #counts: Uint16Array;

  constructor(artefact: Artefact) {
    this.#artefact = artefact;
    this.#counts = new Uint16Array(artefact.header.tokens);
  }

  /** At most `STATIC_TOKENS_MAX` tokens, so that no count overflows. */
  of(tokens: readonly number[]): Float32Array {
    const { header, scales, vectors } = this.#artefact;
    const { dimension, unknownToken } = header;
    const counts = this.#counts;
    for (const token of tokens) counts[token] = (counts[token] ?? 0) + 1;
    const sum = new Float64Array(dimension);
    for (const token of tokens) {
      const count = counts[token] ?? 0;
      counts[token] = 0;
      if (count === 0 || token === unknownToken) continue;
      const factor = count * (scales[token] ?? 0);
      const row = token * dimension;
      // Four at a time takes half the time of one at a time; the dimension is a multiple of four.
      for (let index = 0; index < dimension; index += 4) {
        const at = row + index;
        sum[index] = (sum[index] ?? 0) + factor * (vectors[at] ?? 0);
        sum[index + 1] = (sum[index + 1] ?? 0) + factor * (vectors[at + 1] ?? 0);
        sum[index + 2] = (sum[index + 2] ?? 0) + factor * (vectors[at + 2] ?? 0);
        sum[index + 3] = (sum[index + 3] ?? 0) + factor * (vectors[at + 3] ?? 0);
      }
    }
    return normalize(new Float32Array(sum));
  }
}
