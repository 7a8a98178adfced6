import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "winnow-skip-unless-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a suite of three tests (runs, lacks something, lacks optional data) in a vitest of its own. */
function runSuite(ci: string): Record<string, string> {
  const support = join(root, "test", "support", "skip-unless.ts");
  writeFileSync(
    join(folder, "suite.test.ts"),
    `import { skipUnless } from ${JSON.stringify(support)};
     skipUnless(true, "x").test("present", () => {});
     skipUnless(false, "no engine").test("lacking", () => {});
     skipUnless(false, "no data", { mayBeAbsent: true }).describe("optional", () => {});`,
  );
  const report = join(folder, `report-${ci}.json`);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const env = { PATH: process.env["PATH"], WINNOW_CI: ci };
  const args = [vitest, "run", "--root", folder, "--reporter=json", `--outputFile=${report}`];
  const child = spawnSync(process.execPath, args, { cwd: folder, env, timeout: 60_000, encoding: "utf8" });
  if (!existsSync(report)) throw new Error(`${child.stdout}${child.stderr}`);
  const results: { assertionResults: { title: string; status: string }[] }[] = JSON.parse(
    readFileSync(report, "utf8"),
  ).testResults;
  return Object.fromEntries(results.flatMap((one) => one.assertionResults.map((test) => [test.title, test.status])));
}

test("a test that lacks something is skipped, and fails in CI unless it may be absent", { timeout: 60_000 }, () => {
  expect(runSuite("0")).toEqual({ present: "passed", lacking: "skipped", optional: "skipped" });
  expect(runSuite("1")).toEqual({ present: "passed", lacking: "failed", optional: "skipped" });
});
