import { toWinnowError } from "../core/errors.ts";
import type { Check } from "./doctor.ts";

export interface ModelDownload {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Told of the bytes so far and of all bytes, where the server says. */
  readonly onProgress: (bytes: number, total: number | undefined) => void;
}

/**
 * Puts the model of Chroma's default embedding function where it is looked for. Resolves with its folder, at once where
 * it is there already; rejects as `downloadModel` and `findModel` do.
 */
export async function fetchMiniLm({ environment, signal, onProgress }: ModelDownload): Promise<string> {
  const { findModel, ownFolder } = await import("../models/minilm/find-model.ts");
  const place = await findModel({ environment });
  if (place?.kind === "folder") return place.path;
  const folder = ownFolder({ environment });
  if (place !== undefined) {
    const { installModel } = await import("../models/minilm/model-archive.ts");
    await installModel(place.path, folder, { signal });
    return folder;
  }
  const { downloadModel } = await import("../models/minilm/download-model.ts");
  await downloadModel({ folder, signal, onProgress });
  return folder;
}

/** Whether that model can be asked here. */
export async function checkMiniLm(environment: ModelDownload["environment"]): Promise<Check> {
  const name = "minilm";
  try {
    const { findModel } = await import("../models/minilm/find-model.ts");
    const place = await findModel({ environment });
    if (place !== undefined) return { name, state: "ok", detail: `all-MiniLM-L6-v2 at ${place.path}` };
    return {
      name,
      state: "warn",
      detail:
        "all-MiniLM-L6-v2, which made vectors that are attached here, is not on this machine: words are matched only",
      hint: "Fetch it once, 79 MiB: winnow doctor --download-model",
    };
  } catch (error) {
    const { message, hint } = toWinnowError(error);
    return { name, state: "warn", detail: message, ...(hint !== undefined && { hint }) };
  }
}
