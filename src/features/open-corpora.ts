import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { WinnowError } from "../core/errors.ts";
import { findCorpusFolder } from "../retrieval/corpus/find-corpus-folder.ts";
import { CORPUS_FOLDER_NAME, corpusLayout } from "../retrieval/corpus/layout.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";

/** Where a command looks for its corpora. */
export interface CorpusScope {
  /** Folder that relative places are taken from. */
  readonly workingFolder: string;
  /** What `--corpus` named; empty means the nearest index upwards. */
  readonly named: readonly string[];
  /** Names from the configuration. */
  readonly known: Readonly<Record<string, string>>;
}

export interface CorpusPlace {
  readonly name: string;
  /** The `.winnow` folder. */
  readonly folder: string;
  readonly runsFolder: string;
}

/** The corpus folders that a command means, without opening them. Rejects with `corpus_not_found`. */
export async function locateCorpora(scope: CorpusScope): Promise<CorpusPlace[]> {
  if (scope.named.length > 0) {
    const places = await Promise.all(scope.named.map((named) => locate(named, scope)));
    return distinctNames(places);
  }
  const folder = await findCorpusFolder(scope.workingFolder);
  if (folder === undefined) {
    throw new WinnowError("corpus_not_found", "There is no index in this folder or above it.", {
      hint: "Make one with: winnow index PATH",
    });
  }
  return [placeOf(nameOf(folder), folder)];
}

function configuredPlace(named: string, scope: CorpusScope): string | undefined {
  return Object.hasOwn(scope.known, named) ? scope.known[named] : undefined;
}

async function locate(named: string, scope: CorpusScope): Promise<CorpusPlace> {
  const configured = configuredPlace(named, scope);
  const place = configured ?? resolve(scope.workingFolder, named);
  for (const folder of [place, join(place, CORPUS_FOLDER_NAME)]) {
    if (await exists(corpusLayout(folder).corpusFile)) {
      return placeOf(configured === undefined ? nameOf(folder) : named, folder);
    }
  }
  throw new WinnowError("corpus_not_found", `There is no index at ${named}.`, {
    hint: `Make one with: winnow index PATH --corpus ${named}`,
  });
}

/** Folder of the index that `winnow index` writes: the named one, the nearest one, or a new one here. */
export async function targetFolder(scope: CorpusScope): Promise<string> {
  const [named, second] = scope.named;
  if (second !== undefined) {
    throw new WinnowError("invalid_argument", "Only one corpus can be written at a time.", {
      hint: "Give --corpus once.",
    });
  }
  if (named === undefined) {
    return (await findCorpusFolder(scope.workingFolder)) ?? join(scope.workingFolder, CORPUS_FOLDER_NAME);
  }
  const place = configuredPlace(named, scope) ?? resolve(scope.workingFolder, named);
  const inside = join(place, CORPUS_FOLDER_NAME);
  if (basename(place) === CORPUS_FOLDER_NAME || (await exists(corpusLayout(place).corpusFile))) return place;
  return inside;
}

/**
 * Opens what `locateCorpora` finds; the caller closes them. Queries are embedded by the embedder that each corpus names,
 * loaded by the first query that needs it.
 */
export async function openCorpora(scope: CorpusScope): Promise<CorpusReader[]> {
  const places = await locateCorpora(scope);
  const [{ openCorpus }, { queryEmbedder }] = await Promise.all([
    import("../retrieval/corpus/open-corpus.ts"),
    import("./indexing/embedders.ts"),
  ]);
  const embedQuery = queryEmbedder();
  return Promise.all(places.map(({ name, folder }) => openCorpus(folder, { name, embedQuery })));
}

function placeOf(name: string, folder: string): CorpusPlace {
  return { name, folder, runsFolder: corpusLayout(folder).runsFolder };
}

function nameOf(folder: string): string {
  return basename(folder) === CORPUS_FOLDER_NAME ? basename(dirname(folder)) || "corpus" : basename(folder);
}

/** Each folder once, each under a name of its own. */
function distinctNames(places: readonly CorpusPlace[]): CorpusPlace[] {
  const folders = new Map(places.map((place) => [resolve(place.folder), place]));
  const used = new Set<string>();
  return [...folders.values()].map((place) => {
    let name = place.name;
    for (let count = 2; used.has(name); count++) name = `${place.name}-${count}`;
    used.add(name);
    return { ...place, name };
  });
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}
