import { stat } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { findProjectFile, PROJECT_FILE } from "../config/config.ts";
import { type BuiltEntry, builtEntry, isAttachedName, type WrittenBuilt, writtenBeside } from "../config/corpora.ts";
import type { SourceType } from "../config/source-types.ts";
import { editedJson, editFile } from "../config/write-file.ts";
import { WinnowError } from "../core/errors.ts";
import { leaveOf, type MayRead, noted, pathsWithoutLeave } from "./indexing/leave.ts";
import { sourcePaths } from "./indexing/source-paths.ts";
import { writeLeave } from "./indexing/write-leave.ts";
import type { CorpusScope } from "./open-corpora.ts";

export interface AddSourceOptions {
  readonly scope: CorpusScope;
  readonly source: SourceType;
  /** Absolute; none: for sessions and traces the place where this folder's transcripts lie, else this folder. */
  readonly paths: readonly string[];
  /** Name of the corpus; the role of the source when left out. */
  readonly name?: string | undefined;
  /** What the user has agreed to already. */
  readonly mayRead: MayRead;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface AddedSource {
  readonly name: string;
  readonly entry: BuiltEntry;
  /** The file that names the corpus from now on. */
  readonly file: string;
  /** What it reads. */
  readonly paths: readonly string[];
  /** Those of them that the user agrees to with this. */
  readonly granted: readonly string[];
  /** What the user lets projects read once this is written. */
  readonly mayRead: MayRead;
  /** Puts the entry there and, where it needs one, the user's leave into the user's own file. */
  write(): Promise<void>;
}

/**
 * The corpus of its own that a source is given, under a name in the project's file. What agents saw and did, and what lies
 * outside of the project's folder, is read only because the user says so here: the leave goes into the user's own file,
 * which no cloned folder brings along. Rejects with
 * `invalid_argument` where the name cannot be used, and with `source_not_found`.
 */
export async function addSource(options: AddSourceOptions): Promise<AddedSource> {
  const { scope, source, environment } = options;
  const file = (await findProjectFile(scope.workingFolder)) ?? resolve(scope.workingFolder, PROJECT_FILE);
  const folder = dirname(file);
  const draft = builtEntry("", { source }, folder, false);
  const name = options.name ?? draft.role;
  if (!isAttachedName(name)) {
    throw new WinnowError("invalid_argument", `"${name}" cannot name a corpus.`, {
      hint: "Use letters, digits, dots, dashes and underscores.",
    });
  }
  const known = scope.known[name];
  if (known !== undefined && (known.kind !== "built" || known.source !== source)) {
    throw new WinnowError("invalid_argument", `"${name}" names another corpus already.`, {
      hint: `Choose another name: winnow index --source ${source} --corpus NAME`,
    });
  }
  const before = known?.kind === "built" ? known.paths : [];
  const given = options.paths.length > 0 || draft.isPrivate ? options.paths : before.length > 0 ? [] : [folder];
  const paths = [...new Set([...before, ...given])];
  const written: WrittenBuilt = {
    source,
    ...(paths.length === 0 ? {} : { paths: paths.map((path) => below(folder, path)) }),
    ...(known?.kind === "built" ? writtenBeside(known) : {}),
  };
  const entry = builtEntry(name, written, folder, false);
  // What is not there is not written down.
  const [read] = await Promise.all([sourcePaths(entry, environment), ...options.paths.map(mustExist)]);
  const lacking = await pathsWithoutLeave(entry, read, options.mayRead);
  // What the entry named before may have come with the folder: only what the user names is agreed to.
  const named = lacking.filter((path) => options.paths.includes(path) || before.length + options.paths.length === 0);
  const granted = await Promise.all(named.map(noted));
  const agreed = [...new Set([...leaveOf(options.mayRead, folder), ...granted])];
  return {
    name,
    entry,
    file,
    paths: read,
    granted,
    mayRead: { ...options.mayRead, [folder]: agreed },
    async write() {
      if (granted.length > 0) await writeLeave(folder, agreed, environment);
      await editFile(file, (text) => editedJson(text, ["corpora", name], written, file));
    },
  };
}

/** Paths below the file are written from there on, so that the folder can be moved. */
function below(folder: string, path: string): string {
  const inside = relative(folder, path).replaceAll("\\", "/");
  if (inside === "") return ".";
  return inside.startsWith("..") ? path : inside;
}

async function mustExist(path: string): Promise<void> {
  await stat(path).catch((error: unknown) => {
    throw new WinnowError("source_not_found", `${path} does not exist.`, { hint: "Check the path.", cause: error });
  });
}
