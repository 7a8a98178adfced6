import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { type CommandResult, runCommand } from "../support/command.ts";
import { checkout } from "../support/packed.ts";

const packed = inject("packed");
const folder = join(packed.folder, "examples");
const compiled = join(folder, "compiled");

/** As a user's project: strict, against the published declarations, without a look into our sources. */
const CONFIG = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023"],
    types: ["node"],
    skipLibCheck: true,
    rootDir: "typescript",
    outDir: "compiled",
  },
  include: ["typescript"],
};

beforeAll(() => {
  mkdirSync(join(folder, "notes"), { recursive: true });
  mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
  cpSync(join(checkout, "examples", "typescript"), join(folder, "typescript"), { recursive: true });
  // A copy, since modules look for what they import from where they really lie.
  cpSync(packed.package, join(folder, "node_modules", "winnow-search"), { recursive: true });
  // What the user of the example has besides us.
  symlinkSync(join(checkout, "node_modules", "ai"), join(folder, "node_modules", "ai"));
  symlinkSync(join(checkout, "node_modules", "@types", "node"), join(folder, "node_modules", "@types", "node"));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(CONFIG));
  writeFileSync(join(folder, "notes", "retries.md"), "# Retries\n\nFive attempts. Owned by the Harbour team.\n");
  writeFileSync(join(folder, "notes", "pool.md"), "# Connection pool\n\nTen connections. Retries are elsewhere.\n");
  const compiler = join(checkout, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
  expect(stdout).toBe("");
});

const run = (example: string, ...args: readonly string[]): Promise<CommandResult> =>
  runCommand(join(compiled, example), args, { cwd: folder, home: packed.home });

describe("the examples compile against the published types and run", () => {
  test("search.ts", async () => {
    const { code, stdout, stderr } = await run("search.js", "notes", "Which team owns retries?");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^2 documents\nturn 1: search_corpus/);
    expect(stdout).toMatch(/1\. retries\.md:1\n[\s\S]*# Retries/);
    const nowhere = await run("search.js", "nowhere");
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringMatching(/^nothing_to_index: /) });
  });

  test("find.ts", async () => {
    const { code, stdout } = await run("find.js", "notes");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pool\.md [\d.]+\n[\s\S]*2 matches\n2 documents moved since 2020-01-01\n$/);
  });

  test("ai-sdk-agent.ts", async () => {
    const { code, stdout, stderr } = await run("ai-sdk-agent.js", "notes");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/1\. Retries\n {3}retries\.md:1 · \d{4}-\d\d-\d\d/);
  });

  test("every example is tried here", () => {
    const names = readdirSync(join(checkout, "examples", "typescript")).filter((name) => name !== "stand-in-model.ts");
    expect(names.sort()).toEqual(["ai-sdk-agent.ts", "find.ts", "search.ts"]);
  });
});
