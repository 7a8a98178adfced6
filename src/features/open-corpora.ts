import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { BuiltEntry, ChromaEntry, CorpusEntry, PublishedEntry } from "../config/corpora.ts";
import type { Role } from "../core/corpus-role.ts";
import { WinnowError } from "../core/errors.ts";
import { isObjectAddress, parseObjectAddress } from "../core/object-address.ts";
import type { ChromaPlaces } from "../retrieval/chroma/shared-places.ts";
import { findCorpusFolder, refuseForeign } from "../retrieval/corpus/find-corpus-folder.ts";
import { CORPUS_FOLDER_NAME, corpusLayout } from "../retrieval/corpus/layout.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { type PublishedPlace, publishedFolder } from "./publishing/published-place.ts";

/** Where a command looks for its corpora. */
export interface CorpusScope {
  /** Folder that relative places are taken from. */
  readonly workingFolder: string;
  /** What `--corpus` named; empty means the nearest index upwards. */
  readonly named: readonly string[];
  /** Corpora of the configuration, by name. */
  readonly known: Readonly<Record<string, CorpusEntry>>;
  /** Room for mirrors of published indexes; see the setting of that name. */
  readonly mirrorGigabytes?: number;
}

export interface CorpusPlace {
  readonly name: string;
  /**
   * The `.winnow` folder; for an attached collection the folder with its words, for a published index one with what is kept
   * of it besides the index.
   */
  readonly folder: string;
  readonly runsFolder: string;
  /** Of its entry; an index that no entry names is of files. */
  readonly role?: Role;
  /** Present for a published index. */
  readonly published?: PublishedPlace;
  /** Present for an attached collection. */
  readonly attached?: ChromaEntry;
}

/**
 * The corpus folders that a command means, without opening them: those named, else the nearest index and all that the
 * configuration says how to build or to attach and that is indexed. Rejects with `corpus_not_found`.
 */
export async function locateCorpora(scope: CorpusScope): Promise<CorpusPlace[]> {
  if (scope.named.length > 0) {
    const places = await Promise.all(scope.named.map((named) => locate(named, scope)));
    return distinctNames(places);
  }
  const folder = await findCorpusFolder(scope.workingFolder);
  const own = folder === undefined ? [] : [{ ...placeOf(nameOf(folder), folder), role: "documents" as const }];
  const places = [...own, ...(await configuredPlaces(scope))];
  const [only] = places;
  if (places.length === 1 && only?.published !== undefined) {
    return [{ ...only, published: { ...only.published, isAsked: true } }];
  }
  if (places.length > 0) return distinctNames(places);
  throw new WinnowError("corpus_not_found", "There is no index in this folder or above it.", {
    hint:
      configuredNames(scope).length > 0 ? "Build what is configured: winnow index" : "Make one with: winnow index PATH",
  });
}

/**
 * As `locateCorpora`, for work that changes an index: without names the nearest one alone, where there is one. Rejects with
 * `invalid_argument` for an attached collection.
 */
export async function locateOwn(scope: CorpusScope): Promise<CorpusPlace[]> {
  const folder = scope.named.length === 0 ? await findCorpusFolder(scope.workingFolder) : undefined;
  if (folder !== undefined) return [placeOf(nameOf(folder), folder)];
  const places = await locateCorpora(scope);
  const published = places.find((place) => place.published !== undefined);
  if (published?.published !== undefined) throw readOnly(published.published.address);
  const attached = places.find((place) => place.attached !== undefined);
  if (attached === undefined) return places;
  throw new WinnowError("invalid_argument", `${attached.name} is an attached collection: it is changed in Chroma.`, {
    hint: `Refresh what is known of it with: winnow index ${attached.name}`,
  });
}

/** Throws `invalid_argument` where one of these names a published index, by address or by name. */
export function refusePublished(names: readonly string[], scope: Pick<CorpusScope, "known">): void {
  for (const name of names) {
    const entry = Object.hasOwn(scope.known, name) ? scope.known[name] : undefined;
    if (entry?.kind === "published") throw readOnly(entry.address);
    if (isObjectAddress(name)) throw readOnly(parseObjectAddress(name).text);
  }
}

function readOnly(address: string): WinnowError {
  return new WinnowError("invalid_argument", `${address} is a published index, which is not changed where it lies.`, {
    hint: `Index where it was made, and publish again with: winnow copy . ${address}`,
  });
}

/** Names of the corpora that the configuration says how to build or to attach, indexed or not. */
export function configuredNames({ known }: Pick<CorpusScope, "known">): readonly string[] {
  return Object.keys(known)
    .filter((name) => known[name]?.kind === "built" || known[name]?.kind === "chroma")
    .sort();
}

/** True where a folder index lies here or above. */
export async function hasOwnIndex({ workingFolder }: Pick<CorpusScope, "workingFolder">): Promise<boolean> {
  return (await findCorpusFolder(workingFolder)) !== undefined;
}

/** Configured corpora that are indexed or published, by name. */
async function configuredPlaces(scope: CorpusScope): Promise<CorpusPlace[]> {
  const names = Object.keys(scope.known).sort();
  const places = await Promise.all(
    names.map(async (name) => {
      const entry = scope.known[name];
      if (entry?.kind === "published") return [placeOfPublished(name, entry, scope, false)];
      if (entry === undefined || entry.kind === "folder" || !(await isCorpus(entry.indexFolder))) return [];
      await refuseForeign(entry.indexFolder);
      return [placeOfEntry(name, entry)];
    }),
  );
  return places.flat();
}

function placeOfEntry(name: string, entry: BuiltEntry | ChromaEntry): CorpusPlace {
  const { role } = entry;
  return { ...(entry.kind === "built" ? placeOf(name, entry.indexFolder) : placeOfAttached(name, entry)), role };
}

function placeOfAttached(name: string, attached: ChromaEntry): CorpusPlace {
  return { ...placeOf(name, attached.indexFolder), attached };
}

function placeOfPublished(
  name: string,
  { address, leave, role }: Pick<PublishedEntry, "address" | "leave" | "role">,
  { mirrorGigabytes }: CorpusScope,
  isAsked: boolean,
): CorpusPlace {
  const published = { address, isAsked, mirrorGigabytes, ...(leave && { leave }) };
  return { ...placeOf(name, publishedFolder(address, process.env)), ...(role && { role }), published };
}

function configured(named: string, scope: CorpusScope): CorpusEntry | undefined {
  return Object.hasOwn(scope.known, named) ? scope.known[named] : undefined;
}

function isCorpus(folder: string): Promise<boolean> {
  return exists(corpusLayout(folder).corpusFile);
}

async function locate(named: string, scope: CorpusScope): Promise<CorpusPlace> {
  const entry = configured(named, scope);
  if (entry?.kind === "published") return placeOfPublished(named, entry, scope, true);
  if (entry === undefined && isObjectAddress(named)) {
    const { text: address, bucket, prefix } = parseObjectAddress(named);
    return placeOfPublished(prefix.split("/").at(-1) || bucket, { address }, scope, true);
  }
  if (entry !== undefined && entry.kind !== "folder") {
    if (await isCorpus(entry.indexFolder)) {
      await refuseForeign(entry.indexFolder);
      return placeOfEntry(named, entry);
    }
    const what = entry.kind === "chroma" ? `The words of the attached collection ${named} are` : `${named} is`;
    throw new WinnowError("corpus_not_found", `${what} not indexed yet.`, {
      hint: `Index with: winnow index ${named}`,
    });
  }
  const place = entry?.folder ?? resolve(scope.workingFolder, named);
  for (const folder of [place, join(place, CORPUS_FOLDER_NAME)]) {
    if (!(await isCorpus(folder))) continue;
    return { ...placeOf(entry === undefined ? nameOf(folder) : named, folder), role: entry?.role ?? "documents" };
  }
  const others = configuredNames(scope);
  throw new WinnowError("corpus_not_found", `There is no index in ${place}.`, {
    hint:
      others.length > 0
        ? `Corpora that are known here: ${others.join(", ")}.`
        : `Make one with: winnow index PATH --corpus ${named}`,
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
    const found = await findCorpusFolder(scope.workingFolder);
    if (found !== undefined) return found;
    const fresh = join(scope.workingFolder, CORPUS_FOLDER_NAME);
    await refuseForeign(fresh);
    return fresh;
  }
  const entry = configured(named, scope);
  if (entry?.kind === "published") throw readOnly(entry.address);
  if (entry === undefined) refusePublished([named], scope);
  if (entry !== undefined && entry.kind !== "folder") {
    const what = entry.kind === "chroma" ? "is an attached collection: it" : "is built as the configuration says: it";
    throw new WinnowError("invalid_argument", `${named} ${what} takes no other files.`, {
      hint: `Refresh it with: winnow index ${named}`,
    });
  }
  const place = entry?.folder ?? resolve(scope.workingFolder, named);
  const inside = join(place, CORPUS_FOLDER_NAME);
  if (basename(place) === CORPUS_FOLDER_NAME || (await isCorpus(place))) return place;
  return inside;
}

/**
 * Opens what `locateCorpora` finds; the caller closes them. Queries are embedded by the embedder that each corpus names,
 * loaded by the first query that needs it.
 */
export async function openCorpora(scope: CorpusScope): Promise<CorpusReader[]> {
  const openPlace = await placeOpener();
  return Promise.all((await locateCorpora(scope)).map(openPlace));
}

/** What opens places one by one; those that it opens share their embedders and their Chroma servers. */
export async function placeOpener(): Promise<(place: CorpusPlace) => Promise<CorpusReader>> {
  const [{ openCorpus }, { queryModels }] = await Promise.all([
    import("../retrieval/corpus/open-corpus.ts"),
    import("./indexing/embedders.ts"),
  ]);
  const models = queryModels();
  let shared: Promise<ChromaPlaces> | undefined;
  const open = async ({ name, folder, published, attached: entry }: CorpusPlace): Promise<CorpusReader> => {
    if (published !== undefined) {
      const { openPublishedPlace } = await import("./publishing/open-published-place.ts");
      return openPublishedPlace({ name, folder, published, environment: process.env, models });
    }
    if (entry === undefined) return openCorpus(folder, { name, ...models });
    shared ??= import("../retrieval/chroma/shared-places.ts").then((module) => new module.ChromaPlaces());
    const { openAttached } = await import("./attaching/open-attached.ts");
    return openAttached({ name, entry, places: await shared, environment: process.env, ...models });
  };
  return async (place) => Object.assign(await open(place), place.role === undefined ? {} : { role: place.role });
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
