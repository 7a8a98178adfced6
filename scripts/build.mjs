// Builds dist/: `node scripts/build.mjs [--js-only] [--force]`. Does nothing when no input changed since the last build.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle, mergePackages } from "./build/bundle.mjs";
import { findEntries } from "./build/entries.mjs";
import { hashInputs, isFresh, REPORT_FILE } from "./build/inputs.mjs";
import { noticesText } from "./build/notices.mjs";
import { buildPages } from "./build/pages.mjs";
import { emitTypes } from "./build/types.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");

const SWAP_ATTEMPTS_MAX = 5;

/** Moves a finished build into place, so that nobody ever runs half of one. Another build may do the same just now. */
function swapIn(/** @type {string} */ built) {
  for (let attempt = 1; ; attempt++) {
    const old = `${built}.old-${attempt}`;
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(built, dist);
      return;
    } catch (error) {
      if (attempt === SWAP_ATTEMPTS_MAX) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

async function main() {
  const { values } = parseArgs({ options: { "js-only": { type: "boolean" }, force: { type: "boolean" } } });
  const types = values["js-only"] !== true;
  const started = performance.now();
  const inputs = hashInputs(root);
  if (values.force !== true && isFresh(dist, inputs, types)) {
    console.error("build: nothing changed.");
    return;
  }
  const workplace = join(root, "node_modules", ".cache", "winnow");
  mkdirSync(workplace, { recursive: true });
  const out = mkdtempSync(join(workplace, "build-"));
  chmodSync(out, 0o755);
  try {
    const code = await bundle({ root, entries: findEntries(root), out });
    const pages = await buildPages({ root, out });
    const report = { ...code, pages: pages.bytes, packages: mergePackages([...code.packages, ...pages.packages]) };
    writeFileSync(join(out, "THIRD-PARTY-NOTICES.txt"), noticesText(root, report.packages));
    if (types) await emitTypes(root, join(out, "types"));
    writeFileSync(join(out, REPORT_FILE), `${JSON.stringify({ inputs, types, ...report }, null, 2)}\n`);
    swapIn(out);
    const kib = Math.round(report.chunks.reduce((sum, chunk) => sum + chunk.bytes, pages.bytes) / 1024);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.error(
      `build: ${report.chunks.length + 1} files, ${kib} KiB, ${report.packages.length} packages bundled, ${seconds} s.`,
    );
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
