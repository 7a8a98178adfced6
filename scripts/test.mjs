// `node scripts/test.mjs` runs the static checks, the build, and the unit and e2e projects; `… full` runs the build and
// then every test at full counts (WINNOW_TEST_SCALE, default 20). The last line counts what passed, failed and was skipped.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runStaticChecks } from "./check/static.mjs";
import { run } from "./test/run.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SCALE_FULL = "20";
/** Warnings that point at a leak or at something that the next Node refuses. */
const GRAVE_WARNING = /^.*\b(MaxListenersExceeded|Deprecation|UnhandledPromiseRejection|Experimental)\w*Warning.*$/gm;

/** Keys of services stay out, so that the offline suite cannot reach one by accident. */
function offlineEnvironment() {
  const names = Object.keys(process.env).filter((name) => !/(_API_KEY|_TOKEN|_SECRET)$|^AWS_/.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @param {string} file @returns {Counts} */
function readCounts(file) {
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    const suitesFailed = report.testResults.filter(
      (/** @type {{ status: string, assertionResults: unknown[] }} */ one) =>
        one.status === "failed" && one.assertionResults.length === 0,
    ).length;
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + suitesFailed,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** @param {readonly string[]} projects @param {string} scale @returns {Promise<Counts>} */
async function runVitest(projects, scale) {
  const folder = mkdtempSync(join(tmpdir(), "winnow-test-"));
  try {
    const report = join(folder, "report.json");
    const args = ["run", ...projects.flatMap((name) => ["--project", name]), "--reporter=default", "--reporter=json"];
    const env = { ...offlineEnvironment(), WINNOW_TEST_SCALE: scale };
    const script = join(root, "node_modules", "vitest", "vitest.mjs");
    const { code, said } = await run(root, [script, ...args, `--outputFile.json=${report}`], env);
    const counts = readCounts(report);
    const grave = [...new Set(said.match(GRAVE_WARNING) ?? [])];
    for (const warning of grave) console.error(`test: a warning that fails the suite: ${warning}`);
    const silent = code !== 0 && counts.failed === 0 ? 1 : 0;
    return { ...counts, failed: counts.failed + grave.length + silent };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns {Promise<Counts>} */
async function build() {
  const { code } = await run(root, [join(root, "scripts", "build.mjs")], process.env);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

const full = process.argv[2] === "full";
const scale = process.env["WINNOW_TEST_SCALE"] ?? (full ? SCALE_FULL : "1");
const steps = full
  ? [build, () => runVitest(["unit", "full"], scale)]
  : [async () => ({ ...(await runStaticChecks(root)), skipped: 0 }), build, () => runVitest(["unit", "e2e"], scale)];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const step of steps) {
  const counts = await step();
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
if (total.failed > 0) process.exitCode = 1;
