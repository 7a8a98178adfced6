import { WinnowError } from "../../core/errors.ts";

/** The files that a model consists of, named as Chroma's cache names them. */
export const MODEL_FILES = { weights: "model.onnx", tokenizer: "tokenizer.json" } as const;

/** Variable of the environment that names the model's folder. Only the user's environment can: files cannot. */
export const FOLDER_VARIABLE = "WINNOW_MINILM";

export const MODEL_HINT = `Let ${FOLDER_VARIABLE} name a folder with Chroma's model.onnx and tokenizer.json, or fetch them with: winnow doctor --download-model`;

/** For files that hold something else than the model, or hold it damaged. */
export function otherModel(what: string, cause?: unknown): WinnowError {
  return new WinnowError("embedder_failed", `The file model.onnx is not all-MiniLM-L6-v2 as Chroma uses it: ${what}.`, {
    hint: MODEL_HINT,
    cause,
  });
}
