import { lstat, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { WinnowError } from "../../core/errors.ts";
import { CORPUS_FOLDER_NAME, corpusBase, corpusLayout } from "./layout.ts";

/**
 * The nearest folder `.winnow` that holds a corpus, looked for in `startDirectory` and upwards like git does; undefined
 * when there is none. Rejects with `invalid_argument` as `refuseForeign` does, and for a folder above that belongs to
 * another user: whoever may write into a folder above would be told every question.
 */
export async function findCorpusFolder(startDirectory: string): Promise<string | undefined> {
  const start = resolve(startDirectory);
  let directory = start;
  for (;;) {
    const folder = join(directory, CORPUS_FOLDER_NAME);
    if (await isFile(corpusLayout(folder).corpusFile)) {
      await refuseForeign(folder);
      if (directory !== start) await refuseOthers(folder);
      return folder;
    }
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
}

/**
 * Rejects with `invalid_argument` where a folder of an index that nobody named is a link, or lies behind one: it would be
 * the index of another project, read and written in its place. Folders that are not there are fine.
 */
export async function refuseForeign(folder: string): Promise<void> {
  const base = corpusBase(folder);
  let place = base;
  for (const part of relative(base, folder).split(sep)) {
    place = join(place, part);
    const isLink = await lstat(place).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    if (!isLink) continue;
    throw new WinnowError(
      "invalid_argument",
      `${place} is a link, so the index behind it is not taken for that of ${base}.`,
      {
        hint: "If you made the link, name the index itself with --corpus PATH. A folder that somebody else made may want yours.",
      },
    );
  }
}

async function refuseOthers(folder: string): Promise<void> {
  const own = process.getuid?.();
  const { uid } = await stat(folder);
  if (own === undefined || own === 0 || uid === own) return;
  throw new WinnowError("invalid_argument", `${folder} belongs to another user, and is not used without being named.`, {
    hint: `If you trust it: --corpus ${folder}`,
  });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
