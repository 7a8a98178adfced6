import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { parseTar } from "nanotar";
import { systemClock } from "../../core/clock.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { MODEL_FILES } from "./model-files.ts";

/** SHA-256 of the archive that Chroma publishes, which Chroma checks too. */
export const ARCHIVE_SHA256 = "913d7300ceae3b2dbc2c50d1de4baacab4be7b9380491c27fab7418616a16ec3";

const gunzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip);

const UNPACKED_BYTES_MAX = 256 * 2 ** 20;
const PARTIAL_PREFIX = ".partial-";
/** Work that was begun so long ago was interrupted. */
const ABANDONED_MS = 3_600_000;
const PRIVATE_MODE = 0o700;

export interface InstallOptions {
  /** Expected sum of the archive, default `ARCHIVE_SHA256`. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a folder with the model's files out of an archive; it appears whole or not at all. Rejects with `disk_full` and
 * as `unpackModel` does.
 */
export async function installModel(archive: string, folder: string, options: InstallOptions = {}): Promise<void> {
  await inPartialFolder(folder, options.signal, (partial) => unpackModel(archive, partial, options));
}

/**
 * Checks an archive as a whole, then writes the model's files into a folder. Rejects with `embedder_failed` for an archive
 * with another sum or without the files, with `cancelled` or `timeout`.
 */
export async function unpackModel(archive: string, folder: string, options: InstallOptions): Promise<void> {
  const { sha256 = ARCHIVE_SHA256, signal } = options;
  if ((await sumOf(archive, signal)) !== sha256) throw damagedArchive("its checksum is wrong");
  await unpack(archive, folder, signal);
}

/**
 * Runs the work in a folder of its own beside `folder`, which takes that place when the work is done, and is deleted when
 * it fails. Rejects with a `WinnowError`.
 */
export async function inPartialFolder(
  folder: string,
  signal: AbortSignal | undefined,
  work: (partial: string) => Promise<void>,
): Promise<void> {
  const parent = dirname(folder);
  const prefix = `${PARTIAL_PREFIX}${basename(folder)}-`;
  const partial = join(parent, `${prefix}${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(partial, { recursive: true, mode: PRIVATE_MODE });
    await removeAbandoned(parent, prefix);
    await work(partial);
    // What was there lacked a file, or another process was faster: ours is whole in either case.
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } catch (error) {
    throw toWinnowError(signal?.aborted === true ? signal.reason : error, "embedder_failed");
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (systemClock.now() - mtimeMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}

async function sumOf(file: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { signal })) hash.update(chunk);
  return hash.digest("hex");
}

/** Writes the model's files, found by their last name: what else the archive says of places is not followed. */
async function unpack(archive: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const plain = await gunzip(await readFile(archive, { signal }), { maxOutputLength: UNPACKED_BYTES_MAX }).catch(
    (error: unknown) => {
      throw damagedArchive("it cannot be unpacked", error);
    },
  );
  const files = filesIn(plain);
  const missing = Object.values(MODEL_FILES).filter((name) => !files.has(name));
  if (missing.length > 0) throw damagedArchive(`it lacks ${missing.join(" and ")}`);
  for (const [name, data] of files) await writeSynced(join(folder, name), data);
}

function filesIn(plain: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const wanted: readonly string[] = Object.values(MODEL_FILES);
  try {
    return new Map(
      parseTar(plain).flatMap(({ name, type, data }) => {
        const last = basename(name);
        return type === "file" && data !== undefined && wanted.includes(last) ? [[last, data] as const] : [];
      }),
    );
  } catch (error) {
    throw damagedArchive("it is not a tar archive", error);
  }
}

async function writeSynced(path: string, data: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

function damagedArchive(what: string, cause?: unknown): WinnowError {
  return new WinnowError("embedder_failed", `The archive of the model all-MiniLM-L6-v2 is damaged: ${what}.`, {
    hint: "Fetch it again with: winnow doctor --download-model",
    cause,
  });
}
