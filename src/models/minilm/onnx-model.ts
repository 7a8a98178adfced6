import { readFile } from "node:fs/promises";
import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { WinnowError } from "../../core/errors.ts";
import { otherModel } from "./model-files.ts";

type Runtime = typeof import("onnxruntime-web/wasm");

const OUTPUT = "last_hidden_state";
const INPUTS = ["input_ids", "attention_mask", "token_type_ids"] as const;

/** A BERT encoder as transformers exports it: token ids in, a row of numbers for each token out. */
export interface OnnxModel {
  /** The last layer's rows, one after the other. Rejects with `embedder_failed` for ids that the model does not know. */
  hidden(tokens: readonly number[]): Promise<Float32Array>;
}

/** Loads ONNX's runtime, which nothing else needs, and a model. Rejects with `embedder_failed`. */
export async function openOnnxModel(file: Uint8Array): Promise<OnnxModel> {
  const runtime = await loadRuntime();
  const session = await createSession(runtime, file);
  const missing = [...INPUTS.filter((name) => !session.inputNames.includes(name)), OUTPUT].filter(
    (name) => !(session.outputNames as readonly string[]).includes(name),
  );
  if (missing.length > 0) throw otherModel(`it has no ${missing.join(" and no ")}`);
  return { hidden: (tokens) => run(runtime, session, tokens) };
}

let loading: Promise<Runtime> | undefined;

function loadRuntime(): Promise<Runtime> {
  loading ??= startRuntime().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function startRuntime(): Promise<Runtime> {
  // The bundler copies a file that is addressed in this way, and rewrites the address.
  const address = new URL("../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", import.meta.url);
  const [runtime, binary] = await Promise.all([import("onnxruntime-web/wasm"), readFile(address)]);
  // Given as bytes, it is looked for nowhere. One thread, since a text at a time is too little work for more.
  runtime.env.wasm.wasmBinary = new Uint8Array(binary).buffer;
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = "error";
  return runtime;
}

async function createSession(runtime: Runtime, file: Uint8Array): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(file, { executionProviders: ["wasm"] });
  } catch (cause) {
    throw otherModel("it cannot be read as an ONNX model", cause);
  }
}

async function run(runtime: Runtime, session: InferenceSession, tokens: readonly number[]): Promise<Float32Array> {
  const tensor = (number: (token: number) => number): Tensor =>
    new runtime.Tensor(
      "int64",
      BigInt64Array.from(tokens, (token) => BigInt(number(token))),
      [1, tokens.length],
    );
  const feeds = {
    input_ids: tensor((token) => token),
    attention_mask: tensor(() => 1),
    token_type_ids: tensor(() => 0),
  };
  try {
    const rows = (await session.run(feeds))[OUTPUT]?.data;
    if (rows instanceof Float32Array) return rows;
  } catch (cause) {
    throw new WinnowError("embedder_failed", "The model all-MiniLM-L6-v2 failed on a text.", { cause });
  }
  throw otherModel(`its ${OUTPUT} does not consist of 32-bit floats`);
}
