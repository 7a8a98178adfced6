import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

const isWindows = process.platform === "win32";

/** The folder of a virtual environment that holds its commands. @param {string} root root of the checkout */
export function venvCommands(root) {
  const venv = join(root, "node_modules", ".cache", "winnow", "chroma-venv");
  return { venv, commands: join(venv, isWindows ? "Scripts" : "bin") };
}

/** @param {string} name */
export const executableName = (name) => (isWindows ? `${name}.exe` : name);

/**
 * Chroma's command for work on this checkout: the one that WINNOW_CHROMA names, the one of our virtual environment, the
 * first on the PATH. Undefined where there is none.
 * @param {string} root @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined}
 */
export function findChromaCommand(root, environment) {
  const named = environment["WINNOW_CHROMA"] ?? "";
  if (named !== "") return named;
  const folders = [venvCommands(root).commands, ...(environment["PATH"] ?? "").split(delimiter).filter(isAbsolute)];
  return folders.map((folder) => join(folder, executableName("chroma"))).find((file) => existsSync(file));
}
