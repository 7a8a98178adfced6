import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** @typedef {{ package: string, version: string, globs: string[], files: number }} DemoSource */

/**
 * Files of a folder that match `FOLDER/**\/*.EXTENSION` or are named exactly; POSIX paths, sorted.
 * @param {string} folder @param {readonly string[]} globs
 */
function matching(folder, globs) {
  const found = globs.flatMap((glob) => {
    const [, below, extension] = /^(.+)\/\*\*\/\*(\.\w+)$/.exec(glob) ?? [];
    if (below === undefined || extension === undefined) return existsSync(join(folder, glob)) ? [glob] : [];
    return readdirSync(join(folder, below), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(extension))
      .map((file) => `${below}/${file.replaceAll("\\", "/")}`);
  });
  return found.sort();
}

/** @param {string} from @param {string} to */
function isCopied(from, to) {
  const copy = statSync(to, { throwIfNoEntry: false });
  const original = statSync(from);
  return copy?.size === original.size && Math.abs(copy.mtimeMs - original.mtimeMs) < 1;
}

/**
 * The files of one source, checked against the pinned version and count.
 * @param {string} root @param {DemoSource} source
 */
export function listSource(root, source) {
  const folder = join(root, "node_modules", source.package);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (version !== source.version) {
    throw new Error(`${source.package} is ${version} here, not ${source.version}. Run npm install again.`);
  }
  return { folder, files: matching(folder, source.globs) };
}

/** @param {string} root @returns {DemoSource[]} */
export function readSources(root) {
  return JSON.parse(readFileSync(join(root, "examples", "demo", "corpus-sources.json"), "utf8")).sources;
}

/**
 * Lays the documentation out as PACKAGE/… under `target`, keeping modification times, so that a second run finds every
 * file unchanged. Returns how many files lie there.
 * @param {string} root @param {string} target
 */
export function layOut(root, target) {
  mkdirSync(target, { recursive: true });
  let count = 0;
  const wanted = new Set();
  for (const source of readSources(root)) {
    const { folder, files } = listSource(root, source);
    for (const file of files) {
      const to = join(target, source.package, file);
      wanted.add(to);
      if (!isCopied(join(folder, file), to)) cpSync(join(folder, file), to, { preserveTimestamps: true });
      count++;
    }
  }
  for (const entry of readdirSync(target, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(path)) rmSync(path);
  }
  return count;
}
