import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { z } from "zod/mini";
import { isAddress, isLoopback } from "../core/address.ts";
import { ROLES, type Role } from "../core/corpus-role.ts";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { isObjectAddress, parseObjectAddress } from "../core/object-address.ts";
import { leaveOf, type MayRead, type ProjectLeave } from "./leave.ts";
import { isPrivateSource, SESSION_UNITS, type SessionUnit, SOURCES, type SourceType } from "./source-types.ts";

/** Where the words of attached collections are kept, beside the configuration that names them. */
const ATTACHED_FOLDER = join(".winnow", "attached");
/** The name of an attached collection is the name of a folder. */
const ATTACHED_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** Where corpora lie whose entries say what they are made of, and not where. */
const NAMED_FOLDER = join(".winnow", "corpora");
const REPLICAS_MAX = 32;

const text = z.string().check(z.minLength(1), z.maxLength(1_000));
const variable = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable"));
const role = z.enum(ROLES);

const chromaSchema = z.strictObject({
  /** A data directory, relative to the file, or the address of a server. */
  chroma: text,
  collection: text,
  /** Further servers that hold the same collection under the same name: queries go to them in turn. */
  replicas: z.optional(z.array(text).check(z.maxLength(REPLICAS_MAX))),
  tenant: z.optional(text),
  database: z.optional(text),
  /** Name of the environment variable with the server's key; never the key. */
  apiKeyEnv: z.optional(variable),
  role,
  /** Metadata key that the records of one document share; `@id`: every record is a document. */
  documentKey: text,
  orderKey: z.optional(text),
  titleKey: z.optional(text),
  uriKey: z.optional(text),
  /** What made the vectors: `minilm`, `none`, `openai-compatible:MODEL` or `ollama:MODEL`; `unknown`: nobody said. */
  embedder: text,
  /** Opens the data directory itself instead of a copy. */
  inPlace: z.optional(z.boolean()),
});

const folderSchema = z.strictObject({
  /** Relative to the file, or the address on an object store that an index was published at. */
  folder: text,
  role: z.optional(role),
});

const builtSchema = z.strictObject({
  source: z.enum(SOURCES),
  /** Relative to the file. Transcripts are looked for in the place of this folder's own when left out. */
  paths: z.optional(z.array(text).check(z.minLength(1))),
  role: z.optional(role),
  /** Of `claude-sessions` only: what a document is, a session when left out. */
  unit: z.optional(z.enum(SESSION_UNITS)),
});

/** A corpus as a file names it: a folder, or an object that says more. */
export const corpusSchema = z.union([text, chromaSchema, folderSchema, builtSchema]);

/** The forms of an entry, as a message names them. */
export const CORPUS_FORMS = `must be a folder or s3:// address, {"folder": …}, {"source": …, "paths": […]} or {"chroma": …, "collection": …, "role": …, "documentKey": …, "embedder": …}`;

/** What an entry is by the key that only its kind has. */
const KINDS = { chroma: chromaSchema, source: builtSchema, folder: folderSchema } as const;

/**
 * What is wrong with an entry that `corpusSchema` refuses: said of the kind that it was meant to be, where that can be
 * told. `key` is one that it does not know, beside those that it does.
 */
export function entryProblem(
  written: unknown,
):
  | { readonly where: string; readonly message: string; readonly key?: string; readonly known: readonly string[] }
  | undefined {
  if (typeof written !== "object" || written === null) return undefined;
  const kind = (Object.keys(KINDS) as (keyof typeof KINDS)[]).find((one) => Object.hasOwn(written, one));
  if (kind === undefined) return undefined;
  const schema = KINDS[kind];
  const [issue] = schema.safeParse(written).error?.issues ?? [];
  if (issue === undefined) return undefined;
  const known = Object.keys(schema.shape);
  const key = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  return { where: issue.path.join("."), message: issue.message, known, ...(key === undefined ? {} : { key }) };
}

export type WrittenCorpus = z.infer<typeof corpusSchema>;
export type WrittenChroma = z.infer<typeof chromaSchema>;
export type WrittenBuilt = z.infer<typeof builtSchema>;

export interface FolderEntry {
  readonly kind: "folder";
  /** Absolute. */
  readonly folder: string;
  readonly role?: Role | undefined;
}

/** An index that was published on an object store. */
export interface PublishedEntry {
  readonly kind: "published";
  /** `s3://BUCKET/PREFIX`. */
  readonly address: string;
  readonly role?: Role | undefined;
  /** Present where a project's file names the entry: it needs the user's leave. */
  readonly leave?: ProjectLeave | undefined;
}

/** A corpus that the configuration says how to build. */
export interface BuiltEntry {
  readonly kind: "built";
  readonly source: SourceType;
  /** Absolute; empty: the place where this folder's own transcripts lie. */
  readonly paths: readonly string[];
  readonly role: Role;
  /** What a document of `claude-sessions` is; a session when left out. */
  readonly unit?: SessionUnit | undefined;
  /** Folder of the file that names it. */
  readonly projectFolder: string;
  /** The corpus folder itself. */
  readonly indexFolder: string;
  /** What agents saw and did. */
  readonly isPrivate: boolean;
  /** Named by the user's own file, which may have anything read; a project's file needs the user's leave (`mayRead`). */
  readonly isUsers: boolean;
}

export interface ChromaEntry {
  readonly kind: "chroma";
  /** Absolute path of a data directory, or an address. */
  readonly place: string;
  readonly collection: string;
  /** Addresses of further servers with the same collection. */
  readonly replicas?: readonly string[] | undefined;
  readonly tenant?: string | undefined;
  readonly database?: string | undefined;
  readonly apiKeyEnv?: string | undefined;
  readonly role: Role;
  readonly documentKey: string;
  readonly orderKey?: string | undefined;
  readonly titleKey?: string | undefined;
  readonly uriKey?: string | undefined;
  readonly embedder: string;
  readonly inPlace: boolean;
  /** Corpus folder with the words of the collection, beside the file that names it. */
  readonly indexFolder: string;
  /** Present where a project's file names the entry: it needs the user's leave for what lies outside of its folder. */
  readonly leave?: ProjectLeave | undefined;
}

export type CorpusEntry = FolderEntry | PublishedEntry | BuiltEntry | ChromaEntry;

const ROLE_OF: Readonly<Record<SourceType, Role>> = {
  files: "documents",
  changelog: "changelog",
  "claude-sessions": "sessions",
  "tool-traces": "traces",
};

/** What the user's own file says of what projects may do. */
export interface UserSide {
  readonly userFile: string;
  readonly mayRead: MayRead;
}

/**
 * Entries with absolute places. `user` is given for a project's file: such a file comes with a folder that somebody
 * else may have made, so it may name servers of this machine, directories and published indexes, which are read with the user's leave, but
 * no other server and no key, and it may have only directories below it opened in place. Throws `invalid_config`.
 */
export function readCorpora(
  corpora: Readonly<Record<string, WrittenCorpus>>,
  file: string,
  user: UserSide | undefined,
): Record<string, CorpusEntry> {
  return Object.fromEntries(
    Object.entries(corpora).map(([name, written]) => {
      if (typeof written === "string") return [name, folderEntry({ folder: written }, file, user)];
      if ("folder" in written) return [name, folderEntry(written, file, user)];
      if (!isAttachedName(name)) throw badName(name, file);
      if ("source" in written) {
        if (written.unit !== undefined && written.source !== "claude-sessions") throw strayUnit(name, file);
        return [name, builtEntry(name, written, dirname(file), user === undefined)];
      }
      const entry = chromaEntry(name, written, dirname(file));
      if (user === undefined) return [name, entry];
      refuseForeign(name, entry, file, user.userFile);
      return [name, { ...entry, leave: leaveIn(file, user) }];
    }),
  );
}

function leaveIn(file: string, { userFile, mayRead }: UserSide): ProjectLeave {
  const folder = dirname(file);
  return { folder, granted: leaveOf(mayRead, folder), userFile };
}

/** True for what can name a corpus that is kept below the file that names it. */
export function isAttachedName(name: string): boolean {
  return ATTACHED_NAME.test(name);
}

/**
 * True where an entry, its place absolute, may only stand in the user's file, and not in that of a project's folder. Links
 * are followed.
 */
export function isUserOnly(
  {
    chroma,
    apiKeyEnv,
    inPlace,
    replicas,
  }: Pick<WrittenChroma, "chroma" | "apiKeyEnv" | "inPlace"> & {
    readonly replicas?: readonly string[] | undefined;
  },
  projectFolder: string,
): boolean {
  if (apiKeyEnv !== undefined || replicas?.some((address) => !isLoopback(address)) === true) return true;
  return isAddress(chroma) ? !isLoopback(chroma) : inPlace === true && !isWithin(projectFolder, chroma);
}

/** The entry as a file in `folder` would name it, with places made absolute. */
export function chromaEntry(name: string, written: WrittenChroma, folder: string): ChromaEntry {
  const { chroma, inPlace = false, ...rest } = written;
  const place = isAddress(chroma) ? chroma : resolve(folder, chroma);
  return { kind: "chroma", ...rest, place, inPlace, indexFolder: join(folder, ATTACHED_FOLDER, name) };
}

function folderEntry(
  { folder, role: given }: z.infer<typeof folderSchema>,
  file: string,
  user: UserSide | undefined,
): FolderEntry | PublishedEntry {
  const role = given === undefined ? {} : { role: given };
  if (!isObjectAddress(folder)) return { kind: "folder", folder: resolve(dirname(file), folder), ...role };
  try {
    const address = parseObjectAddress(folder).text;
    return { kind: "published", address, ...role, ...(user && { leave: leaveIn(file, user) }) };
  } catch (error) {
    const { message, hint } = toWinnowError(error);
    throw new WinnowError("invalid_config", `${file}: ${message}`, hint === undefined ? {} : { hint });
  }
}

/** The entry as a file in `folder` would name it; `isUsers` where that is the user's own file. */
export function builtEntry(name: string, written: WrittenBuilt, folder: string, isUsers: boolean): BuiltEntry {
  const { source, paths = [], role: given = ROLE_OF[source], unit } = written;
  return {
    kind: "built",
    source,
    paths: paths.map((path) => resolve(folder, path)),
    role: given,
    ...(unit === undefined ? {} : { unit }),
    projectFolder: folder,
    indexFolder: join(folder, NAMED_FOLDER, name),
    isPrivate: isPrivateSource(source),
    isUsers,
  };
}

/** What a file has to say of a built entry so that it reads as this one, its places aside. */
export function writtenBeside({ source, role: given, unit }: BuiltEntry): Pick<WrittenBuilt, "role" | "unit"> {
  return { ...(given === ROLE_OF[source] ? {} : { role: given }), ...(unit === undefined ? {} : { unit }) };
}

function refuseForeign(name: string, entry: ChromaEntry, file: string, userFile: string): void {
  const { place, apiKeyEnv, inPlace, replicas } = entry;
  if (!isUserOnly({ chroma: place, apiKeyEnv, inPlace, replicas }, dirname(file))) return;
  const what =
    isAddress(place) || apiKeyEnv !== undefined || replicas !== undefined
      ? "may not send questions to another machine, nor name a key"
      : "may not open a directory outside its folder in place";
  throw new WinnowError("invalid_config", `${file} ${what}: corpus "${name}".`, {
    hint: `Put the entry into ${userFile}.`,
  });
}

function isWithin(folder: string, place: string): boolean {
  const path = relative(real(folder), real(place));
  return path !== "" && !path.startsWith("..") && !isAbsolute(path);
}

/** Where links lead. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function strayUnit(name: string, file: string): WinnowError {
  return new WinnowError("invalid_config", `${file}: only claude-sessions have a unit, which "${name}" is not.`, {
    hint: "Take the unit out of the entry.",
  });
}

function badName(name: string, file: string): WinnowError {
  return new WinnowError("invalid_config", `${file}: "${name}" cannot name such a corpus.`, {
    hint: "Use letters, digits, dots, dashes and underscores.",
  });
}
