import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod/mini";
import { systemErrorCode } from "../../../core/errors.ts";
import { damaged, readSealed, writeSealed } from "../../corpus/sealed-file.ts";

const VERSION_FORMAT = { name: "segments", version: 1 };
const VERSION_FILE = /^version-([0-9]{1,15})\.json$/;
const SEGMENT_FILE = /^([0-9]{1,15})\.db$/;

const count = z.int().check(z.nonnegative());
const versionSchema = z.object({
  segments: z.array(
    z.object({ name: z.string().check(z.regex(SEGMENT_FILE)), bytes: count, rows: count, dead: z.string() }),
  ),
});

/** A segment as a version names it. `dead` holds the removed rows, see `RowSet`. */
export interface SegmentEntry {
  /** Name of its file. */
  readonly name: string;
  readonly bytes: number;
  readonly rows: number;
  readonly dead: string;
}

/** A version whose file is there. */
export interface VersionFile {
  readonly version: number;
  readonly name: string;
  readonly modifiedMs: number;
}

/**
 * The folder of one table: segments, which never change once they are there, and a small file for each committed version
 * that names its segments. Nothing is ever written in place, so readers need no lock and a kill leaves what was
 * committed as it was.
 */
export class TableFiles {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  pathOf(name: string): string {
    return join(this.folder, name);
  }

  async create(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder, { recursive: true });
  }

  /** Rejects with `corpus_corrupt` where that version is not there or a segment of it is not what was written. */
  async readVersion(version: number): Promise<readonly SegmentEntry[]> {
    const path = this.pathOf(versionName(version));
    const content = await readSealed(path, VERSION_FORMAT);
    if (content === undefined) throw damaged(path, "it is missing");
    const parsed = versionSchema.safeParse(content.body);
    if (!parsed.success) throw damaged(path, "it does not name segments");
    for (const { name, bytes } of parsed.data.segments) {
      const size = await this.bytesOf(name);
      if (size !== bytes) throw damaged(this.pathOf(name), size === undefined ? "it is missing" : "its size is wrong");
    }
    return parsed.data.segments;
  }

  async writeVersion(version: number, segments: readonly SegmentEntry[]): Promise<void> {
    await writeSealed(this.pathOf(versionName(version)), VERSION_FORMAT, { segments });
  }

  async bytesOf(name: string): Promise<number | undefined> {
    try {
      return (await stat(this.pathOf(name))).size;
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async versions(): Promise<readonly VersionFile[]> {
    const found: VersionFile[] = [];
    for (const name of await namesIn(this.folder)) {
      const version = VERSION_FILE.exec(name)?.[1];
      if (version === undefined) continue;
      found.push({ version: Number(version), name, modifiedMs: (await stat(this.pathOf(name))).mtimeMs });
    }
    return found.sort((a, b) => a.version - b.version);
  }

  /** The first number that no segment here has had, as far as its file is still there. */
  async nextSegment(): Promise<number> {
    const numbers = (await namesIn(this.folder)).map((name) => Number.parseInt(name, 10) || 0);
    return Math.max(0, ...numbers) + 1;
  }

  async removeVersions(versions: readonly VersionFile[]): Promise<void> {
    for (const { name } of versions) await rm(this.pathOf(name), { force: true });
  }

  /** Deletes what no version here names, and what killed writers left, but none of the segments in `alsoKept`. */
  async sweep(alsoKept: Iterable<string>): Promise<void> {
    const kept = new Set(alsoKept);
    for (const { version } of await this.versions()) {
      for (const { name } of await this.readVersion(version)) kept.add(name);
    }
    for (const name of await namesIn(this.folder)) {
      if (kept.has(name) || VERSION_FILE.test(name)) continue;
      await rm(this.pathOf(name), { recursive: true, force: true });
    }
  }
}

function versionName(version: number): string {
  return `version-${version}.json`;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Deletes every table of a store but this one. */
export async function removeOtherTables(folder: string, table: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (name !== table) await rm(join(folder, name), { recursive: true, force: true });
  }
}
