import { readFileSync } from "node:fs";
import { WinnowError } from "../../core/errors.ts";
import { type Artefact, parseArtefact } from "./artefact.ts";

/** The artefact of the package. Throws `embedder_failed` when its file is missing or damaged. */
export function readShippedArtefact(): Artefact {
  // The bundler copies a file that is addressed in this way, and rewrites the address.
  const address = new URL("../../../models/static-minilm/static-minilm.bin", import.meta.url);
  return parseArtefact(readWhole(address));
}

/** One read of a few milliseconds, instead of a dozen rounds through the thread pool. */
function readWhole(address: URL): Buffer {
  try {
    return readFileSync(address);
  } catch (cause) {
    throw new WinnowError("embedder_failed", "The file of the built-in embedder cannot be read.", {
      hint: "Install winnow-search again.",
      cause,
    });
  }
}
