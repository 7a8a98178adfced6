import type { MayRead } from "../config/leave.ts";
import type { SourceType } from "../config/source-types.ts";
import { systemClock } from "../core/clock.ts";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { type CorpusWriter, type CorpusWriterOptions, openCorpusWriter } from "../retrieval/corpus/corpus-writer.ts";
import type { KnownSource, StoreKind } from "../retrieval/corpus/manifest.ts";
import { RETAIN_MS } from "../retrieval/corpus/recover.ts";
import { unindexedRowsMax, unindexedRowsWatched } from "../retrieval/store/lance/lance-store.ts";
import { KeyScope } from "../sources/files/paths.ts";
import { chooseStore } from "./indexing/choose-store.ts";
import { defaultParts } from "./indexing/default-parts.ts";
import { type EmbedderChoice, identifyEmbedder } from "./indexing/embedders.ts";
import { COMMIT_INTERVAL_MS, indexItems } from "./indexing/index-items.ts";
import { listItems } from "./indexing/list-items.ts";
import type { IndexParts } from "./indexing/parts.ts";
import {
  type CorpusTotals,
  type IndexProgress,
  type IndexSummary,
  IndexTally,
  redactedIn,
} from "./indexing/progress.ts";
import { type RootProblem, resolveRoots } from "./indexing/resolve-roots.ts";
import { covers, keyOfPath, pathOfKey, withoutPath } from "./indexing/roots.ts";

export { STORE_KINDS, type StoreKind } from "../retrieval/corpus/manifest.ts";
export type { EmbedderChoice } from "./indexing/embedders.ts";
export type { IndexProgress, IndexSummary } from "./indexing/progress.ts";

const FILES: SourceType = "files";
/** Progress is reported at most this often, besides every change of phase. */
const PROGRESS_INTERVAL_MS = 100;

export interface IndexOptions {
  /** The corpus folder (`…/.winnow`); made when it does not exist. Keys are relative to the folder that holds it. */
  readonly folder: string;
  /** Absolute paths to index, remembered for later. None: refresh what is known. */
  readonly paths: readonly string[];
  /** The paths are all that the corpus is made of: what was indexed of others goes. */
  readonly only?: boolean;
  /** What reads them; default what the corpus is made of, else `files`. A corpus has one, so that no two ids are the same. */
  readonly source?: SourceType;
  /**
   * What makes the vectors. Default: a corpus that exists keeps its own embedder, or goes on without vectors, also when
   * it is built anew; a new one takes that of the parts. Another one than the corpus's own is refused.
   */
  readonly embedder?: EmbedderChoice;
  /**
   * What keeps the chunks. Default: a corpus that exists keeps its own store; a new one takes Lance, or SQLite where
   * Lance does not run. Another one than the corpus's own is refused, unless it is built anew.
   */
  readonly store?: StoreKind;
  /**
   * What the user lets projects read, by folder. A refresh leaves alone what the index knows outside of its own folder, or
   * of agents, unless it stands here: an index can come with a folder that somebody else made. Named paths need no leave.
   */
  readonly mayRead?: MayRead;
  /** Drops the index and builds it anew; repairs any damage. Searches see it grow. */
  readonly rebuild?: boolean;
  /** Stops between two items; what was done by then is kept, and the call rejects with `cancelled`. */
  readonly signal?: AbortSignal;
  /** How much work a kill may lose, default `COMMIT_INTERVAL_MS`. */
  readonly commitIntervalMs?: number;
  readonly now?: () => number;
  readonly parts?: IndexParts;
  readonly openStore?: CorpusWriterOptions["openStore"];
}

export interface IndexHooks {
  /** Must not throw. */
  readonly onProgress?: (progress: IndexProgress) => void;
  /** Called after every commit: what it holds survives a kill from now on. Must not throw. */
  readonly onCommit?: (committed: { readonly generation: number; readonly documents: number }) => void;
}

/**
 * Brings a corpus up to date with its sources: new and changed items are indexed, items that are gone are removed, all
 * others cost a look at size and time. Commits every few seconds, so that a kill loses little and searches see progress.
 *
 * Rejects with `nothing_to_index`, `source_not_found`, `corpus_locked`, `corpus_mismatch`, `corpus_corrupt`,
 * `corpus_format`, `embedder_failed`, `disk_full`, `cancelled`, or `invalid_config` where nobody agreed to what it knows; what was committed before that stays. What is wrong with a single item
 * is counted in the summary, never thrown; an item that cannot be read again keeps its indexed content.
 */
export async function indexCorpus(options: IndexOptions, hooks: IndexHooks = {}): Promise<IndexSummary> {
  return lookAtCorpus(options, hooks, {});
}

/** How a watch has a corpus brought up to date. */
export interface Look {
  /** Only what lies at or below these keys is looked at, of files; other sources are looked at whole, unless there is no key. */
  readonly within?: readonly string[];
  /** Told of every folder by its path, just before it is read. Must not throw. */
  readonly onFolder?: (path: string) => void;
  /** Which of the known roots are not to be read now, and why; default those that are not there. */
  readonly problemOf?: RootProblem;
  /** Told of the roots that are read, as absolute paths. */
  readonly onRoots?: (paths: readonly string[]) => void;
  /**
   * How the index is left: `ready` as by `indexCorpus`; `fresh`: what is new can be found, while rows may wait outside of
   * the index and old versions stay; `tidy`: every row is in the index, and versions that readers may be at stay. Default
   * `ready`.
   */
  readonly leave?: "ready" | "fresh" | "tidy";
}

/** As `indexCorpus`, looking at no more than it is told to. */
export async function lookAtCorpus(options: IndexOptions, hooks: IndexHooks, look: Look): Promise<IndexSummary> {
  const now = options.now ?? systemClock.now;
  const signal = options.signal ?? new AbortController().signal;
  const parts = options.parts ?? defaultParts;
  const tally = new IndexTally();
  const report = throttled(tally, hooks);
  const { store, notice } = await chooseStore(options.folder, options.store);
  if (notice !== undefined) tally.notices.push(notice);
  const writer = await openWriter({ ...options, ...(store && { store }) }, parts, now);
  try {
    if (writer.isCopy) throw copyIsNotIndexed(writer.base);
    const { listed, source, known } = await list(options, look, { parts, writer, tally, signal, report });
    tally.beginReading();
    report("reading");
    const committed = () => hooks.onCommit?.(totals(writer));
    const { commitIntervalMs = COMMIT_INTERVAL_MS } = options;
    const read = () => report("reading");
    await indexItems({
      listed,
      source,
      parts,
      writer,
      tally,
      now,
      signal,
      embedderAccess: options.embedder ?? {},
      commitIntervalMs,
      report: read,
      committed,
    });
    writer.setSources([known]);
    if (isEmpty(writer) && writer.generation === 0) throw nothingToIndex(tally);
    report("optimizing");
    await leaveAs(look.leave ?? "ready", writer);
    committed();
    report("done");
    return tally.summary(totals(writer));
  } catch (error) {
    throw toWinnowError(error);
  } finally {
    await writer.close();
  }
}

/**
 * Chunks up to which a watch that tidies up writes the index anew whatever has changed, so that what was removed counts in no
 * ranking. In a larger one that takes longer than the half minute until the next time, and a few rows weigh less.
 */
const TIDIED_WHOLE_CHUNKS_MAX = 100_000;

async function leaveAs(how: NonNullable<Look["leave"]>, writer: CorpusWriter): Promise<void> {
  const { chunks } = totals(writer);
  if (how === "ready") return writer.finish(unindexedRowsMax(chunks));
  const outside = chunks <= TIDIED_WHOLE_CHUNKS_MAX ? "any" : unindexedRowsMax(chunks);
  await writer.commitIndexed(how === "fresh" ? unindexedRowsWatched(chunks) : outside);
  if (how === "tidy") await writer.freeVersions(RETAIN_MS);
}

interface Listing {
  readonly parts: IndexParts;
  readonly writer: CorpusWriter;
  readonly tally: IndexTally;
  readonly signal: AbortSignal;
  readonly report: (phase: IndexProgress["phase"]) => void;
}

/** What there is to look at, of which source, and what the corpus is made of afterwards. */
async function list(options: IndexOptions, look: Look, { parts, writer, tally, signal, report }: Listing) {
  const { base } = writer;
  const type = sourceType(options, writer);
  const resolved = await resolveRoots({
    ...options,
    known: knownSource(writer, type),
    base,
    ...(look.problemOf && { problemOf: look.problemOf }),
  });
  const { source: known, roots, gone, notices } = resolved;
  tally.notices.push(...notices);
  const paths = roots.map((key) => pathOfKey(base, key));
  look.onRoots?.(paths);
  const within = type === FILES || look.within?.length === 0 ? look.within : undefined;
  const source = await parts.createSource({
    type,
    roots: paths,
    base,
    ...(within && { within }),
    ...(look.onFolder && { onFolder: look.onFolder }),
  });
  const listed =
    within?.length === 0
      ? []
      : await listItems({
          source,
          known,
          roots: [...roots, ...gone],
          ...(within && { within: new KeyScope(within) }),
          ownKey: keyOfPath(base, options.folder),
          writer,
          tally,
          signal,
          report: () => report("listing"),
        });
  return { listed, source, known };
}

export interface ForgetOptions {
  readonly folder: string;
  /** Absolute path of a file or folder; it need not exist any more. */
  readonly path: string;
  readonly parts?: IndexParts;
  readonly openStore?: CorpusWriterOptions["openStore"];
}

/**
 * Removes a path from the index, and from what a refresh looks at, until it is indexed again by name. Resolves with the
 * number of items and documents removed; rejects with `source_not_found` when the index holds nothing there.
 */
export async function forgetPath(options: ForgetOptions): Promise<{ items: number; documents: number }> {
  const writer = await openWriter({ ...options, paths: [] }, options.parts ?? defaultParts, systemClock.now);
  try {
    if (writer.generation === 0) throw noIndex(options.folder);
    const key = keyOfPath(writer.base, options.path);
    const before = knownSource(writer, sourceType({}, writer));
    const removed = [...writer.items.values()].filter((item) => item.source === before.type && covers(key, item.key));
    if (removed.length === 0 && !before.roots.some((root) => covers(key, root))) {
      throw new WinnowError("source_not_found", `The index holds nothing at ${options.path}.`, {
        hint: "Run `winnow status` to see what it holds.",
      });
    }
    for (const item of removed) writer.removeItem(item.key);
    writer.setSources([withoutPath(before, key)]);
    await writer.finish(unindexedRowsMax(totals(writer).chunks));
    return { items: removed.length, documents: removed.reduce((sum, { documents }) => sum + documents, 0) };
  } finally {
    await writer.close();
  }
}

async function openWriter(
  options: Pick<IndexOptions, "folder" | "paths" | "rebuild" | "openStore" | "embedder" | "signal" | "store">,
  parts: IndexParts,
  now: () => number,
): Promise<CorpusWriter> {
  const chosen = options.embedder && (await identifyEmbedder(options.embedder, options.signal));
  return openCorpusWriter(options.folder, {
    identity: {
      ...parts.identity,
      ...(chosen !== undefined && { embedder: chosen }),
      ...(options.store && { store: options.store }),
    },
    keepEmbedder: chosen === undefined,
    rebuild: options.rebuild ?? false,
    now,
    ...(options.openStore && { openStore: options.openStore }),
  });
}

/** What the corpus is made of. Throws `invalid_argument` where another source is asked for. */
function sourceType({ source: asked }: Pick<IndexOptions, "source">, writer: CorpusWriter): SourceType {
  const known = writer.sources.find(({ roots }) => roots.length > 0)?.type as SourceType | undefined;
  if (asked === undefined || known === undefined || known === asked) return asked ?? known ?? FILES;
  throw new WinnowError("invalid_argument", `The corpus is made of ${known}, and takes no ${asked}.`, {
    hint: `Give them a corpus of their own: winnow index --source ${asked} --corpus NAME`,
  });
}

function knownSource(writer: CorpusWriter, type: SourceType): KnownSource {
  return writer.sources.find((source) => source.type === type) ?? { type, roots: [], excluded: [] };
}

function isEmpty(writer: CorpusWriter): boolean {
  return totals(writer).documents === 0;
}

/** What a writer holds, staged and committed. */
export function totals(writer: CorpusWriter): CorpusTotals {
  let [documents, chunks] = [0, 0];
  for (const item of writer.items.values()) {
    documents += item.documents;
    chunks += item.chunks;
  }
  return { generation: writer.generation, documents, chunks, redacted: redactedIn(writer.items.values()) };
}

function nothingToIndex(tally: IndexTally): WinnowError {
  const reasons = Object.entries(tally.skipped).map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`);
  const seen = reasons.length === 0 ? "" : ` Skipped: ${reasons.join(", ")}.`;
  return new WinnowError("nothing_to_index", `There is no document to index.${seen}`, {
    hint: "Name a path that holds text files.",
  });
}

function copyIsNotIndexed(base: string): WinnowError {
  return new WinnowError("invalid_argument", `This index is a copy of the one of ${base}, and takes no files.`, {
    hint: "Refresh that one and copy it again to a new place, or build this one anew with: winnow index PATH --rebuild",
  });
}

function noIndex(folder: string): WinnowError {
  return new WinnowError("corpus_not_found", `There is no index in ${folder}.`, { hint: "Run `winnow index` first." });
}

/** Reports progress at most every `PROGRESS_INTERVAL_MS`, besides every change of phase. */
export function throttled(tally: IndexTally, hooks: Pick<IndexHooks, "onProgress">) {
  let [last, lastMs]: [IndexProgress["phase"] | undefined, number] = [undefined, 0];
  return (phase: IndexProgress["phase"]): void => {
    if (hooks.onProgress === undefined) return;
    const nowMs = performance.now();
    if (phase === last && nowMs - lastMs < PROGRESS_INTERVAL_MS) return;
    [last, lastMs] = [phase, nowMs];
    hooks.onProgress(tally.progress(phase));
  };
}
