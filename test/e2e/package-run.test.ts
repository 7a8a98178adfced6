import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { checkout, readJson } from "../support/packed.ts";

/** JavaScript that `--help` may load: the command parser and our descriptions of the commands. */
const HELP_BYTES_MAX = 250 * 2 ** 10;
const HELP_PACKAGES = ["commander"];

const packed = inject("packed");
const manifest = readJson(join(packed.package, "package.json"));
/** Needs a package that its users bring; the examples try it. */
const WITH_PEERS = ["./ai-sdk"];
const entries = Object.keys(manifest.exports).filter((name) => ![...WITH_PEERS, "./package.json"].includes(name));
const env = { PATH: process.env["PATH"], HOME: packed.home, USERPROFILE: packed.home };

interface Chunk {
  readonly file: string;
  readonly bytes: number;
  readonly imports: readonly string[];
  readonly packages: readonly string[];
}

/** The chunks that are loaded when `file` is, before anything asks for more. */
function loadedWith(file: string): Chunk[] {
  const chunks: Chunk[] = readJson(join(checkout, "dist", "build.json")).chunks;
  const found = new Map<string, Chunk>();
  const visit = (name: string): void => {
    const chunk = chunks.find((one) => one.file === name);
    if (chunk === undefined || found.has(name)) return;
    found.set(name, chunk);
    for (const next of chunk.imports) visit(next);
  };
  visit(file);
  return [...found.values()];
}

test("--help prints the usage, quietly, and loads the command parser only", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [packed.cli, "--help"], {
    cwd: packed.folder,
    env,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/Usage: winnow/);
  const loaded = loadedWith("cli.js");
  expect(loaded.flatMap((chunk) => chunk.packages).filter((name) => !HELP_PACKAGES.includes(name))).toEqual([]);
  expect(
    loaded.flatMap((chunk) => chunk.imports).filter((name) => !name.endsWith(".js") && !name.startsWith("node:")),
  ).toEqual([]);
  expect(loaded.reduce((sum, chunk) => sum + chunk.bytes, 0)).toBeLessThan(HELP_BYTES_MAX);
});

test("--version prints the version of package.json", () => {
  const said = execFileSync(process.execPath, [packed.cli, "--version"], { cwd: packed.folder, env, encoding: "utf8" });
  expect(said.trim()).toBe(manifest.version);
});

test.each(entries)("%s can be imported and has named exports only", (entry) => {
  const specifier = join("winnow-search", entry).replaceAll("\\", "/");
  const script = `import(${JSON.stringify(specifier)}).then((all) => console.log(JSON.stringify(Object.keys(all))))`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: packed.folder,
    env,
    encoding: "utf8",
  });
  const names: string[] = JSON.parse(said);
  expect(names.length).toBeGreaterThan(0);
  expect(names).not.toContain("default");
});

test("a strict consumer compiles against the declarations, with nothing but the package's own dependencies", {
  timeout: 60_000,
}, () => {
  const folder = join(packed.folder, "consumer");
  mkdirSync(folder, { recursive: true });
  const imports = entries.map((entry, index) => `import * as entry${index} from "winnow-search${entry.slice(1)}";`);
  const uses = entries.map((_, index) => `console.log(Object.keys(entry${index}));`);
  writeFileSync(
    join(folder, "consumer.ts"),
    `${[...imports, ...uses].join("\n")}
import { WinnowError } from "winnow-search";
const error: WinnowError = new WinnowError("timeout", "late", { retryable: true });
// @ts-expect-error the list of codes is closed
new WinnowError("no_such_code", error.message);
`,
  );
  const compilerOptions = {
    module: "nodenext",
    moduleResolution: "nodenext",
    target: "es2023",
    lib: ["es2023"],
    types: ["node"],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
  const compiler = join(checkout, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
  const own = stdout
    .split("\n")
    .filter((line) => line !== "" && !line.includes("apache-arrow") && !line.startsWith(" "));
  expect(own).toEqual([]);
});

test("the parser and the store are found although only production dependencies are installed", () => {
  expect(existsSync(join(packed.folder, "node_modules", "apache-arrow", "package.json"))).toBe(true);
  expect(existsSync(join(packed.folder, "node_modules", "vitest"))).toBe(false);
  expect(existsSync(join(packed.folder, "node_modules", "@lancedb", "lancedb"))).toBe(false);
});
