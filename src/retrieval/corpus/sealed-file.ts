import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemErrorCode, toWinnowError, WinnowError } from "../../core/errors.ts";
import { openPlain, readText, UnusableFile } from "../../core/plain-file.ts";

/**
 * A JSON file that shows whether it is whole and which format it has:
 * `{"format":"NAME/VERSION","sha256":"…","body":…}`, the hash being of the body's bytes. Every version of every format
 * starts like this, so that an old Winnow can tell a newer file from a damaged one.
 */
const HEADER = /^\{"format":"([a-z]+)\/([0-9]{1,6})","sha256":"([0-9a-f]{64})","body":/;
const FOOTER = "}\n";
/** Just below what a string can hold: a manifest of two million files. */
const BYTES_MAX = 500_000_000;

export const TEMPORARY_SUFFIX = ".tmp";
const REBUILD_HINT = "Run `winnow index --rebuild` to build the index anew from its sources.";

export interface SealedFormat {
  readonly name: string;
  readonly version: number;
}

/** Identifies one state of a file that is only ever replaced, never changed in place. */
export interface FileStamp {
  readonly inode: bigint;
  readonly modifiedNs: bigint;
  readonly bytes: bigint;
}

export interface SealedContent {
  readonly body: unknown;
  readonly stamp: FileStamp;
}

/** The text that shows whether it is whole. */
export function seal(format: SealedFormat, body: unknown): string {
  const text = JSON.stringify(body);
  return `{"format":"${format.name}/${format.version}","sha256":"${sha256(text)}","body":${text}${FOOTER}`;
}

/**
 * Replaces the file as a whole: a new file is written, synced and renamed over the old one, and the folder is synced.
 * A reader sees the old content or the new. Rejects with `disk_full` or `store_failed`; then the old content stands.
 */
export async function writeSealed(path: string, format: SealedFormat, body: unknown): Promise<void> {
  const sealed = seal(format, body);
  const temporary = `${path}.${process.pid}${TEMPORARY_SUFFIX}`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(sealed);
      await file.sync();
    } finally {
      await file.close();
    }
    await renameOver(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw toWinnowError(error, "store_failed");
  }
}

/**
 * Reads what `writeSealed` wrote. Undefined when there is no such file. Rejects with `corpus_format` for another
 * version of the format and with `corpus_corrupt` for anything that is not what was written.
 */
export async function readSealed(path: string, format: SealedFormat): Promise<SealedContent | undefined> {
  let file: FileHandle;
  try {
    file = await openPlain(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw unreadable(path, error);
  }
  try {
    const stamp = await stampOf(file);
    return { body: unseal(path, await readText(file, BYTES_MAX), format), stamp };
  } catch (error) {
    throw WinnowError.isInstance(error) ? error : unreadable(path, error);
  } finally {
    await file.close();
  }
}

async function stampOf(file: FileHandle): Promise<FileStamp> {
  const { ino, mtimeNs, size } = await file.stat({ bigint: true });
  return { inode: ino, modifiedNs: mtimeNs, bytes: size };
}

/** What was sealed. `path` names it in errors: `corpus_format` and `corpus_corrupt`, as `readSealed` rejects with. */
export function unseal(path: string, text: string, format: SealedFormat): unknown {
  const header = HEADER.exec(text);
  if (header === null || header[1] !== format.name) throw damaged(path, "its beginning is not what was written");
  const version = Number(header[2]);
  if (version !== format.version) throw otherVersion(path, version, format.version);
  const body = text.slice(header[0].length, -FOOTER.length);
  if (!text.endsWith(FOOTER) || sha256(body) !== header[3]) throw damaged(path, "its content is not what was written");
  return JSON.parse(body);
}

/** What the system says of a file that is there. Whether it is damaged nobody can know before it can be read. */
export function unreadable(path: string, error: unknown): WinnowError {
  if (WinnowError.isInstance(error)) return error;
  const code = systemErrorCode(error);
  if (code === "EACCES" || code === "EPERM") {
    return new WinnowError("store_failed", `${path} cannot be read: access to it is denied.`, {
      hint: "Give yourself access to the index folder, or run as the user that it belongs to.",
      cause: error,
    });
  }
  if (code === "EMFILE" || code === "ENFILE") return toWinnowError(error, "store_failed");
  return damaged(path, error instanceof UnusableFile ? error.message : "it cannot be read", error);
}

/** An error for a file of the index that is not as it was written. */
export function damaged(path: string, reason: string, cause?: unknown): WinnowError {
  return new WinnowError("corpus_corrupt", `${basename(dirname(path))}/${basename(path)} is damaged: ${reason}.`, {
    hint: REBUILD_HINT,
    cause,
  });
}

function otherVersion(path: string, found: number, known: number): WinnowError {
  const name = basename(path);
  return new WinnowError("corpus_format", `${name} has format version ${found}; this Winnow reads version ${known}.`, {
    hint: found > known ? "Use the newer Winnow that wrote it, or rebuild: `winnow index --rebuild`." : REBUILD_HINT,
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const RENAME_TRIES_MAX = 5;
const RENAME_WAIT_MS = 20;

/**
 * Windows refuses to replace a file that someone has open at that moment. A folder that has come to stand under the name
 * of a file of ours goes.
 */
async function renameOver(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await rename(from, to);
    } catch (error) {
      if (["EISDIR", "ENOTEMPTY"].includes(systemErrorCode(error) ?? "") && tries === 1) {
        await rm(to, { recursive: true, force: true });
        continue;
      }
      const busy = ["EPERM", "EACCES", "EBUSY"].includes(systemErrorCode(error) ?? "");
      if (!busy || process.platform !== "win32" || tries >= RENAME_TRIES_MAX) throw error;
      await sleep(RENAME_WAIT_MS * 2 ** tries);
    }
  }
}

/** Makes a rename durable. Windows cannot open a folder, and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
