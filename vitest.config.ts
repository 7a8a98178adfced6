import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], timeoutMs: number) => ({
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs, environment: "node", pool: "forks" as const },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", ["src/**/*.test.ts", "test/unit/**/*.test.ts"], 20_000),
      project("e2e", ["test/e2e/**/*.test.ts"], 60_000),
      project("full", ["test/full/**/*.test.ts"], 600_000),
    ],
  },
});
