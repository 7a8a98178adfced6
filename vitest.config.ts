import { defineConfig } from "vitest/config";

/** Multiplies the run counts of property tests (`npm run test:full`), and so the time that they may take. */
const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

const project = (name: string, include: string[], timeoutMs: number, globalSetup: string[] = []) => ({
  test: {
    name,
    include,
    globalSetup,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    environment: "node",
    pool: "forks" as const,
  },
});

export default defineConfig({
  test: {
    // Left to itself, vitest keeps one core for a watcher that a single run does not have.
    maxWorkers: "100%",
    projects: [
      project(
        "unit",
        ["src/**/*.test.ts", "web/src/**/*.test.ts", "test/unit/**/*.test.ts"],
        20_000 * Math.max(1, scale),
      ),
      project("e2e", ["test/e2e/**/*.test.ts"], 60_000, ["test/e2e/global-setup.ts"]),
      project("full", ["test/full/**/*.test.ts"], 600_000),
    ],
  },
});
