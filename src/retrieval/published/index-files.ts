import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import { systemErrorCode, WinnowError } from "../../core/errors.ts";
import { type CorpusLayout, grepSegmentOf, itemsFileOf } from "../corpus/layout.ts";
import type { Manifest } from "../corpus/manifest.ts";
import { storeKindOf } from "../corpus/store-of.ts";

/** A file of a corpus folder that a generation needs. */
export interface IndexFile {
  /** Within the corpus folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Its name is drawn at random, and it is never written again: equal paths mean equal content. */
  readonly isUnique: boolean;
}

/** Versions of a table are numbered backwards from here, so that listings begin with the newest. */
const VERSION_TOP = 2n ** 64n - 1n;
/** In a table's folder: what only writers need, and what changes in place. */
const WRITERS_FOLDERS: ReadonlySet<string> = new Set(["_versions", "_transactions", "_refs"]);

/**
 * The files that readers of a committed generation need, each of which never changes. A generation that was replaced may
 * have lost some by now: look at the manifest again behind this. Rejects with `invalid_argument` for an index that is
 * not kept in Lance, with `ENOENT` where a file is gone.
 */
export async function indexFiles(layout: CorpusLayout, manifest: Manifest): Promise<readonly IndexFile[]> {
  const { identity, store, generation, grep } = manifest;
  if (storeKindOf(identity) !== "lance") {
    throw new WinnowError("invalid_argument", "An index that is kept in SQLite cannot be published.", {
      hint: "Copy it into Lance first: winnow copy FROM TO --store lance",
    });
  }
  const table = join(layout.storeFolder, `${store.table}.lance`);
  const named = [
    itemsFileOf(layout, generation),
    ...grep.flatMap(({ segment }) =>
      ["docs.bin", "docs.idx"].map((name) => join(grepSegmentOf(layout, segment), name)),
    ),
    await versionFile(join(table, "_versions"), store.version),
  ];
  const unique = await dataFiles(table);
  const entryOf = async (path: string, isUnique: boolean): Promise<IndexFile> => ({
    path: path
      .slice(layout.folder.length + 1)
      .split(sep)
      .join(posix.sep),
    bytes: (await stat(path)).size,
    isUnique,
  });
  return Promise.all([...named.map((path) => entryOf(path, false)), ...unique.map((path) => entryOf(path, true))]);
}

/** Whatever a table has besides its versions: data, indexes, deletions. Some may belong to a version before. */
async function dataFiles(table: string): Promise<string[]> {
  const files: string[] = [];
  for (const folder of await readdir(table, { withFileTypes: true })) {
    if (!folder.isDirectory() || WRITERS_FOLDERS.has(folder.name)) continue;
    const entries = await readdir(join(table, folder.name), { withFileTypes: true, recursive: true });
    for (const entry of entries) {
      // A writer that is at work stages files under names with a `#`.
      if (entry.isFile() && !entry.name.includes("#")) files.push(join(entry.parentPath, entry.name));
    }
  }
  return files;
}

async function versionFile(folder: string, version: number): Promise<string> {
  const names = [`${VERSION_TOP - BigInt(version)}.manifest`.padStart("00000000000000000000.manifest".length, "0")];
  names.push(`${version}.manifest`);
  for (const name of names) {
    const path = join(folder, name);
    const isThere = await stat(path).then(
      () => true,
      (error: unknown) => {
        if (systemErrorCode(error) === "ENOENT") return false;
        throw error;
      },
    );
    if (isThere) return path;
  }
  throw Object.assign(new Error(`There is no version ${version} in ${folder}.`), { code: "ENOENT" });
}

/** SHA-256 of a file, in hex. */
export async function sha256OfFile(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path, signal === undefined ? {} : { signal })) hash.update(part);
  return hash.digest("hex");
}
