import { join } from "node:path";
import { systemErrorCode, WinnowError } from "../../core/errors.ts";
import type { Listed } from "../source.ts";
import { skippedBySystem } from "./file-error.ts";
import type { FileSystem, FolderEntry } from "./file-system.ts";
import { extensionOf, fileTypeOf } from "./file-type.ts";
import { enterFolder, type IgnoreRules, isIgnored, rulesOfFolder } from "./ignore-rules.ts";
import type { FilesLimits } from "./limits.ts";
import { isWithin, type KeyScope } from "./paths.ts";
import { type FolderRoot, listFile, notAFile, OPT_OUT_MARKER } from "./roots.ts";

/** Entries of one folder that are looked up at the same time. */
const LOOK_UPS_MAX = 64;

export interface Walk {
  readonly fileSystem: FileSystem;
  readonly limits: FilesLimits;
  readonly signal: AbortSignal;
  /** Only these are listed; of other folders no more is read than the way to them needs. */
  readonly within?: KeyScope;
  readonly onFolder?: (path: string) => void;
}

interface Folder {
  readonly path: string;
  readonly prefix: string;
  readonly rules: IgnoreRules | undefined;
}

/** What one entry of a folder comes to: something to list, or a folder to go into. */
type Visited = Listed | { readonly folder: Folder };

interface Entry {
  /** Key of the entry; ends in `/` for a folder, which sorts it among its siblings as its content will. */
  readonly key: string;
  readonly dirent: FolderEntry;
}

/**
 * Everything below a root in the order of the keys, one folder in memory at a time. Links are never followed: those
 * that leave the root must not be, and what the others lead to is listed at its own place. So there are no cycles.
 */
export async function* walkFolder(root: FolderRoot, walk: Walk): AsyncGenerator<Listed> {
  const first = { path: root.path, prefix: root.prefix, rules: root.rules };
  const open: AsyncGenerator<Visited>[] = [visitFolder(first, root, walk)];
  for (let current = open.at(-1); current !== undefined; current = open.at(-1)) {
    const next = await current.next();
    if (next.done === true) open.pop();
    else if ("folder" in next.value) open.push(visitFolder(next.value.folder, root, walk));
    else yield next.value;
  }
}

async function* visitFolder(folder: Folder, root: FolderRoot, walk: Walk): AsyncGenerator<Visited> {
  walk.signal.throwIfAborted();
  const folderKey = folder.prefix === "" ? "./" : folder.prefix;
  let dirents: readonly FolderEntry[];
  walk.onFolder?.(folder.path);
  try {
    dirents = await walk.fileSystem.readdir(folder.path);
  } catch (error) {
    yield { skipped: skippedBySystem(folderKey, error) };
    return;
  }
  const names = new Set(dirents.map((dirent) => dirent.name));
  if (names.has(OPT_OUT_MARKER)) {
    yield { skipped: { key: folderKey, reason: "ignored", detail: `It is opted out by ${OPT_OUT_MARKER}.` } };
    return;
  }
  // A rule that could not be applied is told at the entry of its ignore file.
  const problems = new Map<string, Listed>();
  const rules = await rulesOfFolder(
    walk.fileSystem,
    { path: folder.path, prefix: folder.prefix, names },
    folder.rules,
    walk.limits.ignoreFileBytesMax,
    (name, detail) => {
      const key = `${folder.prefix}${name}`;
      problems.set(key, { skipped: { key, reason: "malformed", detail } });
    },
  );
  const inside = { ...folder, rules };
  const entries = sortedEntries(dirents, folder.prefix).filter((entry) => isAsked(entry, walk.within));
  for (let start = 0; start < entries.length; start += LOOK_UPS_MAX) {
    walk.signal.throwIfAborted();
    const batch = entries.slice(start, start + LOOK_UPS_MAX);
    yield* await Promise.all(batch.map((entry) => problems.get(entry.key) ?? visitEntry(entry, inside, root, walk)));
  }
}

function isAsked({ key, dirent }: Entry, within: KeyScope | undefined): boolean {
  return within === undefined || within.holds(key) || (dirent.isDirectory() && within.leadsTo(key));
}

function sortedEntries(dirents: readonly FolderEntry[], prefix: string): Entry[] {
  return dirents
    .map((dirent) => ({ key: `${prefix}${dirent.name}${dirent.isDirectory() ? "/" : ""}`, dirent }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

async function visitEntry(entry: Entry, folder: Folder, root: FolderRoot, walk: Walk): Promise<Visited> {
  const { key, dirent } = entry;
  const path = join(folder.path, dirent.name);
  if (dirent.isDirectory() && isUnreadFolder(dirent.name)) return skip(key, "Folders of this name are not read.");
  if (isIgnored(folder.rules, key)) return skip(key, "An ignore file excludes it.");
  if (dirent.isDirectory()) return { folder: { path, prefix: key, rules: enterFolder(folder.rules, key) } };
  try {
    if (dirent.isSymbolicLink()) return await visitLink(key, path, root, walk);
    if (!dirent.isFile()) return { skipped: notAFile(key) };
    if (fileTypeOf(dirent.name) === undefined) return unsupported(key, dirent.name);
    const stat = await walk.fileSystem.lstat(path);
    if (!stat.isFile()) return { skipped: notAFile(key) };
    return listFile(key, path, stat, walk.limits);
  } catch (error) {
    if (dirent.name.includes("\ufffd") && systemErrorCode(error) === "ENOENT") {
      return { skipped: { key, reason: "unreadable", detail: "Its name is not valid Unicode." } };
    }
    return { skipped: skippedBySystem(key, error) };
  }
}

/** `node_modules` and folders that begin with a dot: version control, caches, settings, our own index. */
function isUnreadFolder(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

function skip(key: string, detail: string): Listed {
  return { skipped: { key, reason: "ignored", detail } };
}

function unsupported(key: string, name: string): Listed {
  const extension = extensionOf(name);
  const what = extension === "" ? "of this name" : `of type .${extension.slice(0, 40)}`;
  return { skipped: { key, reason: "unsupported_type", detail: `Files ${what} are not read.` } };
}

async function visitLink(key: string, path: string, root: FolderRoot, walk: Walk): Promise<Listed> {
  const target = await walk.fileSystem.realpath(path);
  if (isWithin(root.realPath, target)) return skip(key, "It is a link; what it leads to is listed at its own place.");
  return { skipped: { key, reason: "outside_root", detail: "It is a link that leaves the folder." } };
}

/** Ends a listing that is larger than anything that can be meant. */
export function assertEntries(count: number, limits: FilesLimits): void {
  if (count <= limits.entriesMax) return;
  throw new WinnowError("limit_exceeded", `There are more than ${limits.entriesMax.toLocaleString("en-US")} files.`, {
    hint: "Index a smaller folder, or exclude parts with a .winnowignore file.",
  });
}
