import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { findProjectFile, loadConfig, PROJECT_FILE, userConfigFile } from "../config/config.ts";
import {
  type ChromaEntry,
  type CorpusEntry,
  chromaEntry,
  isAttachedName,
  isUserOnly,
  type WrittenChroma,
} from "../config/corpora.ts";
import { leaveOf } from "../config/leave.ts";
import { writeCorpusEntry } from "../config/write-corpus.ts";
import { isAddress } from "../core/address.ts";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { plural } from "../core/text.ts";
import type { Notice } from "../core/types.ts";
import type { ChromaConnection } from "../retrieval/chroma/connection.ts";
import { ChromaPlaces } from "../retrieval/chroma/shared-places.ts";
import { placeOptions } from "./attaching/attached-entry.ts";
import { decideEntry, type OpenQuestion, type PlaceFlags, type ShapeFlags } from "./attaching/decide-entry.ts";
import { type IndexAttachedHooks, indexAttached } from "./attaching/index-attached.ts";
import {
  type InspectedCollection,
  inspectCollection,
  type ListedCollection,
  listCollections,
} from "./attaching/inspect-collections.ts";
import { noted, placesWithoutLeave } from "./indexing/leave.ts";
import type { IndexSummary } from "./indexing/progress.ts";
import { writeLeave } from "./indexing/write-leave.ts";

export type { OpenQuestion, ShapeFlags } from "./attaching/decide-entry.ts";
export type { InspectedCollection, ListedCollection } from "./attaching/inspect-collections.ts";

export interface AttachOptions {
  /** A data directory, relative to the working folder, or the address of a server. */
  readonly place: string;
  readonly access: Omit<PlaceFlags, "chroma">;
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Replaced in tests; closed with the session. */
  readonly places?: ChromaPlaces;
}

export interface AttachChoice {
  readonly collection: string;
  /** How the corpus is called, default after the collection. */
  readonly name?: string | undefined;
  readonly flags: ShapeFlags;
  /** Answers to what cannot be known; undefined leaves a question open. */
  readonly ask?: (question: OpenQuestion) => Promise<string | undefined>;
}

/** A collection that became a corpus, or would. */
export interface AttachedCollection {
  readonly name: string;
  /** Configuration file that names it. */
  readonly file: string;
  readonly entry: ChromaEntry;
  readonly inspected: InspectedCollection;
  readonly notices: readonly Notice[];
}

/** A Chroma place while its collections are looked at and attached. */
export interface AttachSession {
  readonly notices: readonly Notice[];
  readonly version: string;
  list(): Promise<readonly ListedCollection[]>;
  /** What attaching would write. Rejects with `corpus_not_found` and `invalid_argument`. */
  inspect(choice: AttachChoice, known: Readonly<Record<string, CorpusEntry>>): Promise<AttachedCollection>;
  /**
   * Writes the entry, and into the user's own file the leave that it needs: attaching is how the user gives it. Resolves
   * with what the user agreed to with this.
   */
  write(attached: AttachedCollection): Promise<readonly string[]>;
  /** Builds the words. Rejects as `indexAttached` does. */
  index(attached: AttachedCollection, hooks: IndexAttachedHooks): Promise<IndexSummary>;
  close(): Promise<void>;
}

/**
 * Opens a Chroma data directory or server to attach collections of it. An entry goes into the project's file, or into
 * the user's where it names another machine, a key, or a directory elsewhere that is opened in place. Rejects as
 * `openChromaPlace` does.
 */
export async function openAttachSession(options: AttachOptions): Promise<AttachSession> {
  const { place, access, workingFolder, environment, signal } = options;
  const given = isAddress(place) ? place : resolve(workingFolder, place);
  const projectFile = (await findProjectFile(workingFolder)) ?? join(workingFolder, PROJECT_FILE);
  const userOnly = isUserOnly(
    { chroma: given, apiKeyEnv: access.apiKeyEnv, inPlace: access.inPlace },
    dirname(projectFile),
  );
  // The user's file asks no leave any more: a link that somebody else could change does not stand in it.
  const chroma = userOnly ? await noted(given) : given;
  const file = userOnly ? userConfigFile(environment) : projectFile;
  const places = options.places ?? new ChromaPlaces({ keep: true });
  const reached = { ...access, chroma, collection: "", role: "other", documentKey: "", embedder: "" } as const;
  const opened = await places.open({
    ...(await placeOptions(chromaEntry("", reached, dirname(file)), environment)),
    signal,
  });
  const { connection } = opened;
  return {
    notices: opened.notices,
    version: connection.version,
    list: () => listCollections(connection, signal),
    inspect: (choice, known) => inspect(choice, known, { connection, file, place: { ...access, chroma }, signal }),
    async write({ name, entry }) {
      const granted = userOnly ? [] : await giveLeave(entry, dirname(file), options);
      await writeCorpusEntry(file, name, written(entry, dirname(file)));
      return granted;
    },
    index: ({ name, entry }, hooks) =>
      indexAttached({ name, entry, places, environment, ...(signal && { signal }) }, hooks),
    close: async () => {
      await opened.close();
      await places.closeAll();
    },
  };
}

export interface AttachOutcome {
  /** Undefined where it was skipped. */
  readonly summary?: IndexSummary;
  /** What the user agreed to with this, and had not before. */
  readonly granted: readonly string[];
  /** Why it was skipped: it holds no text. */
  readonly skipped?: WinnowError;
}

/**
 * Indexes the words of a collection, and then writes its entry: what cannot be indexed leaves none behind, and what was
 * interrupted goes on when it is attached again. With `skipsEmpty` a collection without texts is no failure.
 */
export async function attachCollection(
  session: Pick<AttachSession, "index" | "write">,
  attached: AttachedCollection,
  { skipsEmpty, ...hooks }: IndexAttachedHooks & { readonly skipsEmpty: boolean },
): Promise<AttachOutcome> {
  let summary: IndexSummary;
  try {
    summary = await session.index(attached, hooks);
  } catch (error) {
    const skipped = toWinnowError(error);
    if (!skipsEmpty || skipped.code !== "nothing_to_index") throw skipped;
    return { granted: [], skipped };
  }
  return { summary, granted: await session.write(attached) };
}

/** Notes what a project's entry reads outside of its folder; resolves with what was not agreed to before. */
async function giveLeave(
  { place }: ChromaEntry,
  folder: string,
  { workingFolder, environment }: AttachOptions,
): Promise<readonly string[]> {
  const { mayRead } = (await loadConfig(workingFolder, environment)).settings;
  const before = leaveOf(mayRead, folder);
  const lacking = await placesWithoutLeave({ folder, granted: before }, [place]);
  if (lacking.length === 0) return [];
  const granted = await Promise.all(lacking.map(noted));
  await writeLeave(folder, [...before, ...granted], environment);
  return granted;
}

interface InspectScope {
  readonly connection: ChromaConnection;
  readonly file: string;
  readonly place: PlaceFlags;
  readonly signal: AbortSignal | undefined;
}

async function inspect(
  { collection, name: given, flags, ask }: AttachChoice,
  known: Readonly<Record<string, CorpusEntry>>,
  { connection, file, place, signal }: InspectScope,
): Promise<AttachedCollection> {
  const inspected = await inspectCollection(connection, collection, signal);
  const first = decideEntry(inspected, flags, place);
  const answers: { documentKey?: string; embedder?: string } = {};
  for (const question of first.questions) {
    const answer = await ask?.(question);
    if (answer !== undefined) answers[question.flag] = answer;
  }
  const decided = decideEntry(inspected, { ...flags, ...answers }, place);
  const name = given ?? nameFrom(collection);
  const drafted = chromaEntry(name, decided.entry, dirname(file));
  const held = checkName(name, drafted, known);
  // Replicas are listed by hand, and stay where the entry stays in its file.
  const isSame = held?.replicas !== undefined && held.indexFolder === drafted.indexFolder;
  const entry = isSame ? { ...drafted, replicas: held.replicas } : drafted;
  return { name, file, entry, inspected, notices: noticesOf(inspected, decided.questions) };
}

/** Directories within the file's folder are named from there, so that the folder can be moved. */
function written(
  { kind, place, indexFolder, inPlace, replicas, leave, ...rest }: ChromaEntry,
  folder: string,
): WrittenChroma {
  const inside = relative(folder, place);
  const leaves = isAddress(place) || inside === "" || inside.startsWith("..") || isAbsolute(inside);
  return {
    chroma: leaves ? place : inside.split(sep).join("/"),
    ...rest,
    ...(replicas && { replicas: [...replicas] }),
    ...(inPlace ? { inPlace } : {}),
  };
}

function nameFrom(collection: string): string {
  return collection.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "collection";
}

/** The entry that it replaces, where there is one. Throws `invalid_argument`. */
function checkName(
  name: string,
  entry: ChromaEntry,
  known: Readonly<Record<string, CorpusEntry>>,
): ChromaEntry | undefined {
  if (!isAttachedName(name)) {
    throw new WinnowError("invalid_argument", `"${name}" cannot name an attached collection.`, {
      hint: "Use letters, digits, dots, dashes and underscores.",
    });
  }
  const held = Object.hasOwn(known, name) ? known[name] : undefined;
  if (held === undefined) return undefined;
  if (held.kind === "chroma" && held.place === entry.place && held.collection === entry.collection) return held;
  throw new WinnowError("invalid_argument", `There is another corpus called ${name}.`, {
    hint: "Choose another name with --name.",
  });
}

function noticesOf({ shape, info, records }: InspectedCollection, open: readonly OpenQuestion[]): Notice[] {
  const notices: Notice[] = [];
  if (records === 0) notices.push({ code: "empty_collection", message: `${info.name} holds no record.` });
  if (shape.withoutText > 0) {
    const message = `${plural(shape.withoutText, "record")} of ${shape.sampled} sampled hold no text; such records cannot be found by words or shown.`;
    notices.push({ code: "records_without_text", message });
  }
  for (const { flag, fallback } of open) {
    const option = flag === "embedder" ? "--embedder" : "--document-key";
    const taken = flag === "embedder" ? "it is searched by words only" : `"${fallback}" is taken`;
    const what =
      flag === "embedder"
        ? `What made the vectors is not known (${shape.embedder.why})`
        : `What its documents are is a guess (${shape.documentKey.why})`;
    notices.push({ code: "shape_guessed", message: `${info.name}: ${what}; ${taken}. Say it with ${option}.` });
  }
  return notices;
}
