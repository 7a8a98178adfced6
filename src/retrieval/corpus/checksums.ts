import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { z } from "zod/mini";
import { systemErrorCode, type WinnowError } from "../../core/errors.ts";
import { openPlain } from "../../core/plain-file.ts";
import { type CorpusLayout, grepSegmentOf } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { damaged, readSealed, unreadable, writeSealed } from "./sealed-file.ts";

/**
 * Sizes and digests of the files that the store and grep keep, which are never changed once they are written. Our own
 * small files carry a seal; these do not, and a store may read a damaged page of its own without noticing.
 *
 * They are written last, when a writer has ended, and are no part of a commit: what a killed writer committed has none
 * until the next one has ended.
 */
const FORMAT = { name: "sums", version: 1 };
const READ_BYTES = 1024 * 1024;
/** Of a Lance table, what is never replaced once it is written and is read by queries. */
const LANCE_FILE = /^lance\/[^/]+\/((data|_indices|_deletions)\/|_versions\/[0-9]+\.manifest$)/;

const sumsSchema = z.object({
  generation: z.int(),
  /** Of the manifest: an index that was lost and made again counts its generations anew. */
  updatedAt: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), mtimeMs: z.number(), sha256: z.string() })),
});
type Sums = z.infer<typeof sumsSchema>;

/** Where a file of the index is not as it was written. */
export interface Damage {
  /** Below the corpus folder, with slashes. */
  readonly path: string;
  readonly error: WinnowError;
}

export interface Verified {
  /** False where a writer was killed since, or an older Winnow wrote the index: nothing was compared. */
  readonly hasSums: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly damages: readonly Damage[];
}

/**
 * Writes the sums of what is committed, unless they are there; files that had one keep it. Where `work` is given, it may
 * delete files of the store: there are no sums while it does, so that a kill leaves none that name what is gone.
 */
export async function writeSums(layout: CorpusLayout, manifest: Manifest, work?: () => Promise<void>): Promise<void> {
  const before = await readSums(layout).catch(() => undefined);
  if (work !== undefined) {
    await rm(layout.sumsFile, { force: true });
    await work();
  } else if (isOf(before, manifest)) return;
  const known = new Map(before?.files.map((file) => [file.path, file]));
  const files: Sums["files"] = [];
  for (const path of await storedFiles(layout, manifest)) {
    const { size: bytes, mtimeMs } = await stat(join(layout.folder, path));
    const kept = known.get(path);
    const isSame = kept?.bytes === bytes && kept.mtimeMs === mtimeMs;
    files.push(isSame ? kept : { path, bytes, mtimeMs, sha256: await digestOf(join(layout.folder, path)) });
  }
  const { generation, updatedAt } = manifest;
  await writeSealed(layout.sumsFile, FORMAT, { generation, updatedAt, files } satisfies Sums);
}

function isOf(sums: Sums | undefined, { generation, updatedAt }: Manifest): boolean {
  return sums?.generation === generation && sums.updatedAt === updatedAt;
}

/**
 * Looks whether every file of a Lance table is there and has its size, which costs a look at each. Rejects with
 * `corpus_corrupt`; does nothing where there are no sums of this generation. The other store and grep do so themselves:
 * they know which of their files are in use, and a writer that was killed may have deleted others.
 */
export async function checkStoreSizes(layout: CorpusLayout, manifest: Manifest): Promise<void> {
  const current = async (): Promise<Sums | undefined> => {
    const sums = await readSums(layout).catch(() => undefined);
    return isOf(sums, manifest) ? sums : undefined;
  };
  const sums = await current();
  if (sums === undefined) return;
  const files = sums.files.filter(({ path }) => LANCE_FILE.test(path));
  try {
    await Promise.all(files.map((file) => checkSize(layout, file)));
  } catch (error) {
    // A writer may have freed old versions meanwhile; it takes the sums away before.
    const now = await current();
    if (now !== undefined && now.files.length === sums.files.length) throw error;
  }
}

/** Reads every file and compares it with its sum. Rejects only where the sums themselves are damaged, or when aborted. */
export async function verifySums(layout: CorpusLayout, manifest: Manifest, signal?: AbortSignal): Promise<Verified> {
  const sums = await readSums(layout);
  if (sums === undefined || !isOf(sums, manifest)) return { hasSums: false, files: 0, bytes: 0, damages: [] };
  const damages: Damage[] = [];
  let bytes = 0;
  for (const file of sums.files) {
    const full = join(layout.folder, file.path);
    try {
      await checkSize(layout, file);
      if ((await digestOf(full, signal)) !== file.sha256) throw damaged(full, "its content is not what was written");
      bytes += file.bytes;
    } catch (error) {
      signal?.throwIfAborted();
      // A writer that was killed may have swept it away; what is in use the store itself would miss.
      if (systemErrorCode(causeOf(error)) === "ENOENT" && !LANCE_FILE.test(file.path)) continue;
      damages.push({ path: file.path, error: unreadable(full, error) });
    }
  }
  return { hasSums: true, files: sums.files.length, bytes, damages };
}

async function readSums(layout: CorpusLayout): Promise<Sums | undefined> {
  const content = await readSealed(layout.sumsFile, FORMAT);
  if (content === undefined) return undefined;
  const parsed = sumsSchema.safeParse(content.body);
  if (!parsed.success) throw damaged(layout.sumsFile, "it holds no sums");
  return parsed.data;
}

async function checkSize({ folder }: CorpusLayout, { path, bytes }: Sums["files"][number]): Promise<void> {
  const full = join(folder, path);
  const found = await stat(full).catch((error: unknown) => {
    throw systemErrorCode(error) === "ENOENT" ? damaged(full, "it is missing", error) : unreadable(full, error);
  });
  if (!found.isFile()) throw damaged(full, "it is not a file");
  if (found.size !== bytes) throw damaged(full, `it has ${found.size} bytes instead of ${bytes}`);
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/**
 * Paths of the files of the table and of the grep segments in use, below the corpus folder: what else lies there the next
 * writer deletes.
 */
async function storedFiles(layout: CorpusLayout, { grep, store }: Manifest): Promise<readonly string[]> {
  const tables = [join(layout.storeFolder, `${store.table}.lance`), join(layout.sqliteFolder, store.table)];
  const segments = grep.map(({ segment }) => grepSegmentOf(layout, segment));
  const lists = await Promise.all([...tables, ...segments].map(filesBelow));
  return lists
    .flat()
    .map((path) => relative(layout.folder, path).split(sep).join(posix.sep))
    .filter((path) => !path.startsWith("lance/") || LANCE_FILE.test(path))
    .sort();
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function digestOf(path: string, signal?: AbortSignal): Promise<string> {
  const file = await openPlain(path);
  try {
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
