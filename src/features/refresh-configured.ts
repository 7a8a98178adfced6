import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { BuiltEntry } from "../config/corpora.ts";
import { systemErrorCode, toWinnowError, type WinnowError } from "../core/errors.ts";
import { ChromaPlaces } from "../retrieval/chroma/shared-places.ts";
import { refuseForeign } from "../retrieval/corpus/find-corpus-folder.ts";
import { refusedAttached } from "./attaching/attached-leave.ts";
import { indexAttached } from "./attaching/index-attached.ts";
import { type Look, lookAtCorpus, type StoreKind } from "./index-corpus.ts";
import { defaultParts } from "./indexing/default-parts.ts";
import type { EmbedderChoice } from "./indexing/embedders.ts";
import { type MayRead, noted, pathsWithoutLeave } from "./indexing/leave.ts";
import type { IndexParts } from "./indexing/parts.ts";
import type { IndexProgress, IndexSummary } from "./indexing/progress.ts";
import { placeRefused } from "./indexing/refuse-place.ts";
import { sourcePaths } from "./indexing/source-paths.ts";
import type { CorpusScope } from "./open-corpora.ts";

/** Of the folder of a corpus that holds what agents saw and did. */
const PRIVATE_MODE = 0o700;

export interface RefreshOptions {
  readonly scope: CorpusScope;
  /** Configured corpora by their names. */
  readonly names: readonly string[];
  /** What the user lets the configuration of projects read; nothing when left out. */
  readonly mayRead?: MayRead;
  readonly rebuild?: boolean;
  /** For corpora that are built anew; those that exist keep theirs. */
  readonly embedder?: EmbedderChoice;
  readonly store?: StoreKind;
  readonly signal?: AbortSignal;
  /** Default the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How a watch has them looked at; of attached collections without effect. */
  readonly look?: Look;
}

export interface Refreshed {
  readonly name: string;
  readonly folder: string;
  /** One of the two: what was done, or why it was not. */
  readonly summary?: IndexSummary;
  readonly error?: WinnowError;
  /** It was left out for want of the user's leave, which `error` asks for. */
  readonly leftOut?: true;
}

/** Brings configured corpora up to date, one after the other. Rejects only with `cancelled`. */
export async function refreshConfigured(
  options: RefreshOptions,
  onProgress?: (name: string, progress: IndexProgress) => void,
): Promise<readonly Refreshed[]> {
  const { scope, names, rebuild = false, signal, environment = process.env } = options;
  const places = new ChromaPlaces({ keep: true });
  const refreshed: Refreshed[] = [];
  try {
    for (const name of names) {
      const entry = scope.known[name];
      if (entry === undefined || entry.kind === "folder" || entry.kind === "published") continue;
      const folder = entry.indexFolder;
      const hooks = { onProgress: (progress: IndexProgress) => onProgress?.(name, progress) };
      try {
        const refused = entry.kind === "built" ? refusedBuilt(name, entry, options) : refusedAttached(name, entry);
        const why = await refused;
        if (why !== undefined) {
          refreshed.push({ name, folder, error: why, leftOut: true });
          continue;
        }
        const summary =
          entry.kind === "built"
            ? await build(entry, options, hooks)
            : await indexAttached({ name, entry, places, environment, rebuild, ...(signal && { signal }) }, hooks);
        refreshed.push({ name, folder, summary });
      } catch (error) {
        signal?.throwIfAborted();
        refreshed.push({ name, folder, error: toWinnowError(error) });
      }
    }
    return refreshed;
  } finally {
    await places.closeAll();
  }
}

async function build(
  entry: BuiltEntry,
  { rebuild = false, embedder, store, signal, environment = process.env, look = {} }: RefreshOptions,
  hooks: { readonly onProgress: (progress: IndexProgress) => void },
): Promise<IndexSummary> {
  await refuseForeign(entry.indexFolder);
  const paths = await sourcePaths(entry, environment);
  const choice = { ...(embedder && { embedder }), ...(store && { store }) };
  const { indexFolder: folder, source } = entry;
  if (entry.isPrivate) await makePrivate(folder);
  return lookAtCorpus(
    { folder, source, paths, only: true, rebuild, parts: partsOf(entry), ...choice, ...(signal && { signal }) },
    hooks,
    look,
  );
}

/** The default parts, with a source that reads what the entry says. */
function partsOf({ isPrivate, paths, projectFolder, unit }: BuiltEntry): IndexParts {
  // The folder that was taken for the project's transcripts may hold those of another project as well.
  const ofProject = isPrivate && paths.length === 0 ? { projectFolder } : {};
  const more = { ...ofProject, ...(unit === undefined ? {} : { unit }) };
  return { ...defaultParts, createSource: (scope) => defaultParts.createSource({ ...scope, ...more }) };
}

/** What agents saw and did is for its owner alone, whatever the umask says. */
async function makePrivate(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder, { mode: PRIVATE_MODE }).catch((error: unknown) => {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  });
  await chmod(folder, PRIVATE_MODE);
}

/** Why an entry may not be built: it names what the user has not agreed to. */
async function refusedBuilt(
  name: string,
  entry: BuiltEntry,
  { environment = process.env, mayRead = {} }: RefreshOptions,
): Promise<WinnowError | undefined> {
  const { source, isPrivate, paths } = entry;
  const [place] = await pathsWithoutLeave(entry, await sourcePaths(entry, environment), mayRead);
  if (place === undefined) return undefined;
  const given = paths.length === 0 ? [] : [place];
  const agree = ["winnow", "index", ...given, "--source", source, "--corpus", name];
  const holds = isPrivate ? { holds: "what coding agents saw and did" } : {};
  return placeRefused({ name, place, leadsTo: await noted(place), agree, ...holds });
}
