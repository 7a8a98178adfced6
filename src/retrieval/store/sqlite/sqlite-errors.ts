import { statfs } from "node:fs/promises";
import { systemErrorCode, toWinnowError, WinnowError } from "../../../core/errors.ts";
import { oneLine } from "../../../core/text.ts";

/** What SQLite, and our own reading of what it holds, say of a file that is missing, cut off or overwritten. */
const DAMAGE =
  /malformed|not a database|could not open|corrupt|invalid|unexpected|no such (table|column)|JSON|out of bounds|out of range|unsupported file format|memory access/i;
/** Something else stands where a file of its was. */
const NO_FILE: readonly string[] = ["ENOENT", "ELOOP", "EISDIR", "ENOTDIR"];
/** A file that cannot be made "could not be opened". */
const WRITE_FAILED = /disk I\/O error|disk is full|could not open/i;
const MESSAGE_UNITS_MAX = 200;
/** Below this a write that failed for no named reason failed for want of room. */
const FREE_BYTES_MIN = 16 * 2 ** 20;

/** Turns a failure of the library into an error that a person can act on; all of it stays in `cause`. */
export function sqliteError(error: unknown, doing: string): WinnowError {
  const known = toWinnowError(error, "store_failed");
  if (known.code !== "store_failed" || WinnowError.isInstance(error)) return known;
  const message = error instanceof Error ? error.message : String(error);
  const short = oneLine(message, MESSAGE_UNITS_MAX);
  if (NO_FILE.includes(systemErrorCode(error) ?? "") || DAMAGE.test(message)) {
    return new WinnowError(
      "corpus_corrupt",
      `The index data in sqlite/ is damaged or incomplete (${doing}): ${short}`,
      {
        hint: "Run `winnow index --rebuild` to build the index anew from its sources.",
        cause: error,
      },
    );
  }
  return new WinnowError("store_failed", `The store failed (${doing}): ${short}`, {
    hint: known.hint ?? "Run the same command again; if it fails again, look at the index with: winnow doctor --verify",
    cause: error,
  });
}

/** Runs work of the library and translates what it throws. */
export async function guarded<T>(doing: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw sqliteError(error, doing);
  }
}

/** As `guarded`, for writing to `folder`: the library does not say when the disk is full. */
export async function guardedWrite<T>(doing: string, folder: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (WRITE_FAILED.test(message) && (await isFull(folder))) {
      throw toWinnowError(Object.assign(new Error(message), { code: "ENOSPC" }));
    }
    throw sqliteError(error, doing);
  }
}

async function isFull(folder: string): Promise<boolean> {
  const found = await statfs(folder).catch(() => undefined);
  return found !== undefined && found.bavail * found.bsize < FREE_BYTES_MIN;
}
