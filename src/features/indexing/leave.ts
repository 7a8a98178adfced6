import { realpath } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import type { BuiltEntry } from "../../config/corpora.ts";
import { leaveOf, type MayRead, type ProjectLeave } from "../../config/leave.ts";
import { isAddress } from "../../core/address.ts";
import { covers, keyOfPath } from "./roots.ts";

export { leaveOf, type MayRead } from "../../config/leave.ts";

/**
 * Those of an entry's paths that it may read only with the user's leave: a project's file comes with a folder that somebody
 * else may have made. What agents saw and did is such a path wherever it lies, anything else where it leaves the folder
 * of the file; links are followed. What the user's own file names needs no leave.
 */
export async function pathsThatNeedLeave(
  { isUsers, isPrivate, projectFolder }: Pick<BuiltEntry, "isUsers" | "isPrivate" | "projectFolder">,
  paths: readonly string[],
): Promise<readonly string[]> {
  if (isUsers || isPrivate) return isUsers ? [] : paths;
  return outside([await real(projectFolder)], paths);
}

/** Those of an entry's paths for which the user's leave is still missing. */
export async function pathsWithoutLeave(
  entry: Pick<BuiltEntry, "isUsers" | "isPrivate" | "projectFolder">,
  paths: readonly string[],
  mayRead: MayRead,
): Promise<readonly string[]> {
  const { projectFolder: folder } = entry;
  const granted = leaveOf(mayRead, folder);
  return outside(await grantedFolders({ folder, granted }), await pathsThatNeedLeave(entry, paths));
}

/** Those directories and addresses outside of a project's folder for which the user's leave is still missing. */
export async function placesWithoutLeave(
  leave: Pick<ProjectLeave, "folder" | "granted">,
  places: readonly string[],
): Promise<readonly string[]> {
  const addresses = leave.granted.filter(isAddress).map(plainAddress);
  const paths = places.filter((place) => !isAddress(place));
  const refused = await outside([await real(leave.folder), ...(await grantedFolders(leave))], paths);
  return places.filter((place) =>
    isAddress(place) ? !addresses.includes(plainAddress(place)) : refused.includes(place),
  );
}

/** A place as the leave for it is noted: where links lead now, so that a link that is changed later gives no leave. */
export function noted(place: string): Promise<string> {
  return isAddress(place) ? Promise.resolve(place) : real(place);
}

/** What was agreed to. Below the project's folder no link is followed: the folder could lead it elsewhere. */
async function grantedFolders({ folder, granted }: Pick<ProjectLeave, "folder" | "granted">): Promise<string[]> {
  const project = await real(folder);
  const paths = granted.filter((place) => !isAddress(place));
  return Promise.all(
    paths.map(async (path) => {
      const below = [folder, project].map((base) => keyOfPath(base, path)).find((key) => !isAbsolute(key));
      return below === undefined ? real(path) : join(project, below);
    }),
  );
}

/** Those paths that lie in none of the folders, links followed; links to the folders are followed already. */
async function outside(folders: readonly string[], paths: readonly string[]): Promise<readonly string[]> {
  const places = await Promise.all(paths.map(real));
  return paths.filter((_, i) => !folders.some((folder) => covers("", keyOfPath(folder, places[i] ?? ""))));
}

function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/** The address of a server however its end is written. */
function plainAddress(address: string): string {
  const { href } = URL.canParse(address) ? new URL(address) : { href: address };
  return href.replace(/\/+$/, "").replace(/\/api(\/v2)?$/, "");
}
