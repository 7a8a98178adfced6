import { readdir, rm, rmdir, stat, utimes } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemErrorCode, toWinnowError } from "../../core/errors.ts";
import { readSegmentIndex } from "../grep/segment.ts";
import { type CorpusLayout, grepSegmentOf, itemsFileOf } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { TEMPORARY_SUFFIX } from "./sealed-file.ts";

/** A temporary file that is not the writer's own may belong to a process that is just writing it. */
const TEMPORARY_AGE_MS = 60_000;
/**
 * Replaced files stay this long for readers that are in the middle of a call; one that needs longer starts again. Under
 * continuous change every second replaces a list of all items, so this also bounds what they take on disk.
 */
export const RETAIN_MS = 10_000;

/**
 * Deletes what a killed writer left: temporary files, and what the manifest does not name. Only under the writer's
 * lock. What was replaced a moment ago stays for readers that are still at it.
 */
export async function removeOrphans(
  layout: CorpusLayout,
  manifest: Manifest | undefined,
  nowMs: number,
): Promise<void> {
  for (const path of await findOrphans(layout, manifest, nowMs)) await rm(path, { force: true, recursive: true });
}

/** What `removeOrphans` deletes. */
export async function findOrphans(
  layout: CorpusLayout,
  manifest: Manifest | undefined,
  nowMs: number,
): Promise<readonly string[]> {
  const generation = manifest?.generation ?? 0;
  const settled = manifest === undefined || nowMs - Date.parse(manifest.updatedAt) > RETAIN_MS;
  const segments = new Set((manifest?.grep ?? []).map(({ segment }) => segment));
  const isOrphan = async (path: string): Promise<boolean> => {
    const number = /^([0-9]{1,15})(\.json)?$/.exec(basename(path))?.[1];
    // What is newer than the committed generation was never seen by anybody.
    if (settled || number === undefined || Number(number) > generation) return true;
    return isOlderThan(path, nowMs, RETAIN_MS);
  };
  const orphans: string[] = [];
  for (const path of await pathsIn(layout.itemsFolder)) {
    if (path !== itemsFileOf(layout, generation) && (await isOrphan(path))) orphans.push(path);
  }
  for (const path of await pathsIn(layout.grepFolder)) {
    if (!segments.has(Number(basename(path))) && (await isOrphan(path))) orphans.push(path);
  }
  // Those of the lock are its own business; those of what only the holder of the lock writes have no owner any more.
  const own = [layout.corpusFile, layout.manifestFile, layout.copyFile, layout.sumsFile];
  for (const path of await pathsIn(layout.folder)) {
    // Without a manifest numbers begin again, and sums by their paths would be those of other files.
    if (path === layout.sumsFile && manifest === undefined) orphans.push(path);
    if (!path.endsWith(TEMPORARY_SUFFIX) || path.startsWith(layout.lockFile)) continue;
    if (own.some((file) => path.startsWith(file)) || (await isOlderThan(path, nowMs, TEMPORARY_AGE_MS))) {
      orphans.push(path);
    }
  }
  return orphans;
}

/** Notes in files that were replaced when that was: writers may come and go within `RETAIN_MS`. */
export async function markRetired(paths: readonly string[], nowMs: number): Promise<void> {
  // Without the mark they seem to have been replaced when they were made, and go sooner.
  for (const path of paths) await utimes(path, nowMs / 1_000, nowMs / 1_000).catch(() => undefined);
}

/** Numbers of the grep segments that cannot be opened; they can be written anew from the store. */
export async function findDamagedSegments(layout: CorpusLayout, manifest: Manifest): Promise<ReadonlySet<number>> {
  const damaged = new Set<number>();
  for (const { segment, documents } of manifest.grep) {
    try {
      const index = await readSegmentIndex(grepSegmentOf(layout, segment));
      if (index.ids.length !== documents) damaged.add(segment);
    } catch {
      damaged.add(segment);
    }
  }
  return damaged;
}

/** A generation above everything that lies in the folder, for a corpus whose manifest cannot be read. */
export async function nextFreeGeneration(layout: CorpusLayout): Promise<number> {
  const names = [...(await pathsIn(layout.itemsFolder)), ...(await pathsIn(layout.grepFolder))];
  const numbers = names.map((path) => Number(/([0-9]+)(\.json)?$/.exec(path)?.[1] ?? 0));
  return Math.max(0, ...numbers) + 1;
}

/** Removes the folder if there is nothing in it. */
export async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(() => undefined);
}

async function isOlderThan(path: string, nowMs: number, ageMs: number): Promise<boolean> {
  try {
    // A time that lies ahead was taken before the clock was set back.
    return Math.abs(nowMs - (await stat(path)).mtimeMs) > ageMs;
  } catch {
    return false;
  }
}

async function pathsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).map((name) => join(folder, name));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw toWinnowError(error, "store_failed");
  }
}
