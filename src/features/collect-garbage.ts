import { lstat, rm } from "node:fs/promises";
import { systemErrorCode } from "../core/errors.ts";
import { readRecord, readRecordHeader } from "../record/reader.ts";
import { findLeftovers, type Leftover, passingProblem, removeLeftovers } from "../retrieval/corpus/leftovers.ts";
import type { CorpusPlace } from "./open-corpora.ts";
import { runFiles } from "./runs.ts";

const HOUR_MS = 3_600_000;
/**
 * A record without an end that was written to since is of a run that may be under way: a run lasts a day at most, and
 * every turn is written at once.
 */
export const UNDER_WAY_MS = 24 * HOUR_MS;

/** Which records of runs are kept. Without either number all are; with both only those go that neither keeps. */
export interface Retention {
  /** Runs that began longer ago may go. */
  readonly olderThanMs?: number | undefined;
  /** All but the newest so many may go; a run with its rollouts counts as one. */
  readonly keep?: number | undefined;
}

export interface GarbageOptions {
  readonly places: readonly Pick<CorpusPlace, "name" | "folder" | "runsFolder">[];
  readonly retention: Retention;
  readonly now: () => number;
}

export interface OldRun {
  readonly runId: string;
  readonly path: string;
  readonly bytes: number;
}

export interface Garbage {
  readonly runs: readonly OldRun[];
  /** Runs that stay. */
  readonly runsKept: number;
  /** Of those: records that a run may still be writing to. */
  readonly runsUnderWay: number;
  readonly leftovers: readonly Leftover[];
}

export interface Freed {
  readonly runs: number;
  readonly runBytes: number;
  /** Leftovers of indexing, and old versions of the store. */
  readonly indexBytes: number;
  /** What could not be done, e.g. because somebody is writing to the index. */
  readonly notices: readonly string[];
}

/** Looks for what can go; removes nothing. Never lists a record under way, nor anything of a committed generation. */
export async function findGarbage(options: GarbageOptions): Promise<Garbage> {
  const { places, retention, now } = options;
  const families = await runFamilies(places.map(({ runsFolder }) => runsFolder));
  const { olderThanMs, keep } = retention;
  const limited = olderThanMs !== undefined || keep !== undefined;
  const runs: OldRun[] = [];
  let [runsKept, runsUnderWay] = [0, 0];
  for (const [i, family] of families.entries()) {
    const isBeyond = keep === undefined || i >= keep;
    const mayGo = limited && isBeyond && (olderThanMs === undefined || now() - (await beganAt(family)) > olderThanMs);
    const isUnderWay = mayGo && (await someUnderWay(family, now()));
    if (isUnderWay) runsUnderWay += family.length;
    if (!mayGo || isUnderWay) runsKept += family.length;
    else for (const run of family) runs.push({ ...run, bytes: await sizeOf(run.path) });
  }
  const leftovers = await Promise.all(places.map(({ folder }) => findLeftovers(folder, now)));
  return { runs, runsKept, runsUnderWay, leftovers: leftovers.flat() };
}

/**
 * Removes the runs of `garbage` and what is left over in the corpora. Each file goes as a whole, the index is written by
 * its one writer: a kill at any moment leaves a sound corpus, and the rest to the next call.
 */
export async function removeGarbage(garbage: Garbage, { places, now }: GarbageOptions): Promise<Freed> {
  const notices: string[] = [];
  let [runs, runBytes, indexBytes] = [0, 0, 0];
  for (const { path, bytes } of garbage.runs) {
    await rm(path, { force: true });
    runs++;
    runBytes += bytes;
  }
  for (const { name, folder } of places) {
    try {
      indexBytes += await removeLeftovers(folder, now);
    } catch (error) {
      notices.push(`${name}: ${passingProblem(error).message} What is left over there stays.`);
    }
  }
  return { runs, runBytes, indexBytes, notices };
}

type Family = readonly { readonly runId: string; readonly path: string }[];

/** Runs with their rollouts, newest first. */
async function runFamilies(folders: readonly string[]): Promise<readonly Family[]> {
  const families = new Map<string, { readonly runId: string; readonly path: string }[]>();
  for (const run of await runFiles(folders)) {
    const parent = /^(.+)\.\d{1,3}$/.exec(run.runId)?.[1] ?? run.runId;
    const family = families.get(parent) ?? [];
    family.push(run);
    families.set(parent, family);
  }
  return [...families.values()];
}

/** When the newest of them began, as the records say; of a damaged one when it was last written to. */
async function beganAt(family: Family): Promise<number> {
  let newest = 0;
  for (const { path } of family) {
    const at = await readRecordHeader(path).then(
      (header) => header.at,
      async () => (await statOf(path))?.mtimeMs ?? 0,
    );
    newest = Math.max(newest, at);
  }
  return newest;
}

async function someUnderWay(family: Family, nowMs: number): Promise<boolean> {
  for (const { path } of family) {
    const found = await statOf(path);
    if (found === undefined || nowMs - found.mtimeMs > UNDER_WAY_MS) continue;
    const hasEnded = await readRecord(path).then(
      ({ events }) => events.at(-1)?.type === "end",
      () => false,
    );
    if (!hasEnded) return true;
  }
  return false;
}

async function sizeOf(path: string): Promise<number> {
  return (await statOf(path))?.size ?? 0;
}

async function statOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
