import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { FileSystem } from "../files/file-system.ts";

/** Whether a session that began in `cwd` is of the project at `projectFolder`: in the folder or below, links followed. */
export async function isOfProject(
  fileSystem: Pick<FileSystem, "realpath">,
  projectFolder: string,
  cwd: string | undefined,
): Promise<boolean> {
  if (cwd === undefined || !isAbsolute(cwd)) return false;
  const [folder, place] = await Promise.all([realPlace(fileSystem, projectFolder), realPlace(fileSystem, cwd)]);
  const inside = relative(folder, place);
  return inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** Where a path leads; of one that is gone, the part that is still there is followed. */
async function realPlace(fileSystem: Pick<FileSystem, "realpath">, path: string): Promise<string> {
  const whole = resolve(path);
  const gone: string[] = [];
  for (let known = whole; ; known = dirname(known)) {
    const real = await fileSystem.realpath(known).catch(() => undefined);
    if (real !== undefined) return join(real, ...gone);
    if (dirname(known) === known) return whole;
    gone.unshift(basename(known));
  }
}
