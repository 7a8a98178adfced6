import { chmodSync, existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { rolldown } from "rolldown";
import { esmExternalRequirePlugin } from "rolldown/plugins";
import { packageOf } from "./packages.mjs";

/** Installed beside us instead of bundled; the reasons are in docs/decisions/dependencies.md. */
const EXTERNAL_PACKAGES = ["apache-arrow", "@vscode/ripgrep", "ai"];
const NATIVE_BINDING = /^@lancedb\/lancedb-/;
/** Files that the store's loader looks for beside itself, in its own development tree only. */
const NATIVE_FILE = /^\.\/lancedb\.[\w.-]+\.(node|cjs)$/;
const ASSET_URL = /new URL\(\s*"(\.{1,2}\/[^"]+)",\s*import\.meta\.url,?\s*\)/g;
const EXECUTABLE = 0o755;

/** @typedef {{ file: string, bytes: number, entry: boolean, imports: string[], dynamicImports: string[], packages: string[] }} Chunk */
/** @typedef {import("./packages.mjs").Package & { bytes: number }} BundledPackage */

/**
 * Files addressed as `new URL("…", import.meta.url)` are copied into dist/assets and addressed there. All chunks lie
 * flat in dist/, so that one relative address is right in each of them.
 * @returns {import("rolldown").Plugin}
 */
export function assetUrls() {
  return {
    name: "winnow:asset-urls",
    transform: {
      filter: { id: /\.ts$/, code: "import.meta.url" },
      handler(code, id) {
        const rewritten = code.replace(ASSET_URL, (whole, /** @type {string} */ address) => {
          const path = resolve(dirname(id), address);
          if (!existsSync(path)) return whole;
          if (path.endsWith(".ts")) throw new Error(`${id}: ${address} is code; import it, or add an entry for it.`);
          this.emitFile({ type: "asset", fileName: `assets/${basename(path)}`, source: readFileSync(path) });
          return `new URL("./assets/${basename(path)}", import.meta.url)`;
        });
        return rewritten === code ? null : { code: rewritten, map: null };
      },
    },
  };
}

/** @returns {import("rolldown").Plugin} */
function nativeBindings() {
  return {
    name: "winnow:native-bindings",
    resolveId: {
      filter: { id: [NATIVE_BINDING, NATIVE_FILE] },
      handler: (id) => ({ id: id.startsWith("./") ? `#${id.slice(2)}` : id, external: true }),
    },
  };
}

/**
 * SQLite's library reads its WebAssembly from the folder that it lies in, which code of a bundle cannot ask for with
 * `__dirname`: the file is copied into dist/assets and read from there.
 * @returns {import("rolldown").Plugin}
 */
function sqliteWasm() {
  const folderModule = "#assets-folder";
  const ownFolder = '__dirname+"/"';
  return {
    name: "winnow:sqlite-wasm",
    resolveId: { filter: { id: /^#assets-folder$/ }, handler: (id) => `\0${id}` },
    load: {
      filter: { id: /^\0#assets-folder$/ },
      handler: () =>
        `import { fileURLToPath } from "node:url";
        export const folder = fileURLToPath(new URL("./assets/", import.meta.url));`,
    },
    transform: {
      filter: { id: /node-sqlite3-wasm\.js$/ },
      handler(code, id) {
        if (code.split(ownFolder).length !== 2) throw new Error(`${id}: it finds its WebAssembly in another way.`);
        const path = id.replace(/\.js$/, ".wasm");
        this.emitFile({ type: "asset", fileName: `assets/${basename(path)}`, source: readFileSync(path) });
        return { code: code.replace(ownFolder, `require("${folderModule}").folder`), map: null };
      },
    },
  };
}

/**
 * A chunk is named after the package whose entry it is; many packages call theirs `index` or `dist`.
 * @param {import("rolldown").PreRenderedChunk} chunk
 */
function chunkName(chunk) {
  const owner = chunk.facadeModuleId ? packageOf(chunk.facadeModuleId) : undefined;
  return owner === undefined ? "[name]" : owner.name.replace("@", "").replace("/", "-");
}

/** Packages that have code in a chunk, by folder. @param {import("rolldown").OutputChunk} chunk @returns {Map<string, BundledPackage>} */
export function packagesOf(chunk) {
  const found = new Map();
  for (const [id, module] of Object.entries(chunk.modules)) {
    const owner = packageOf(id.replace(/^\0/, "").replace(/\?.*$/, ""));
    if (owner === undefined || module.renderedLength === 0) continue;
    const known = found.get(owner.directory) ?? { ...owner, bytes: 0 };
    known.bytes += module.renderedLength;
    found.set(owner.directory, known);
  }
  return found;
}

/** @param {import("rolldown").OutputChunk[]} chunks */
function describe(chunks) {
  /** @type {BundledPackage[]} */
  const packages = [];
  const described = chunks.map((chunk) => {
    const own = packagesOf(chunk);
    packages.push(...own.values());
    return {
      file: chunk.fileName,
      bytes: Buffer.byteLength(chunk.code),
      entry: chunk.isEntry,
      imports: chunk.imports,
      dynamicImports: chunk.dynamicImports,
      packages: [...own.values()].map((found) => found.name).sort(),
    };
  });
  return {
    chunks: described.sort((a, b) => (a.file < b.file ? -1 : 1)),
    packages: mergePackages(packages),
  };
}

/**
 * Each package once, with the bytes that it has in all.
 * @param {readonly BundledPackage[]} found
 */
export function mergePackages(found) {
  /** @type {Map<string, BundledPackage>} */
  const packages = new Map();
  for (const one of found) {
    packages.set(one.directory, { ...one, bytes: one.bytes + (packages.get(one.directory)?.bytes ?? 0) });
  }
  return [...packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Bundles our code and the packages that are not installed beside it. Any warning of the bundler fails the build.
 * @param {{ root: string, entries: Record<string, string>, out: string }} options
 * @returns {Promise<{ chunks: Chunk[], packages: BundledPackage[] }>}
 */
export async function bundle({ root, entries, out }) {
  if (Object.keys(entries).length === 0) throw new Error("there is no entry point yet.");
  /** @type {string[]} */
  const warnings = [];
  const build = await rolldown({
    cwd: root,
    input: entries,
    platform: "node",
    transform: { target: "node20" },
    treeshake: { moduleSideEffects: [{ test: /\/src\//, sideEffects: false }] },
    plugins: [nativeBindings(), sqliteWasm(), assetUrls(), esmExternalRequirePlugin({ external: EXTERNAL_PACKAGES })],
    onLog: (level, log) => {
      if (level === "warn") warnings.push(log.message);
    },
  });
  const { output } = await build.write({
    dir: out,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: (chunk) => `${chunkName(chunk)}-[hash].js`,
    banner: (chunk) => (chunk.isEntry && chunk.name === "cli" ? "#!/usr/bin/env node" : ""),
    minify: false,
  });
  await build.close();
  if (warnings.length > 0) throw new Error(`the bundler warns:\n${warnings.join("\n")}`);
  if (existsSync(join(out, "cli.js"))) chmodSync(join(out, "cli.js"), EXECUTABLE);
  return describe(output.filter((file) => file.type === "chunk"));
}
