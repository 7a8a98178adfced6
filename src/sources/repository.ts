import { lstat, readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/** Longest `.git` file that is read; it holds one path. */
const POINTER_BYTES_MAX = 8_192;
/** What the `.git` file of a second working tree points to: a folder inside the `.git` of the repository itself. */
const WORKTREE = /^gitdir: (.+?)[\\/]\.git[\\/]worktrees[\\/][^\\/\n]+[\\/]?\s*$/u;

/**
 * Names the git repository that a folder lies in: its top folder, and for a second working tree that of the repository
 * it belongs to. Undefined outside of any. Each folder is looked at once, whatever happens to it later.
 */
export function repositoryFinder(): (folder: string) => Promise<string | undefined> {
  const known = new Map<string, Promise<string | undefined>>();
  const find = (folder: string): Promise<string | undefined> => {
    const found = known.get(folder) ?? look(folder);
    known.set(folder, found);
    return found;
  };
  const look = async (folder: string): Promise<string | undefined> => {
    const own = await repositoryAt(folder);
    if (own !== undefined) return own;
    const above = dirname(folder);
    return above === folder ? undefined : find(above);
  };
  return (folder) => find(resolve(folder));
}

async function repositoryAt(folder: string): Promise<string | undefined> {
  const git = join(folder, ".git");
  try {
    const stat = await lstat(git);
    if (!stat.isFile() || stat.size > POINTER_BYTES_MAX) return basename(folder);
    const main = WORKTREE.exec(await readFile(git, "utf8"))?.[1];
    return main === undefined ? basename(folder) : basename(main);
  } catch {
    return undefined;
  }
}
