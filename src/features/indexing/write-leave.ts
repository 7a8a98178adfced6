import { chmod } from "node:fs/promises";
import { userConfigFile } from "../../config/config.ts";
import { editedJson, editFile } from "../../config/write-file.ts";

/** The user's file says what of this machine may be read. */
const USER_FILE_MODE = 0o600;

/** Notes in the user's own file what an index of `folder` may read; the file is for its owner alone from then on. */
export async function writeLeave(
  folder: string,
  paths: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const file = userConfigFile(environment);
  await editFile(file, (text) => editedJson(text, ["mayRead", folder], paths, file), USER_FILE_MODE);
  // One that was there before keeps its mode when it is edited. A file system without modes is no reason to fail.
  await chmod(file, USER_FILE_MODE).catch(() => undefined);
}
