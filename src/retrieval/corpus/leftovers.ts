import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { toWinnowError, type WinnowError } from "../../core/errors.ts";
import { openCorpusWriter } from "./corpus-writer.ts";
import { corpusLayout } from "./layout.ts";
import { readManifest } from "./manifest.ts";
import { findOrphans } from "./recover.ts";

/** What lies in a corpus folder without being part of its committed generation. */
export interface Leftover {
  readonly path: string;
  readonly bytes: number;
}

/**
 * What processes that died left in a corpus folder, and what is referred to no more; replaced files that readers may be
 * at are not among it. Rejects with `corpus_format` or `corpus_corrupt`.
 */
export async function findLeftovers(folder: string, now: () => number = systemClock.now): Promise<readonly Leftover[]> {
  const layout = corpusLayout(folder);
  const committed = await readManifest(layout);
  const paths = await findOrphans(layout, committed?.manifest, now());
  return Promise.all(paths.map(async (path) => ({ path, bytes: await bytesAt(path) })));
}

/**
 * Removes them, and old versions of the store, as the one writer of the corpus. Resolves with the bytes that were freed;
 * a kill on the way leaves the committed generation as it is, and the rest to the next call. Rejects with
 * `corpus_locked` where somebody else is writing, and as `openCorpusWriter` does.
 */
export async function removeLeftovers(folder: string, now: () => number = systemClock.now): Promise<number> {
  const committed = await readManifest(corpusLayout(folder));
  if (committed === undefined) return 0;
  const before = await bytesAt(folder);
  const writer = await openCorpusWriter(folder, { identity: committed.manifest.identity, now });
  try {
    await writer.freeVersions(0);
  } finally {
    await writer.close();
  }
  return Math.max(0, before - (await bytesAt(folder)));
}

/** Why a corpus cannot be cleaned up just now, where that is no reason to stop. */
export function passingProblem(error: unknown): WinnowError {
  const failure = toWinnowError(error, "store_failed");
  if (failure.code === "corpus_locked") return failure;
  throw failure;
}

/** Bytes of a file, or of all files below a folder. */
async function bytesAt(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) return found?.size ?? 0;
  const names = await readdir(path).catch(() => []);
  let bytes = 0;
  for (const name of names) bytes += await bytesAt(join(path, name));
  return bytes;
}
