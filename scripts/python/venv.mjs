import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { executableName, venvCommands } from "./find.mjs";

const INSTALL_TIMEOUT_MS = 600_000;
const SAID_LINES = 6;
const PYTHONS = process.platform === "win32" ? ["python", "py"] : ["python3", "python"];
/** Of `pip install`: bytecode is made at the first run, and only of what runs. */
const QUIET = ["--quiet", "--no-input", "--no-compile", "--disable-pip-version-check", "--retries", "2"];

/**
 * Makes the virtual environment of a command, unless it is there already. Throws an error whose message says what to do.
 * @param {string} root root of the checkout
 * @param {import("./find.mjs").PythonCommand & { label: string, lists: readonly { file: string, flags?: readonly string[] }[] }} wanted
 *   files of requirements, relative to the root, with flags of pip's for each
 * @returns {string} the command
 */
export function installCommand(root, { command, venv: name, variable, label, lists }) {
  const { venv, commands } = venvCommands(root, name);
  const wanted = createHash("sha256")
    .update(lists.map(({ file }) => readFileSync(join(root, file), "utf8")).join("\0"))
    .digest("hex");
  const path = join(commands, executableName(command));
  // Written last: an installation that was interrupted is begun anew.
  const stamp = join(venv, "installed");
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return path;
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(dirname(venv), { recursive: true });
  const python = findPython();
  must(python, ["-m", "venv", venv], "Python cannot make a virtual environment (Debian: apt install python3-venv)");
  const own = join(commands, executableName("python"));
  const failed = `pip cannot install ${label}. Without a network, install it by hand and name it with ${variable}`;
  for (const { file, flags = [] } of lists) {
    must(own, ["-m", "pip", "install", ...QUIET, ...flags, "-r", join(root, file)], failed);
  }
  writeFileSync(stamp, wanted);
  return path;
}

function findPython() {
  const found = PYTHONS.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
  if (found === undefined) throw new Error("There is no Python here: install Python 3.9 or newer.");
  return found;
}

/** @param {string} command @param {readonly string[]} args @param {string} failed */
function must(command, args, failed) {
  const { status, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: INSTALL_TIMEOUT_MS,
  });
  if (status === 0) return;
  const said = (error?.message ?? stderr).trim().split("\n").slice(-SAID_LINES).join("\n");
  throw new Error(`${failed}. It says:\n${said}`);
}
