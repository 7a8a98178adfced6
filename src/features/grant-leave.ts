import { corpusBase } from "../retrieval/corpus/layout.ts";
import { leaveOf, type MayRead, noted, pathsWithoutLeave } from "./indexing/leave.ts";
import { writeLeave } from "./indexing/write-leave.ts";

export interface Leave {
  /** The index that reads them. */
  readonly folder: string;
  /** Absolute; what the user named. */
  readonly paths: readonly string[];
  /** What the user has agreed to already. */
  readonly mayRead: MayRead;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Remembers in the user's own file that an index may read what the user named outside of its folder, so that a refresh may
 * too. Resolves with what was not agreed to before.
 */
export async function grantLeave({ folder, paths, mayRead, environment }: Leave): Promise<readonly string[]> {
  const base = corpusBase(folder);
  const named = await pathsWithoutLeave({ isUsers: false, isPrivate: false, projectFolder: base }, paths, mayRead);
  if (named.length === 0) return [];
  const lacking = await Promise.all(named.map(noted));
  const agreed = [...new Set([...leaveOf(mayRead, base), ...lacking])];
  await writeLeave(base, agreed, environment);
  return lacking;
}
