import { randomBytes } from "node:crypto";
import { mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemErrorCode, toWinnowError, WinnowError } from "../core/errors.ts";
import { readPlain, UnusableFile } from "../core/plain-file.ts";
import { withJsonValue } from "./edit-json.ts";

const NEW_FILE = "{}\n";
const FILE_BYTES_MAX = 100_000_000;

/**
 * Edits a text file, which is made with its folder where it does not exist: `edit` is given its text, or undefined. The file
 * is replaced whole or not at all, its mode stays, and a link keeps pointing at the file that is edited. Rejects with
 * `invalid_config` where it cannot be read or written.
 */
export async function editFile(
  file: string,
  edit: (before: string | undefined) => string,
  /** Of a file that is made. */
  mode = 0o644,
): Promise<void> {
  try {
    const target = await realpath(file).catch(() => file);
    const before = await readPlain(target, FILE_BYTES_MAX).catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    const after = edit(before);
    if (after !== before) await replaceFile(target, after, mode);
  } catch (error) {
    if (error instanceof UnusableFile) {
      throw new WinnowError("invalid_config", `${file} cannot be edited: ${error.message}.`, {
        hint: "Move it away and run the same command again.",
      });
    }
    throw toWinnowError(error, "invalid_config");
  }
}

/** As `withJsonValue` on the text of `file`; `invalid_config` unless it holds an object with objects along the path. */
export function editedJson(
  before: string | undefined,
  path: readonly [string, ...string[]],
  value: unknown,
  file: string,
): string {
  const text = before === undefined || before.trim() === "" ? NEW_FILE : before;
  if (!hasObjects(text, path.slice(0, -1))) {
    throw new WinnowError(
      "invalid_config",
      `${file} is not a JSON object${path.length > 1 ? ` with "${path.slice(0, -1).join(".")}" by name` : ""}.`,
      {
        hint: "Mend or remove the file.",
      },
    );
  }
  return withJsonValue(text, path, value);
}

function hasObjects(text: string, keys: readonly string[]): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  for (const key of ["", ...keys]) {
    if (key !== "") value = Reflect.get(Object(value), key);
    if (value === undefined && key !== "") return true;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  }
  return true;
}

async function replaceFile(file: string, text: string, modeOfNew: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const mode = await stat(file).then(
    (found) => found.mode & 0o777,
    () => modeOfNew,
  );
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
