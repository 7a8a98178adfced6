import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode, WinnowError } from "../../../core/errors.ts";

/** The file by which a data directory is known. */
const DATABASE_FILE = "chroma.sqlite3";
const FILES_MAX = 100_000;
/** SQLite's shared memory: made anew by whoever opens the copy, and changed by mere readers. */
const SHARED_MEMORY = /-shm$/;

export interface DataFile {
  /** Relative to the directory. */
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

/**
 * Files of a data directory by path; links are left out, they may lead anywhere. Rejects with `corpus_not_found` where
 * it is none.
 */
export async function dataFiles(folder: string): Promise<readonly DataFile[]> {
  const files: DataFile[] = [];
  await walk(folder, "", files);
  if (!files.some(({ path }) => path === DATABASE_FILE)) throw await noData(folder, files);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One line that changes whenever a file of the directory does. */
export function stampOf(files: readonly DataFile[]): string {
  return JSON.stringify(files.map(({ path, bytes, mtimeMs }) => [path, bytes, mtimeMs]));
}

async function walk(folder: string, below: string, files: DataFile[]): Promise<void> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch((error: unknown) => {
    // A segment may be replaced while we look; the stamp afterwards tells.
    if (below !== "" && systemErrorCode(error) === "ENOENT") return [];
    throw unreadable(folder, error);
  });
  for (const entry of entries) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) await walk(folder, path, files);
    if (!entry.isFile() || SHARED_MEMORY.test(entry.name)) continue;
    const found = await lstat(join(folder, path)).catch(() => undefined);
    if (found !== undefined) files.push({ path, bytes: found.size, mtimeMs: found.mtimeMs });
    if (files.length > FILES_MAX) {
      throw new WinnowError("limit_exceeded", `${folder} holds more than ${FILES_MAX} files.`, {
        hint: "Name the folder that Chroma keeps its data in, not one above it.",
      });
    }
  }
}

function unreadable(folder: string, cause: unknown): WinnowError {
  const code = systemErrorCode(cause);
  const why = code === "ENOENT" ? "does not exist" : code === "ENOTDIR" ? "is a file" : "cannot be read";
  return new WinnowError("corpus_not_found", `The Chroma data directory ${folder} ${why}.`, {
    hint: "Name the folder that holds chroma.sqlite3, or the address of a Chroma server.",
    cause,
  });
}

async function noData(folder: string, files: readonly DataFile[]): Promise<WinnowError> {
  const old = files.some(({ path }) => /\.parquet$/.test(path));
  const nested = files.find(({ path }) => path.endsWith(`/${DATABASE_FILE}`));
  const hint = old
    ? "It was written by Chroma before 0.4; bring it up to date with chroma-migrate."
    : nested === undefined
      ? "Name the folder that Chroma keeps its data in, or the address of a Chroma server."
      : `There is one at ${join(folder, nested.path, "..")}.`;
  return new WinnowError("corpus_not_found", `${folder} is not a Chroma data directory: it has no ${DATABASE_FILE}.`, {
    hint,
  });
}
