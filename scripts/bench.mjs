// Runs a benchmark: `node scripts/bench.mjs NAME [ARG…]`. Bundles bench/NAME.ts, since Node 20 runs no TypeScript.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { assetUrls } from "./build/bundle.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name = "", ...args] = process.argv.slice(2);
const source = join(root, "bench", `${name}.ts`);
if (!existsSync(source)) {
  const names = readdirSync(join(root, "bench")).flatMap((file) => (file.endsWith(".ts") ? [file.slice(0, -3)] : []));
  console.error(`bench: there is no "${name}". Benchmarks: ${names.join(", ")}.`);
  process.exit(2);
}
const out = join(root, "node_modules", ".cache", "winnow", "bench", name);
mkdirSync(out, { recursive: true });
const bundle = await rolldown({
  input: source,
  platform: "node",
  external: [/^[^./]/],
  plugins: [assetUrls()],
  logLevel: "warn",
});
await bundle.write({ dir: out, format: "esm", entryFileNames: "[name].mjs" });
const { status } = spawnSync(process.execPath, ["--expose-gc", join(out, `${name}.mjs`), ...args], {
  cwd: root,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
