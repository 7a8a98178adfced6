import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { WinnowError } from "../../../core/errors.ts";

/** Variable of the environment that names the executable, where it is not on the PATH. */
export const EXECUTABLE_VARIABLE = "WINNOW_CHROMA";
const NAME = "chroma";

export const INSTALL_HINT = `Install it with: pip install chromadb. Where it is not on the PATH, name it with ${EXECUTABLE_VARIABLE}.`;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The `chroma` executable: the one that is named, else the first on the PATH. Rejects with `dependency_missing`. A
 * relative entry of the PATH is passed over: what lies in the working folder is not to be run by accident.
 */
export async function findChroma(
  environment: Environment,
  platform: NodeJS.Platform = process.platform,
): Promise<string> {
  const named = environment[EXECUTABLE_VARIABLE] ?? "";
  if (named !== "") {
    if (await isExecutable(resolve(named))) return resolve(named);
    throw new WinnowError("dependency_missing", `${EXECUTABLE_VARIABLE} names ${named}, which cannot be run.`, {
      hint: INSTALL_HINT,
    });
  }
  const endings = platform === "win32" ? [".exe"] : [""];
  for (const folder of (environment["PATH"] ?? "").split(delimiter).filter(isAbsolute)) {
    for (const ending of endings) {
      const file = join(folder, `${NAME}${ending}`);
      if (await isExecutable(file)) return file;
    }
  }
  throw new WinnowError(
    "dependency_missing",
    "A Chroma data directory needs Chroma's own server, which is not installed.",
    {
      hint: INSTALL_HINT,
    },
  );
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    if (!(await stat(file)).isFile()) return false;
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
