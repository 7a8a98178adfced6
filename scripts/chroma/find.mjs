import { findCommand } from "../python/find.mjs";

/** Chroma's own command and its virtual environment. */
export const CHROMA = { command: "chroma", venv: "chroma-venv", variable: "WINNOW_CHROMA" };

/**
 * Chroma's command for work on this checkout. Undefined where there is none.
 * @param {string} root @param {NodeJS.ProcessEnv} environment
 */
export function findChromaCommand(root, environment) {
  return findCommand(root, environment, CHROMA);
}
