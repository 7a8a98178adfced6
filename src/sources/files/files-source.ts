import { dirname, resolve } from "node:path";
import { REPOSITORY_KEYS } from "../../core/provenance.ts";
import type { SourceDocument } from "../../core/types.ts";
import { repositoryFinder } from "../repository.ts";
import type { Listed, ReadOutcome, Source, SourceItem } from "../source.ts";
import { type Confinement, confineTo } from "./confinement.ts";
import { decodeText } from "./decode-text.ts";
import { skippedBySystem } from "./file-error.ts";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";
import { type FileType, fileTypeOf } from "./file-type.ts";
import { FILES_LIMITS, type FilesLimits } from "./limits.ts";
import { mergeByKey } from "./merge.ts";
import { parseFile } from "./parse-file.ts";
import { KeyScope, keyOf } from "./paths.ts";
import { hashFile, readBytes } from "./read-bytes.ts";
import { checkPlaces, lookUpRoots, notAFile, tooLarge } from "./roots.ts";
import { assertEntries, type Walk, walkFolder } from "./walk.ts";

const PLAIN_TEXT: FileType = { kind: "text" };

export interface FilesSourceOptions {
  /** Absolute paths of files or folders. */
  readonly roots: readonly string[];
  /** Absolute path of the corpus root, which keys are relative to. */
  readonly base: string;
  readonly limits?: Partial<FilesLimits>;
  /** Default: the real one. */
  readonly fileSystem?: FileSystem;
  /** Only what lies at or below these keys is listed; default everything below the roots. */
  readonly within?: readonly string[];
  /** Told of every folder by its path, just before it is read. Must not throw. */
  readonly onFolder?: (path: string) => void;
}

/**
 * Files and folders as a source. `list` rejects with `source_not_found` when a root is missing and with
 * `limit_exceeded` beyond `entriesMax`; an empty folder lists nothing. A root that was named is read even where its name
 * or a rule above it would exclude it, and a file that was named is tried as text whatever its name says. The hash is
 * that of the bytes: a file that was only touched keeps its documents, `modified` included. `repository` is the folder
 * that holds `.git`, where a document names none itself.
 */
export function createFilesSource(options: FilesSourceOptions): Source {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const limits = { ...FILES_LIMITS, ...options.limits };
  checkPlaces(options.roots, options.base);
  const places = { roots: options.roots, base: resolve(options.base), limits };
  const narrowed = {
    ...(options.within && { within: new KeyScope(options.within) }),
    ...(options.onFolder && { onFolder: options.onFolder }),
  };
  const reader: Reader = {
    fileSystem,
    limits,
    confinement: confineTo(fileSystem, options.roots),
    namedKeys: new Set(options.roots.map((root) => keyOf(places.base, resolve(root)))),
    repositoryOf: repositoryFinder(),
  };
  return {
    type: "files",
    list: (signal) => listRoots(places, { fileSystem, limits, signal, ...narrowed }),
    async hash(item, signal) {
      if ((await reader.confinement.check(item)) !== undefined) return undefined;
      return hashFile(fileSystem, item.location, limits.fileBytesMax, signal);
    },
    read: (item, signal) => readItem(item, reader, signal),
  };
}

async function* listRoots(places: Parameters<typeof lookUpRoots>[1], walk: Walk): AsyncGenerator<Listed> {
  const roots = await lookUpRoots(walk.fileSystem, places, walk.signal);
  const { within } = walk;
  const isAsked = (key: string): boolean => within === undefined || within.holds(key);
  const folders = roots.folders.filter(({ prefix }) => isAsked(prefix) || within?.leadsTo(prefix));
  const single = roots.single.filter((listed) => isAsked("item" in listed ? listed.item.key : listed.skipped.key));
  const streams = folders.map((root) => ({ from: root.prefix, open: () => walkFolder(root, walk) }));
  let count = 0;
  for await (const listed of mergeByKey(streams, single)) {
    walk.signal.throwIfAborted();
    count++;
    assertEntries(count, walk.limits);
    yield listed;
  }
}

interface Reader {
  readonly fileSystem: FileSystem;
  readonly limits: FilesLimits;
  readonly confinement: Confinement;
  /** Keys of the roots themselves: a file that was named is read as text, whatever its name. */
  readonly namedKeys: ReadonlySet<string>;
  readonly repositoryOf: (folder: string) => Promise<string | undefined>;
}

async function readItem(item: SourceItem, reader: Reader, signal: AbortSignal): Promise<ReadOutcome> {
  signal.throwIfAborted();
  const key = item.key;
  const outside = await reader.confinement.check(item);
  if (outside !== undefined) return { skipped: outside };
  const name = key.slice(key.lastIndexOf("/") + 1);
  const type = fileTypeOf(name) ?? (reader.namedKeys.has(key) ? PLAIN_TEXT : undefined);
  if (type === undefined) {
    return { skipped: { key, reason: "unsupported_type", detail: "Files of this type are not read." } };
  }
  const read = await readBytes(reader.fileSystem, item.location, reader.limits.fileBytesMax, signal);
  if ("error" in read) return { skipped: skippedBySystem(key, read.error) };
  if ("notAFile" in read) return { skipped: notAFile(key) };
  if ("tooLarge" in read) return { skipped: tooLarge(key, read.tooLarge, reader.limits.fileBytesMax) };
  const { hash, mtimeMs } = read;
  const decoded = decodeText(read.bytes);
  if ("binary" in decoded) return { skipped: { key, reason: "binary", detail: decoded.binary }, hash };
  const file = { key, mtimeMs, name };
  const parsed = await parseFile(file, type, decoded.text, reader.limits);
  signal.throwIfAborted();
  if ("reason" in parsed) return { skipped: { key, reason: parsed.reason, detail: parsed.detail }, hash };
  const notes = decoded.note === undefined ? parsed.notes : [decoded.note, ...parsed.notes];
  const repository = await reader.repositoryOf(dirname(item.location));
  return { documents: parsed.documents.map((document) => withRepository(document, repository)), hash, notes };
}

function withRepository(document: SourceDocument, repository: string | undefined): SourceDocument {
  const namesOne = REPOSITORY_KEYS.some((key) => Object.hasOwn(document.metadata, key));
  return repository === undefined || namesOne
    ? document
    : { ...document, metadata: { ...document.metadata, repository } };
}
