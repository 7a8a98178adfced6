import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemClock } from "../core/clock.ts";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { type CorpusWriter, type CorpusWriterOptions, openCorpusWriter } from "../retrieval/corpus/corpus-writer.ts";
import type { KnownSource } from "../retrieval/corpus/manifest.ts";
import { UNINDEXED_ROWS_MAX } from "../retrieval/store/lance/lance-store.ts";
import { defaultParts } from "./indexing/default-parts.ts";
import { type EmbedderChoice, identifyEmbedder } from "./indexing/embedders.ts";
import { COMMIT_INTERVAL_MS, indexItems } from "./indexing/index-items.ts";
import { listItems } from "./indexing/list-items.ts";
import type { IndexParts } from "./indexing/parts.ts";
import { type IndexProgress, type IndexSummary, IndexTally } from "./indexing/progress.ts";
import { covers, keyOfPath, pathOfKey, withoutPath, withRoots } from "./indexing/roots.ts";

export type { EmbedderChoice } from "./indexing/embedders.ts";
export type { IndexProgress, IndexSummary } from "./indexing/progress.ts";

const FILES = "files";
/** Progress is reported at most this often, besides every change of phase. */
const PROGRESS_INTERVAL_MS = 100;

export interface IndexOptions {
  /** The corpus folder (`…/.winnow`); made when it does not exist. Keys are relative to the folder that holds it. */
  readonly folder: string;
  /** Absolute paths to index, remembered for later. None: refresh what is known. */
  readonly paths: readonly string[];
  /**
   * What makes the vectors. Default: a corpus that exists keeps its own embedder, or goes on without vectors, also when
   * it is built anew; a new one takes that of the parts. Another one than the corpus's own is refused.
   */
  readonly embedder?: EmbedderChoice;
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
 * `corpus_format`, `embedder_failed`, `disk_full` or `cancelled`; what was committed before that stays. What is wrong with a single item
 * is counted in the summary, never thrown; an item that cannot be read again keeps its indexed content.
 */
export async function indexCorpus(options: IndexOptions, hooks: IndexHooks = {}): Promise<IndexSummary> {
  const now = options.now ?? systemClock.now;
  const signal = options.signal ?? new AbortController().signal;
  const parts = options.parts ?? defaultParts;
  const tally = new IndexTally(now);
  const report = throttled(tally, hooks, now);
  const writer = await openWriter(options, parts, now);
  try {
    const base = dirname(options.folder);
    const { source: known, roots } = await resolveRoots(options, writer, base, tally);
    const source = await parts.createSource({ roots: roots.map((key) => pathOfKey(base, key)), base });
    const ownKey = keyOfPath(base, options.folder);
    const list = () => report("listing");
    const listed = await listItems({ source, known, roots, ownKey, writer, tally, signal, report: list });
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
    await writer.finish(UNINDEXED_ROWS_MAX);
    committed();
    report("done");
    return tally.summary(totals(writer));
  } catch (error) {
    throw toWinnowError(error);
  } finally {
    await writer.close();
  }
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
    const key = keyOfPath(dirname(options.folder), options.path);
    const before = filesSource(writer);
    const removed = [...writer.items.values()].filter((item) => item.source === FILES && covers(key, item.key));
    if (removed.length === 0 && !before.roots.some((root) => covers(key, root))) {
      throw new WinnowError("source_not_found", `The index holds nothing at ${options.path}.`, {
        hint: "Run `winnow status` to see what it holds.",
      });
    }
    for (const item of removed) writer.removeItem(item.key);
    writer.setSources([withoutPath(before, key)]);
    await writer.finish(UNINDEXED_ROWS_MAX);
    return { items: removed.length, documents: removed.reduce((sum, { documents }) => sum + documents, 0) };
  } finally {
    await writer.close();
  }
}

async function openWriter(
  options: Pick<IndexOptions, "folder" | "paths" | "rebuild" | "openStore" | "embedder" | "signal">,
  parts: IndexParts,
  now: () => number,
): Promise<CorpusWriter> {
  const chosen = options.embedder && (await identifyEmbedder(options.embedder, options.signal));
  return openCorpusWriter(options.folder, {
    identity: chosen === undefined ? parts.identity : { ...parts.identity, embedder: chosen },
    keepEmbedder: chosen === undefined,
    rebuild: options.rebuild ?? false,
    now,
    ...(options.openStore && { openStore: options.openStore }),
  });
}

function filesSource(writer: CorpusWriter): KnownSource {
  return writer.sources.find(({ type }) => type === FILES) ?? { type: FILES, roots: [], excluded: [] };
}

/**
 * Which roots this run lists. Named paths must exist. Of the known ones, those that are not there are left alone, with
 * a notice: a disk that is not mounted must not empty the index.
 */
async function resolveRoots(
  options: IndexOptions,
  writer: CorpusWriter,
  base: string,
  tally: IndexTally,
): Promise<{ readonly source: KnownSource; readonly roots: readonly string[] }> {
  const known = filesSource(writer);
  const named = options.paths.map((path) => keyOfPath(base, path));
  if (named.length > 0 && options.rebuild !== true) return { source: withRoots(known, named), roots: named };
  const source = withRoots(known, named);
  const roots: string[] = [];
  for (const root of source.roots) {
    if (named.includes(root) || (await exists(pathOfKey(base, root)))) roots.push(root);
    else {
      tally.notices.push(
        `${root === "" ? "." : root} is not there; its documents were kept. \`winnow forget\` removes them.`,
      );
    }
  }
  if (roots.length > 0) return { source, roots };
  if (source.roots.length === 0) {
    throw new WinnowError("nothing_to_index", "The index knows no path yet.", { hint: "Name one: winnow index PATH" });
  }
  throw new WinnowError("source_not_found", "None of the indexed paths is there.", {
    hint: "Check that the disk is mounted; `winnow forget PATH` removes a path for good.",
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isEmpty(writer: CorpusWriter): boolean {
  return totals(writer).documents === 0;
}

function totals(writer: CorpusWriter): { generation: number; documents: number; chunks: number } {
  let [documents, chunks] = [0, 0];
  for (const item of writer.items.values()) {
    documents += item.documents;
    chunks += item.chunks;
  }
  return { generation: writer.generation, documents, chunks };
}

function nothingToIndex(tally: IndexTally): WinnowError {
  const reasons = Object.entries(tally.skipped).map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`);
  const seen = reasons.length === 0 ? "" : ` Skipped: ${reasons.join(", ")}.`;
  return new WinnowError("nothing_to_index", `There is no document to index.${seen}`, {
    hint: "Name a path that holds text files.",
  });
}

function noIndex(folder: string): WinnowError {
  return new WinnowError("corpus_not_found", `There is no index in ${folder}.`, { hint: "Run `winnow index` first." });
}

function throttled(tally: IndexTally, hooks: IndexHooks, now: () => number) {
  let [last, lastMs]: [IndexProgress["phase"] | undefined, number] = [undefined, 0];
  return (phase: IndexProgress["phase"]): void => {
    if (hooks.onProgress === undefined) return;
    if (phase === last && now() - lastMs < PROGRESS_INTERVAL_MS) return;
    [last, lastMs] = [phase, now()];
    hooks.onProgress(tally.progress(phase));
  };
}
