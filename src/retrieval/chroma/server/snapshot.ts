import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { systemClock } from "../../../core/clock.ts";
import { systemErrorCode, toWinnowError, WinnowError } from "../../../core/errors.ts";
import type { Notice } from "../../../core/types.ts";
import { lockWriter, type WriterLock } from "../../corpus/writer-lock.ts";
import { type DataFile, dataFiles, stampOf } from "./data-files.ts";
import type { Environment } from "./find-executable.ts";

/** Copies begun anew because the source changed under them. */
const COPIES_MAX = 3;
/** A copy that nobody used for so long is deleted, whatever it is of. */
const UNUSED_MAX_MS = 7 * 24 * 3_600_000;
const STAMP_FILE = "stamp.json";
const LOCK_FILE = "in-use.lock";
const DATA_FOLDER = "data";
const NAME_UNITS = 20;

export interface SnapshotOptions {
  /** Data directory to copy. Nothing in it is ever written. */
  readonly source: string;
  /** Folder that holds all copies, default in the user's cache. */
  readonly snapshotsFolder: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Snapshot {
  /** A copy for the caller alone, until it is released. */
  readonly folder: string;
  /** False when an earlier copy of the same state was used again. */
  readonly copied: boolean;
  readonly notices: readonly Notice[];
  release(): Promise<void>;
}

export function defaultSnapshotsFolder(environment: Environment): string {
  return join(environment["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "winnow", "chroma-snapshots");
}

/**
 * A private copy of a data directory: servers migrate what they open, and take locks that another process may hold. The
 * copy of an unchanged source is used again; copies of earlier states and long unused ones are deleted. Rejects with
 * `corpus_not_found`, `disk_full`, `cancelled` or `store_failed`.
 */
export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const source = resolve(options.source);
  const ofSource = join(options.snapshotsFolder, hashOf(source));
  try {
    const stamp = stampOf(await dataFiles(source));
    await mkdir(ofSource, { recursive: true, mode: 0o700 });
    await deleteUnused(options.snapshotsFolder);
    for (const name of await foldersIn(ofSource)) {
      const taken = await takeOver(join(ofSource, name), stamp);
      if (taken !== undefined) return taken;
    }
    return await copyAnew(source, ofSource, options.signal);
  } catch (error) {
    throw toWinnowError(error, "store_failed");
  }
}

/** The copy, if it is of that state and nobody's; one of another state that is nobody's is deleted. */
async function takeOver(folder: string, stamp: string): Promise<Snapshot | undefined> {
  const lock = await lockOf(folder);
  if (lock === undefined) return undefined;
  const copied = await readFile(join(folder, STAMP_FILE), "utf8").catch(() => "");
  if (copied !== stamp) {
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
  const now = new Date();
  await utimes(folder, now, now).catch(() => undefined);
  return { folder: join(folder, DATA_FOLDER), copied: false, notices: [], release: () => lock.release() };
}

async function copyAnew(source: string, ofSource: string, signal: AbortSignal | undefined): Promise<Snapshot> {
  const folder = join(ofSource, randomBytes(8).toString("hex"));
  await mkdir(folder, { mode: 0o700 });
  const lock = await lockOf(folder);
  if (lock === undefined) throw new WinnowError("internal", "A new copy of a data directory is in use already.");
  try {
    for (let tries = 1; ; tries++) {
      const files = await dataFiles(source);
      await copyFiles(source, join(folder, DATA_FOLDER), files, signal);
      const stamp = stampOf(files);
      const still = stampOf(await dataFiles(source)) === stamp;
      if (!still && tries < COPIES_MAX) continue;
      // A copy of a moving directory is good for this once: its stamp matches no state.
      if (still) await writeWhole(join(folder, STAMP_FILE), stamp);
      return {
        folder: join(folder, DATA_FOLDER),
        copied: true,
        notices: still ? [] : [changingNotice(source)],
        release: () => lock.release(),
      };
    }
  } catch (error) {
    await lock.release().catch(() => undefined);
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

function changingNotice(source: string): Notice {
  const message = `${source} was being written while it was copied; its latest records may be missing.`;
  return { code: "changing_collection", message };
}

async function copyFiles(
  source: string,
  target: string,
  files: readonly DataFile[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { mode: 0o700 });
  for (const { path } of files) {
    signal?.throwIfAborted();
    await mkdir(dirname(join(target, path)), { recursive: true });
    try {
      // Where the file system can, the copy shares its blocks with the original until it is written.
      await copyFile(join(source, path), join(target, path), constants.COPYFILE_FICLONE);
    } catch (error) {
      // Gone since it was listed: the stamp afterwards differs, and the copy is begun anew.
      if (systemErrorCode(error) !== "ENOENT") throw error;
    }
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}

async function deleteUnused(snapshotsFolder: string): Promise<void> {
  for (const ofSource of await foldersIn(snapshotsFolder)) {
    for (const name of await foldersIn(join(snapshotsFolder, ofSource))) {
      const folder = join(snapshotsFolder, ofSource, name);
      const used = await stat(folder).then(
        ({ mtimeMs }) => mtimeMs,
        () => systemClock.now(),
      );
      if (systemClock.now() - used < UNUSED_MAX_MS) continue;
      if ((await lockOf(folder)) !== undefined) await rm(folder, { recursive: true, force: true });
    }
  }
}

/** The lock of a copy; undefined while another process uses it. */
async function lockOf(folder: string): Promise<WriterLock | undefined> {
  try {
    return await lockWriter(join(folder, LOCK_FILE), systemClock.now);
  } catch (error) {
    if (WinnowError.isInstance(error) && error.code === "corpus_locked") return undefined;
    throw error;
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, NAME_UNITS);
}
