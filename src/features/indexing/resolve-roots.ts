import { stat } from "node:fs/promises";
import type { MayRead } from "../../config/leave.ts";
import { isPrivateSource } from "../../config/source-types.ts";
import { WinnowError } from "../../core/errors.ts";
import type { KnownSource } from "../../retrieval/corpus/manifest.ts";
import { pathsWithoutLeave } from "./leave.ts";
import { keyOfPath, onlyRoots, pathOfKey, withRoots } from "./roots.ts";

/** What a root that the index knows is, where it is not to be read: said in the notice about it. */
export type RootProblem = (path: string) => Promise<string | undefined>;

export interface RootsOptions {
  /** What the index knows of this source. */
  readonly known: KnownSource;
  /** Folder that keys are relative to. */
  readonly base: string;
  /** Absolute paths; none: all that is known. */
  readonly paths: readonly string[];
  readonly only?: boolean;
  readonly rebuild?: boolean;
  readonly mayRead?: MayRead;
  /** Default: it is not there. */
  readonly problemOf?: RootProblem;
}

export interface Roots {
  readonly source: KnownSource;
  /** Listed in this run. */
  readonly roots: readonly string[];
  /** Listed no more: what was indexed of them goes. */
  readonly gone: readonly string[];
  readonly notices: readonly string[];
}

/**
 * Which roots a run of indexing lists. Named paths must exist. Of the known ones, those that are not there are left
 * alone, with a notice: a disk that is not mounted must not empty the index. Rejects with `nothing_to_index`,
 * `source_not_found` or `invalid_config`.
 */
export async function resolveRoots(options: RootsOptions): Promise<Roots> {
  const { known, base, problemOf = notThere } = options;
  const { type } = known;
  const named = options.paths.map((path) => keyOfPath(base, path));
  // Built anew, it forgets what was forgotten.
  const keepsForgotten = options.only === true && options.rebuild !== true;
  const added = keepsForgotten ? onlyRoots(known, named) : withRoots(known, named);
  const whole = named.length === 0 || options.rebuild === true;
  if (options.only !== true && !whole) return { source: added, roots: named, gone: [], notices: [] };
  const gone = options.only === true ? known.roots.filter((root) => !named.includes(root)) : [];
  const source = { ...added, roots: added.roots.filter((root) => !gone.includes(root)) };
  const roots: string[] = [];
  const notices: string[] = [];
  const refused = options.only === true ? [] : await rootsWithoutLeave(options, source, named);
  for (const root of source.roots) {
    if (refused.includes(root)) {
      notices.push(refusal(pathOfKey(base, root), type));
      continue;
    }
    const mustExist = options.only !== true && named.includes(root);
    const problem = mustExist ? undefined : await problemOf(pathOfKey(base, root));
    if (problem === undefined) roots.push(root);
    else {
      const kept = options.only === true ? "its documents, if any, were kept" : "its documents were kept";
      notices.push(`${root === "" ? "." : root} ${problem}; ${kept}. \`winnow forget\` removes them.`);
    }
  }
  if (roots.length > 0) return { source, roots, gone, notices };
  if (source.roots.length === 0) {
    const again = options.rebuild === true ? " --rebuild" : "";
    throw new WinnowError("nothing_to_index", "The index knows no path yet.", {
      hint: `Name one: winnow index PATH${again}`,
    });
  }
  const [first] = refused;
  if (first !== undefined) throw new WinnowError("invalid_config", refusal(pathOfKey(base, first), type));
  throw new WinnowError("source_not_found", "None of the indexed paths is there.", {
    hint: "Check that the disk is mounted; `winnow forget PATH` removes a path for good.",
  });
}

/** What the index knows but nobody agreed to have read: see `IndexOptions.mayRead`. */
async function rootsWithoutLeave(
  { base, mayRead = {} }: RootsOptions,
  { type, roots }: KnownSource,
  named: readonly string[],
): Promise<readonly string[]> {
  const owner = { isUsers: false, isPrivate: isPrivateSource(type), projectFolder: base };
  const known = roots.filter((root) => !named.includes(root));
  const paths = known.map((root) => pathOfKey(base, root));
  const refused = await pathsWithoutLeave(owner, paths, mayRead);
  return known.filter((_, i) => refused.includes(paths[i] ?? ""));
}

function refusal(path: string, type: string): string {
  const what = isPrivateSource(type) ? "holds what agents saw and did" : "is outside of the folder of this index";
  return `${path} ${what}, and was not read again, because nobody has agreed to that here. Name it only if it was you who indexed it: winnow index ${path}`;
}

function notThere(path: string): Promise<string | undefined> {
  return stat(path).then(
    () => undefined,
    () => "is not there",
  );
}
