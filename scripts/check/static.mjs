import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findBoundaryViolations, findImportCycles } from "./boundaries.mjs";
import { findLockProblems } from "./lock.mjs";
import { readModules } from "./modules.mjs";
import { findOversized } from "./sizes.mjs";

/** @typedef {{ problems: string[], warnings?: string[] }} Verdict */

/**
 * Runs an installed command of a package; what it says is the problem when it fails.
 * @param {string} root @param {string} script path under node_modules @param {readonly string[]} args
 * @returns {Promise<Verdict>}
 */
function tool(root, script, args) {
  const child = spawn(process.execPath, [join(root, "node_modules", script), ...args], { cwd: root });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      said += data;
    });
  }
  return new Promise((done) => {
    child.on("error", (error) => done({ problems: [error.message] }));
    child.on("close", (code) => done({ problems: code === 0 ? [] : [said.trim() || `${script} ended with ${code}.`] }));
  });
}

/**
 * Runs every static check and prints its outcome.
 * @param {string} root
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runStaticChecks(root) {
  const modules = readModules(root);
  const sizes = findOversized(modules);
  /** @type {Array<[string, () => Verdict | Promise<Verdict>]>} */
  const checks = [
    ["types", () => tool(root, "typescript/bin/tsc", ["-p", "."])],
    ["types of the viewer", () => tool(root, "typescript/bin/tsc", ["-p", "web"])],
    [
      "lint and format",
      () => tool(root, "@biomejs/biome/bin/biome", ["ci", "--error-on-warnings", "--colors=off", "."]),
    ],
    ["unused code and dependencies", () => tool(root, "knip/bin/knip.js", ["--no-progress", "--no-config-hints"])],
    ["layers", () => ({ problems: findBoundaryViolations(modules) })],
    ["import cycles", () => ({ problems: findImportCycles(modules) })],
    ["sizes", () => sizes],
    [
      "lock file",
      () => ({ problems: findLockProblems(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))) }),
    ],
  ];
  let failed = 0;
  for (const [name, check] of checks) {
    const started = performance.now();
    const { problems, warnings = [] } = await check();
    for (const warning of warnings) console.error(`  warning: ${warning}`);
    for (const problem of problems) console.error(problem);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.error(`check: ${name}: ${problems.length === 0 ? "ok" : "FAILED"} (${seconds} s)`);
    if (problems.length > 0) failed++;
  }
  return { passed: checks.length - failed, failed };
}
