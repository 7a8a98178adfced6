import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { corpusLayout } from "../corpus/layout.ts";
import type { Publication } from "./publication.ts";

/** An edition that another has followed stays so long for readers who have not moved on. */
const EDITION_KEPT_MS = 60 * 60_000;
/** Folders of a mirrored corpus whose files come and go. */
const FOLDERS = ["manifest", "grep", "lance"] as const;

/**
 * Deletes from a mirror what the publication does not need: at once within its edition, since a reader in the middle of a
 * call on what goes away starts again on what has come. Only under the mirror's lock. Never rejects: what cannot be
 * deleted now is found again the next time.
 */
export async function clearMirror(
  mirror: string,
  edition: number,
  { files }: Publication,
  nowMs: number,
): Promise<void> {
  const folder = join(mirror, String(edition));
  const kept = new Set(files.map(({ path }) => join(folder, ...path.split("/"))));
  for (const name of FOLDERS) {
    const entries = await readdir(join(folder, name), { withFileTypes: true, recursive: true }).catch(() => []);
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const path of paths) {
      if (!kept.has(path)) await rm(path, { force: true }).catch(() => undefined);
    }
  }
  const begun = await stat(corpusLayout(folder).corpusFile).catch(() => undefined);
  if (begun === undefined || nowMs - begun.mtimeMs < EDITION_KEPT_MS) return;
  for (const name of await readdir(mirror).catch(() => [])) {
    if (!/^\d+$/.test(name) || Number(name) === edition) continue;
    await rm(join(mirror, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
