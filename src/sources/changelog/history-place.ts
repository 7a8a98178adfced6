import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { systemErrorCode } from "../../core/errors.ts";
import type { SkipReason } from "../source.ts";

/** Longest file of git's that is read here; each holds a path or a few. */
const POINTER_BYTES_MAX = 65_536;
/** How far object stores that borrow from others are followed; git itself goes five deep. */
const ALTERNATES_DEPTH_MAX = 5;
const POINTER = /^gitdir: (.+?)\s*$/u;
/** The work tree that a submodule's own record names. */
const WORK_TREE = /^\s*worktree\s*=\s*"?(.+?)"?\s*$/imu;

/**
 * Why the history of the work tree at `folder` must not be read; undefined where it may be. A folder that somebody else
 * made can point to any repository of this machine: by a `.git` that is a file or a link, by a common folder, by object
 * stores. So the history has to lie in the folder itself, links followed, or in a repository whose own record names this
 * work tree: only who may write there could have put that in. What cannot be made out is not read either.
 */
export async function outsideHistory(folder: string): Promise<Refusal | undefined> {
  try {
    const tree = await realpath(folder);
    const gitFolder = await gitFolderOf(tree);
    const common = await commonFolderOf(gitFolder);
    const own = isInside(tree, gitFolder) && isInside(tree, common);
    if (!own && !(await isNamedBack(tree, gitFolder, common))) return outside;
    return (await objectsLeave(join(common, "objects"), common, ALTERNATES_DEPTH_MAX)) ? outside : undefined;
  } catch (error) {
    return { reason: "unreadable", detail: `No history: ${systemErrorCode(error) ?? ".git has no known form"}.` };
  }
}

export interface Refusal {
  readonly reason: SkipReason;
  readonly detail: string;
}

const outside: Refusal = {
  reason: "outside_root",
  detail: "The history lies outside: in a repository that does not name this folder as its own.",
};

function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== "" && inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** The folder that `.git` is, or that it points to; links followed. */
async function gitFolderOf(tree: string): Promise<string> {
  const git = await realpath(join(tree, ".git"));
  if ((await stat(git)).isDirectory()) return git;
  const target = POINTER.exec(await readShort(git))?.[1];
  if (target === undefined) throw new Error("no pointer");
  // Git resolves it from where the file lies, which a link may have moved.
  return realpath(resolve(dirname(git), target));
}

async function commonFolderOf(gitFolder: string): Promise<string> {
  const common = await readIfThere(join(gitFolder, "commondir"));
  return common === undefined ? gitFolder : realpath(resolve(gitFolder, common.trim()));
}

/** Whether the repository itself says that this is a work tree of it: a linked one, or a submodule's. */
async function isNamedBack(tree: string, gitFolder: string, common: string): Promise<boolean> {
  const pointer = join(tree, ".git");
  if ((await lstat(pointer)).isSymbolicLink()) return false;
  if (gitFolder === common) {
    const named = WORK_TREE.exec((await readIfThere(join(gitFolder, "config"))) ?? "")?.[1];
    return named !== undefined && (await isSame(resolve(gitFolder, named), tree));
  }
  if (dirname(gitFolder) !== join(common, "worktrees") || basename(gitFolder) === "") return false;
  const named = await readIfThere(join(gitFolder, "gitdir"));
  return named !== undefined && (await isSame(resolve(gitFolder, named.trim()), pointer));
}

async function isSame(path: string, other: string): Promise<boolean> {
  return (await realpath(path).catch(() => undefined)) === other;
}

/** Whether objects come from beyond `common`: by a link, or from another store. Loose objects need not be looked at. */
async function objectsLeave(objects: string, common: string, depth: number): Promise<boolean> {
  const real = await realpath(objects);
  if (depth < 0 || !isInside(common, real)) return true;
  for (const folder of [real, join(real, "pack"), join(real, "info")]) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw error;
    });
    if (entries.some((entry) => entry.isSymbolicLink())) return true;
  }
  const alternates = (await readIfThere(join(real, "info", "alternates"))) ?? "";
  for (const line of alternates.split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const quoted = line.startsWith('"');
    if (quoted || (await objectsLeave(resolve(real, line), common, depth - 1))) return true;
  }
  return false;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readShort(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function readShort(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > POINTER_BYTES_MAX) throw new Error("too long");
  return readFile(path, "utf8");
}
