import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { WinnowError } from "../../core/errors.ts";
import { FOLDER_VARIABLE, MODEL_FILES, MODEL_HINT } from "./model-files.ts";

const MODEL_NAME = "all-MiniLM-L6-v2";
/** Where Chroma unpacks its archive, and what it calls it. */
const UNPACKED_FOLDER = "onnx";
const ARCHIVE_FILE = "onnx.tar.gz";

export interface ModelSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's folder, default that of the system. */
  readonly home?: string;
}

export type ModelPlace =
  /** A folder with the model's files. */
  | { readonly kind: "folder"; readonly path: string }
  /** Chroma's archive, downloaded but not unpacked. */
  | { readonly kind: "archive"; readonly path: string };

/**
 * Where the model is: in the folder that the environment names, and nowhere else if it names one; in Chroma's own cache;
 * in ours, where `downloadModel` puts it. Undefined where it is not on this machine. Rejects with `embedder_failed` where
 * the named folder does not hold it.
 */
export async function findModel(surroundings: ModelSurroundings): Promise<ModelPlace | undefined> {
  const named = surroundings.environment[FOLDER_VARIABLE] ?? "";
  if (named !== "") {
    const path = await firstWithModel([resolve(named), join(resolve(named), UNPACKED_FOLDER)]);
    if (path !== undefined) return { kind: "folder", path };
    const files = Object.values(MODEL_FILES).join(" and ");
    throw new WinnowError("embedder_failed", `${FOLDER_VARIABLE} names ${named}, which does not hold ${files}.`, {
      hint: MODEL_HINT,
    });
  }
  const chroma = chromaFolder(surroundings);
  const path = await firstWithModel([join(chroma, UNPACKED_FOLDER), ownFolder(surroundings)]);
  if (path !== undefined) return { kind: "folder", path };
  const archive = join(chroma, ARCHIVE_FILE);
  return (await isFile(archive)) ? { kind: "archive", path: archive } : undefined;
}

/** Our copy of the model, which need not exist. */
export function ownFolder({ environment, home = homedir() }: ModelSurroundings): string {
  return join(environment["XDG_CACHE_HOME"] ?? join(home, ".cache"), "winnow", "models", MODEL_NAME);
}

/** Chroma looks in the user's folder on every system, and does not ask the environment. */
function chromaFolder({ home = homedir() }: ModelSurroundings): string {
  return join(home, ".cache", "chroma", "onnx_models", MODEL_NAME);
}

async function firstWithModel(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const found = await Promise.all(Object.values(MODEL_FILES).map((name) => isFile(join(folder, name))));
    if (found.every(Boolean)) return folder;
  }
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
