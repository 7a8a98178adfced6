import { stat } from "node:fs/promises";
import type { z } from "zod/mini";
import { systemErrorCode } from "../../core/errors.ts";
import type { EmbedderIdentity } from "../find/embed-query.ts";
import type { StoreVersion } from "../store/store.ts";
import { type CorpusLayout, corpusBase, itemsFileOf } from "./layout.ts";
import { identitySchema, manifestSchema } from "./manifest-schemas.ts";
import { damaged, type FileStamp, readSealed, unreadable, writeSealed } from "./sealed-file.ts";
import type { StoreKind } from "./store-kinds.ts";

/** Version of everything in the corpus folder; a change that an older Winnow cannot read raises it. */
export const CORPUS_FORMAT_VERSION = 1;
const CORPUS_FORMAT = { name: "corpus", version: CORPUS_FORMAT_VERSION };
const MANIFEST_FORMAT = { name: "manifest", version: CORPUS_FORMAT_VERSION };
const ITEMS_FORMAT = { name: "items", version: CORPUS_FORMAT_VERSION };

export { STORE_KINDS, type StoreKind } from "./store-kinds.ts";

/** How the chunks of a corpus came to be. Two corpora of one identity are built alike. */
export interface CorpusIdentity {
  readonly chunker: string;
  readonly tokenCounter: string;
  readonly analyzer: string;
  readonly embedder: EmbedderIdentity | null;
  /** Where the chunks are kept; absent in corpora that have never known anything but `lance`. */
  readonly store?: StoreKind | undefined;
}

/** What a refresh without a path lists again. */
export interface KnownSource {
  /** Type of the source, e.g. `files`. */
  readonly type: string;
  /** Its roots as the source itself writes them; for files, POSIX paths relative to the corpus root. */
  readonly roots: readonly string[];
  /** Keys within the roots that were forgotten. */
  readonly excluded: readonly string[];
}

export interface GrepSegmentEntry {
  /** Number of its folder: the generation that wrote it. */
  readonly segment: number;
  readonly documents: number;
  readonly bytes: number;
}

/** The committed state of a corpus, apart from its source items. */
export interface Manifest {
  readonly generation: number;
  readonly updatedAt: string;
  readonly identity: CorpusIdentity;
  readonly store: StoreVersion;
  readonly documents: number;
  readonly chunks: number;
  readonly tokens: number;
  /** UTF-8 bytes of all document texts. */
  readonly bytes: number;
  /** Rows that wait outside the store's indexes. */
  readonly unindexed: number;
  readonly metadataKeys: readonly string[];
  readonly grep: readonly GrepSegmentEntry[];
  readonly sources: readonly KnownSource[];
  /** Of a copy: the folder that its keys are relative to, where that is not the one that holds the copy. */
  readonly copiedFrom?: string | undefined;
}

/** Folder that the keys and the relative places of a corpus are taken from. */
export function baseOf({ folder }: CorpusLayout, manifest: Pick<Manifest, "copiedFrom"> | undefined): string {
  return manifest?.copiedFrom ?? corpusBase(folder);
}

/** What is known about one source item, e.g. a file. */
export interface ManifestItem {
  readonly key: string;
  /** Type of the source that lists it. */
  readonly source: string;
  readonly state: "indexed" | "skipped" | "failed";
  readonly bytes: number;
  readonly mtimeMs: number;
  /** When its entry in the file system last changed, which no program can set; absent where that is not known. */
  readonly ctimeMs?: number | undefined;
  readonly hash?: string | undefined;
  /** It was read so soon after its last change that another change might not show in `mtimeMs`. */
  readonly racy?: true | undefined;
  /** Why it is not indexed: a `SkipReason`, or an error code when `failed`. */
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
  readonly notes?: readonly string[] | undefined;
  /** How many secrets were replaced in its documents, by kind. */
  readonly redacted?: Readonly<Record<string, number>> | undefined;
  readonly documents: number;
  readonly chunks: number;
  readonly tokens: number;
  /** UTF-8 bytes of its documents' texts. */
  readonly textBytes: number;
  /** The grep segment that holds its documents; 0 when it has none. */
  readonly segment: number;
  /** Ids of its documents, left out when its key is the only one. */
  readonly ids?: readonly string[] | undefined;
}

/** Ids of the documents that an item holds now. */
export function documentIdsOf(item: ManifestItem): readonly string[] {
  return item.ids ?? (item.documents > 0 ? [item.key] : []);
}

/** Replaces the manifest whose items are in place already. */
export async function writeManifestAlone(layout: CorpusLayout, manifest: Manifest): Promise<void> {
  await writeSealed(layout.manifestFile, MANIFEST_FORMAT, manifest);
}

/** The seal proves that the content is ours; the schema catches our own mistakes. */
function check<T>(path: string, schema: z.ZodMiniType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(path, `${issue?.path.join(".") ?? ""} ${issue?.message ?? "is invalid"}`.trim());
}

/** The corpus's identity, or undefined where there is no corpus. Rejects with `corpus_format` or `corpus_corrupt`. */
export async function readCorpusFile(layout: CorpusLayout): Promise<CorpusIdentity | undefined> {
  const content = await readSealed(layout.corpusFile, CORPUS_FORMAT);
  return content && check<CorpusIdentity>(layout.corpusFile, identitySchema, content.body);
}

export async function writeCorpusFile(layout: CorpusLayout, identity: CorpusIdentity): Promise<void> {
  await writeSealed(layout.corpusFile, CORPUS_FORMAT, identity);
}

/** Undefined where nothing was committed yet. Rejects with `corpus_format` or `corpus_corrupt`. */
export async function readManifest(
  layout: CorpusLayout,
): Promise<{ readonly manifest: Manifest; readonly stamp: FileStamp } | undefined> {
  const content = await readSealed(layout.manifestFile, MANIFEST_FORMAT);
  if (content === undefined) return undefined;
  return { manifest: check<Manifest>(layout.manifestFile, manifestSchema, content.body), stamp: content.stamp };
}

/** Which manifest is in place now; undefined when there is none. */
export async function stampManifest(layout: CorpusLayout): Promise<FileStamp | undefined> {
  try {
    const { ino, mtimeNs, size } = await stat(layout.manifestFile, { bigint: true });
    return { inode: ino, modifiedNs: mtimeNs, bytes: size };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw unreadable(layout.manifestFile, error);
  }
}

export function sameStamp(a: FileStamp | undefined, b: FileStamp | undefined): boolean {
  return a?.inode === b?.inode && a?.modifiedNs === b?.modifiedNs && a?.bytes === b?.bytes;
}

/** Rejects with `corpus_corrupt` when the manifest's items are missing. */
export async function readItems(layout: CorpusLayout, manifest: Manifest): Promise<readonly ManifestItem[]> {
  const path = itemsFileOf(layout, manifest.generation);
  const content = await readSealed(path, ITEMS_FORMAT);
  if (content === undefined) throw damaged(path, "it is missing");
  if (!Array.isArray(content.body) || !content.body.every(isItem)) throw damaged(path, "it is not a list of items");
  return content.body;
}

const STATES: readonly unknown[] = ["indexed", "skipped", "failed"] satisfies ManifestItem["state"][];
const ITEM_COUNTS = ["bytes", "mtimeMs", "documents", "chunks", "tokens", "textBytes", "segment"] as const;

/** By hand, because a schema took as long over 10,000 items as listing half of their files does. */
function isItem(value: unknown): value is ManifestItem {
  if (typeof value !== "object" || value === null) return false;
  const item: Partial<Record<keyof ManifestItem, unknown>> = value;
  return (
    typeof item.key === "string" &&
    typeof item.source === "string" &&
    STATES.includes(item.state) &&
    ITEM_COUNTS.every((name) => typeof item[name] === "number") &&
    (item.ids === undefined || Array.isArray(item.ids))
  );
}

/** Commits: the items first, the manifest that names them last. */
export async function writeManifest(
  layout: CorpusLayout,
  manifest: Manifest,
  items: Iterable<ManifestItem>,
): Promise<void> {
  await writeSealed(itemsFileOf(layout, manifest.generation), ITEMS_FORMAT, [...items]);
  await writeManifestAlone(layout, manifest);
}
