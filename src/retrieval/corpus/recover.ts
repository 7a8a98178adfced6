import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemErrorCode, toWinnowError } from "../../core/errors.ts";
import { readSegmentIndex } from "../grep/segment.ts";
import { type CorpusLayout, grepSegmentOf, itemsFileOf } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { TEMPORARY_SUFFIX } from "./sealed-file.ts";

/** A temporary file that is not the writer's own may belong to a process that is just writing it. */
const TEMPORARY_AGE_MS = 60_000;
/** Replaced files stay this long for readers that are in the middle of a call. */
export const RETAIN_MS = 60_000;

/**
 * Deletes what a killed writer left: temporary files, and what the manifest does not name. Only under the writer's
 * lock. What the manifest replaced a moment ago stays for readers that are still at it.
 */
export async function removeOrphans(
  layout: CorpusLayout,
  manifest: Manifest | undefined,
  nowMs: number,
): Promise<void> {
  const generation = manifest?.generation ?? 0;
  const settled = manifest === undefined || nowMs - Date.parse(manifest.updatedAt) > RETAIN_MS;
  const segments = new Set((manifest?.grep ?? []).map(({ segment }) => segment));
  const isOrphan = (path: string, named: boolean): boolean => {
    const number = /^([0-9]{1,15})(\.json)?$/.exec(basename(path))?.[1];
    return !named && (settled || number === undefined || Number(number) > generation);
  };
  for (const path of await pathsIn(layout.itemsFolder)) {
    if (isOrphan(path, path === itemsFileOf(layout, generation))) await rm(path, { force: true, recursive: true });
  }
  for (const path of await pathsIn(layout.grepFolder)) {
    if (isOrphan(path, segments.has(Number(basename(path))))) await rm(path, { force: true, recursive: true });
  }
  // Those of the lock are its own business; those of what only the holder of the lock writes have no owner any more.
  const own = [layout.corpusFile, layout.manifestFile, layout.copyFile, layout.sumsFile];
  for (const path of await pathsIn(layout.folder)) {
    if (!path.endsWith(TEMPORARY_SUFFIX) || path.startsWith(layout.lockFile)) continue;
    if (own.some((file) => path.startsWith(file)) || (await isOld(path, nowMs))) await rm(path, { force: true });
  }
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

async function isOld(path: string, nowMs: number): Promise<boolean> {
  try {
    return Math.abs(nowMs - (await stat(path)).mtimeMs) > TEMPORARY_AGE_MS;
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
