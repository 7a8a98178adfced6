import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { type Embedder, normalize } from "../embedder.ts";
import { MODEL_FILES, MODEL_HINT, otherModel } from "./model-files.ts";
import { type OnnxModel, openOnnxModel } from "./onnx-model.ts";
import { TextTokens } from "./text-tokens.ts";

const FILE_BYTES_MAX = 256 * 2 ** 20;
/** Start and end of a text are tokens too: a text without a word has no other. */
const TOKENS_AROUND = 2;
const PROBE_TOLERANCE = 1e-4;

/** A model of this kind, and how to tell that a file holds it. */
export interface ModelDescription {
  readonly name: string;
  readonly dimension: number;
  /** Longer texts are cut; start and end included. */
  readonly tokensMax: number;
  /** What the vector of a text starts with. */
  readonly probe: { readonly text: string; readonly numbers: readonly number[] };
}

/** sentence-transformers/all-MiniLM-L6-v2 with the limit of Chroma's default embedding function. */
export const MINILM: ModelDescription = {
  name: "minilm",
  dimension: 384,
  tokensMax: 256,
  probe: {
    text: "What did we decide about the index?",
    numbers: [-0.01459, 0.013007, 0.00945, 0.076465, 0.057806, 0.038983, 0.01044, 0.012315],
  },
};

export interface MiniLmOptions {
  /** Holds `model.onnx` and `tokenizer.json`. */
  readonly folder: string;
  /** Default `MINILM`; another one in tests. */
  readonly model?: ModelDescription;
}

interface Loaded {
  readonly encoder: OnnxModel;
  readonly tokens: TextTokens;
}

/**
 * The embedder of Chroma's default embedding function: mean of all-MiniLM-L6-v2's last layer, of unit length, texts cut
 * at 256 tokens. Numbers differ from those of Python by less than 1e-5 (docs/decisions/minilm.md). Each text is embedded
 * alone, so that no vector depends on what stands beside it. A text without a word gets zeros, as `Embedder` asks, where
 * Python gives some vector.
 *
 * Reads its files, 90 MB, when it is first asked. Rejects with `embedder_failed` where they are missing, damaged or those
 * of another model: a known text must get its known vector.
 */
export function createMiniLmEmbedder({ folder, model = MINILM }: MiniLmOptions): Embedder {
  let loaded: Promise<Loaded> | undefined;
  const load = (): Promise<Loaded> => {
    loaded ??= loadModel(folder, model).catch((error: unknown) => {
      loaded = undefined;
      throw toWinnowError(error, "embedder_failed");
    });
    return loaded;
  };
  return {
    name: model.name,
    dimension: model.dimension,
    async embed(texts, { signal } = {}) {
      stopIfAborted(signal);
      const { encoder, tokens } = await load();
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        stopIfAborted(signal);
        const ids = tokens.encode(text, model.tokensMax);
        const wordless = ids.length === TOKENS_AROUND;
        vectors.push(wordless ? new Float32Array(model.dimension) : await vectorOf(ids, encoder, model));
      }
      stopIfAborted(signal);
      return vectors;
    },
  };
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw toWinnowError(signal.reason);
}

/** Mean of the rows, scaled to unit length. */
async function vectorOf(
  ids: readonly number[],
  encoder: OnnxModel,
  { dimension }: ModelDescription,
): Promise<Float32Array> {
  const rows = await encoder.hidden(ids);
  if (rows.length !== ids.length * dimension) throw otherModel(`its vectors are not of ${dimension} numbers`);
  const sums = new Float64Array(dimension);
  rows.forEach((value, at) => {
    sums[at % dimension] = (sums[at % dimension] ?? 0) + value;
  });
  return normalize(Float32Array.from(sums, (sum) => sum / ids.length));
}

async function loadModel(folder: string, model: ModelDescription): Promise<Loaded> {
  const tokens = TextTokens.parse((await readModelFile(folder, MODEL_FILES.tokenizer)).toString("utf8"));
  const encoder = await openOnnxModel(await readModelFile(folder, MODEL_FILES.weights));
  const { text, numbers } = model.probe;
  const vector = await vectorOf(tokens.encode(text, model.tokensMax), encoder, model);
  if (!numbers.every((expected, at) => Math.abs((vector[at] ?? 0) - expected) < PROBE_TOLERANCE)) {
    throw otherModel("it gives a known text another vector");
  }
  return { encoder, tokens };
}

async function readModelFile(folder: string, name: string): Promise<Buffer> {
  const path = join(folder, name);
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX) throw otherModel(`${path} has ${size} bytes`);
    return await readFile(path);
  } catch (cause) {
    if (WinnowError.isInstance(cause)) throw cause;
    throw new WinnowError("embedder_failed", `The model file ${path} cannot be read.`, { hint: MODEL_HINT, cause });
  }
}
