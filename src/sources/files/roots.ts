import { dirname, isAbsolute, join, resolve } from "node:path";
import { systemErrorCode, WinnowError } from "../../core/errors.ts";
import type { Listed, Skipped } from "../source.ts";
import { skippedBySystem, systemSentence } from "./file-error.ts";
import type { EntryStat, FileSystem } from "./file-system.ts";
import { enterFolder, IGNORE_FILES, type IgnoreRules, rulesOfFolder } from "./ignore-rules.ts";
import type { FilesLimits } from "./limits.ts";
import { isWithin, keyOf } from "./paths.ts";

/** A file of this name opts its folder and everything below out. */
export const OPT_OUT_MARKER = ".nowinnow";

export interface FolderRoot {
  readonly path: string;
  /** Empty for the base itself, else ends in `/`. */
  readonly prefix: string;
  readonly realPath: string;
  readonly rules: IgnoreRules | undefined;
}

export interface Roots {
  readonly folders: readonly FolderRoot[];
  /** What is known without walking: roots that are files, and roots that are opted out. Ordered by key. */
  readonly single: readonly Listed[];
}

/** Checks what the caller passed. Throws `invalid_argument` for what cannot name a place. */
export function checkPlaces(roots: readonly string[], base: string): void {
  const hint = "Pass absolute paths of files or folders.";
  if (roots.length === 0) throw new WinnowError("invalid_argument", "No path to index was given.", { hint });
  for (const path of [base, ...roots]) {
    if (!isAbsolute(path) || path.includes("\0")) {
      throw new WinnowError("invalid_argument", `Not an absolute path: ${JSON.stringify(path)}.`, { hint });
    }
  }
}

/** Looks every root up. Throws `source_not_found` for one that is missing or cannot be read. */
export async function lookUpRoots(
  fileSystem: FileSystem,
  options: { readonly roots: readonly string[]; readonly base: string; readonly limits: FilesLimits },
  signal: AbortSignal,
): Promise<Roots> {
  const folders: FolderRoot[] = [];
  const single: [string, Listed][] = [];
  for (const path of new Set(options.roots.map((root) => resolve(root)))) {
    signal.throwIfAborted();
    const key = keyOf(options.base, path);
    const found = await statRoot(fileSystem, path);
    const above = foldersAbove(options.base, path);
    if (await isOptedOut(fileSystem, above)) {
      single.push([key, { skipped: { key, reason: "ignored", detail: `A folder above it has ${OPT_OUT_MARKER}.` } }]);
    } else if (found.isDirectory()) {
      folders.push(await folderRoot(fileSystem, options, path, key, above));
    } else {
      single.push([key, await fileRoot(fileSystem, path, key, found, options.limits)]);
    }
  }
  single.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  folders.sort((a, b) => (a.prefix < b.prefix ? -1 : a.prefix > b.prefix ? 1 : 0));
  return { folders, single: single.map(([, listed]) => listed) };
}

async function statRoot(fileSystem: FileSystem, path: string): Promise<EntryStat> {
  try {
    return await fileSystem.stat(path);
  } catch (error) {
    const code = systemErrorCode(error);
    const missing = code === "ENOENT" || code === "ENOTDIR";
    const message = missing ? `There is nothing at ${path}.` : `${path} cannot be read: ${systemSentence(error)}.`;
    const hint = missing
      ? "Check the spelling; `winnow forget` removes a path that is gone from the index."
      : "Check that you may read it.";
    throw new WinnowError("source_not_found", message, { hint, cause: error });
  }
}

async function folderRoot(
  fileSystem: FileSystem,
  options: { readonly base: string; readonly limits: FilesLimits },
  path: string,
  key: string,
  above: readonly string[],
): Promise<FolderRoot> {
  const prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  const realPath = await fileSystem.realpath(path);
  let rules: IgnoreRules | undefined;
  for (const folder of above) {
    const folderKey = keyOf(options.base, folder);
    const folderPrefix = folderKey === "" ? "" : `${folderKey}/`;
    if (folderPrefix !== "") rules = enterFolder(rules, folderPrefix);
    const place = { path: folder, prefix: folderPrefix, names: new Set(IGNORE_FILES) };
    rules = await rulesOfFolder(fileSystem, place, rules, options.limits.ignoreFileBytesMax, () => {});
  }
  // Rules from above hold inside the root but cannot exclude the root itself, because it was named.
  return { path, prefix, realPath, rules: prefix === "" ? rules : enterFolder(rules, prefix) };
}

async function fileRoot(
  fileSystem: FileSystem,
  path: string,
  key: string,
  found: EntryStat,
  limits: FilesLimits,
): Promise<Listed> {
  if (!found.isFile()) return { skipped: notAFile(key) };
  try {
    const location = await fileSystem.realpath(path);
    return listFile(key, location, found, limits);
  } catch (error) {
    return { skipped: skippedBySystem(key, error) };
  }
}

/** A file by its size alone: an item, or why its content need not be looked at. */
export function listFile(key: string, location: string, stat: EntryStat, limits: FilesLimits): Listed {
  if (stat.size > limits.fileBytesMax) return { skipped: tooLarge(key, stat.size, limits.fileBytesMax) };
  if (stat.size === 0) return { skipped: { key, reason: "empty", detail: "It has no content." } };
  return { item: { key, location, bytes: stat.size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs } };
}

export function tooLarge(key: string, bytes: number, bytesMax: number): Skipped {
  const [size, limit] = [bytes.toLocaleString("en-US"), bytesMax.toLocaleString("en-US")];
  return { key, reason: "too_large", detail: `It has ${size} bytes; the limit is ${limit}.` };
}

export function notAFile(key: string): Skipped {
  return { key, reason: "not_a_file", detail: "It is a pipe, a socket, a device or another special file." };
}

/** The folders that contain `path`, outermost first, from the base down; none where it lies outside the base. */
function foldersAbove(base: string, path: string): string[] {
  const own = dirname(path);
  if (path === base || !isWithin(base, own)) return [];
  const folders = [own];
  for (let folder = own; folder !== base; folders.unshift(folder)) folder = dirname(folder);
  return folders;
}

async function isOptedOut(fileSystem: FileSystem, above: readonly string[]): Promise<boolean> {
  for (const folder of above) {
    try {
      await fileSystem.lstat(join(folder, OPT_OUT_MARKER));
      return true;
    } catch {
      // No marker here.
    }
  }
  return false;
}
