import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

const isWindows = process.platform === "win32";

/**
 * A command of a Python package that tests and tools of this checkout run, and the virtual environment that brings it.
 * @typedef {{ command: string, venv: string, variable: string }} PythonCommand name of the command, of the folder of its
 *   virtual environment below node_modules/.cache/winnow, and of the variable that names another one
 */

/** The virtual environment, and its folder of commands. @param {string} root root of the checkout @param {string} name */
export function venvCommands(root, name) {
  const venv = join(root, "node_modules", ".cache", "winnow", name);
  return { venv, commands: join(venv, isWindows ? "Scripts" : "bin") };
}

/** @param {string} name */
export const executableName = (name) => (isWindows ? `${name}.exe` : name);

/**
 * The command for work on this checkout: the one that its variable names, the one of its virtual environment, the first
 * on the PATH. Undefined where there is none.
 * @param {string} root @param {NodeJS.ProcessEnv} environment @param {PythonCommand} wanted
 * @returns {string | undefined}
 */
export function findCommand(root, environment, { command, venv, variable }) {
  const named = environment[variable] ?? "";
  if (named !== "") return named;
  const folders = [
    venvCommands(root, venv).commands,
    ...(environment["PATH"] ?? "").split(delimiter).filter(isAbsolute),
  ];
  return folders.map((folder) => join(folder, executableName(command))).find((file) => existsSync(file));
}
