import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { BuiltEntry } from "../../config/corpora.ts";
import { WinnowError } from "../../core/errors.ts";

/** Where Claude Code keeps transcripts, in one folder a project. */
const PROJECTS_FOLDER = "projects";

/**
 * What an entry reads: the paths that it names; for agent sessions and tool traces without any, the transcripts of its own
 * project. Rejects with `source_not_found` where there are none.
 */
export async function sourcePaths(
  { paths, projectFolder }: Pick<BuiltEntry, "paths" | "projectFolder">,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  if (paths.length > 0) return paths;
  const folder = transcriptFolder(projectFolder, environment);
  const found = await readdir(folder).catch(() => undefined);
  if (found !== undefined) return [folder];
  throw new WinnowError("source_not_found", `There are no transcripts of this folder: ${folder} does not exist.`, {
    hint: "Name the folder that holds them: winnow index PATH --source claude-sessions",
  });
}

/** Claude Code names the folder of a project after its path, with a dash for all that is neither letter nor digit. */
export function transcriptFolder(
  projectFolder: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const home = environment["CLAUDE_CONFIG_DIR"] ?? join(environment["HOME"] ?? homedir(), ".claude");
  return join(home, PROJECTS_FOLDER, projectFolder.replace(/[^A-Za-z0-9]/g, "-"));
}
