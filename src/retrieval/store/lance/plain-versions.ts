import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { WinnowError } from "../../../core/errors.ts";

/**
 * Rejects with `corpus_corrupt` where a pipe, a socket or a device stands among the versions of a table: the library reads
 * whatever it finds there, and waits for ever for what nobody writes. A table that is not there is the library's to report.
 */
export async function checkPlainVersions(folder: string, table: string): Promise<void> {
  const versions = join(folder, `${table}.lance`, "_versions");
  const entries: readonly Dirent[] = await readdir(versions, { withFileTypes: true }).catch(() => []);
  const strange = entries.find(
    (entry) =>
      entry.name.endsWith(".manifest") &&
      (entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice()),
  );
  if (strange === undefined) return;
  throw new WinnowError("corpus_corrupt", `The index data in lance/ is damaged: ${strange.name} is not a file.`, {
    hint: "Run `winnow index --rebuild` to build the index anew from its sources.",
  });
}
