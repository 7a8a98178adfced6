import { randomBytes } from "node:crypto";
import { systemClock } from "../../core/clock.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import type { EmbedderIdentity } from "../find/embed-query.ts";
import type { ScannedRow, Store, StoreReader, StoreVersion, StoreWriter } from "../store/store.ts";
import { writeSums } from "./checksums.ts";
import { indexedText } from "./indexed-text.ts";
import { KeptVectors, readKeptHeader, removeKeptVectors, textKey } from "./kept-vectors.ts";
import { type CorpusLayout, corpusLayout } from "./layout.ts";
import { type Manifest, readCorpusFile, readItems, readManifest, writeCorpusFile, writeManifest } from "./manifest.ts";
import { removeIfEmpty, removeOrphans } from "./recover.ts";
import { damaged } from "./sealed-file.ts";
import type { OpenStore } from "./snapshot.ts";
import { openFolderStore } from "./store-of.ts";
import { lockWriter, type ProcessTable, systemProcesses, type WriterLock } from "./writer-lock.ts";

/** Chunks that are embedded and written together: a kill costs the work on so many at most. */
const BATCH_CHUNKS_MAX = 256;

export interface ReembedProgress {
  /** Chunks that have their vector, safe from a kill. */
  readonly chunks: number;
  readonly chunksTotal: number;
  /** Those of them whose vector an interrupted run had left. */
  readonly resumed: number;
}

export interface ReembedOptions {
  /** Of the new vectors; null leaves the corpus without any. */
  readonly embedder: EmbedderIdentity | null;
  /** One vector for each text, zeros for one that says nothing. Not called when `embedder` is null. */
  readonly embed: (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>;
  readonly signal: AbortSignal;
  /** Must not throw. */
  readonly onProgress?: (progress: ReembedProgress) => void;
  readonly now?: () => number;
  readonly processes?: ProcessTable;
  readonly openStore?: OpenStore;
}

export interface Reembedded {
  readonly manifest: Manifest;
  /** Chunks whose vector an interrupted run had left. */
  readonly resumed: number;
}

/**
 * Makes the vectors of a corpus anew from the chunks that it stores; the files that it was made of are not needed. The
 * new state is written beside the old one and takes its place at the end: readers see the one or the other, and a
 * failure, a cancellation or a kill leaves the old one. Vectors that were made by then are kept, by text: the next call
 * with the same embedder makes only the others, whatever happened to the corpus in between; one with another embedder
 * drops them. Takes room for both states and the vectors once more meanwhile. Rejects with `corpus_not_found`,
 * `corpus_locked`, `corpus_corrupt`, `corpus_format`, `cancelled`, or what `embed` rejects with.
 */
export async function reembed(folder: string, options: ReembedOptions): Promise<Reembedded> {
  const layout = corpusLayout(folder);
  const now = options.now ?? systemClock.now;
  if ((await readCorpusFile(layout)) === undefined) throw notFound(folder);
  const lock = await lockWriter(layout.lockFile, now, options.processes ?? systemProcesses);
  try {
    return await underLock(layout, lock, now, options);
  } catch (error) {
    throw options.signal.aborted
      ? toWinnowError(options.signal.reason, "cancelled")
      : toWinnowError(error, "store_failed");
  } finally {
    await lock.release();
    await removeIfEmpty(folder);
  }
}

/** The embedder of a re-embedding that was interrupted; undefined where there was none. */
export async function interruptedEmbedder(folder: string): Promise<EmbedderIdentity | undefined> {
  const layout = corpusLayout(folder);
  const kept = await readKeptHeader(layout.keptVectorsFile).catch(() => undefined);
  if (kept === undefined) return undefined;
  return (await readManifest(layout))?.manifest.store.table === kept.table ? undefined : kept.embedder;
}

async function underLock(
  layout: CorpusLayout,
  lock: WriterLock,
  now: () => number,
  options: ReembedOptions,
): Promise<Reembedded> {
  const before = (await readManifest(layout))?.manifest;
  if (before === undefined) throw notFound(layout.folder);
  const items = await readItems(layout, before);
  await removeOrphans(layout, before, now());
  const generation = before.generation + 1;
  const identity = { ...before.identity, embedder: options.embedder };
  const openStore = options.openStore ?? openFolderStore;
  const [from, to] = [openStore(layout, before.identity), openStore(layout, identity)];
  try {
    // What a killed run wrote has no use but for its vectors, and those are kept apart.
    await from.dropOtherTables(before.store.table);
    const { store, unindexed, resumed } = await withKept(layout, before, options, (table, kept) =>
      rewritten(from, before, to, table, kept, options),
    );
    const manifest: Manifest = {
      ...before,
      generation,
      updatedAt: new Date(now()).toISOString(),
      identity,
      store,
      unindexed,
    };
    options.signal.throwIfAborted();
    await lock.verify();
    await writeManifest(layout, manifest, items);
    // From here on the new state is the truth; what is left to do only tidies up, and the next writer would do it too.
    await writeCorpusFile(layout, identity).catch(() => undefined);
    await to.dropOtherTables(store.table).catch(() => undefined);
    await removeKeptVectors(layout.keptVectorsFile).catch(() => undefined);
    await writeSums(layout, manifest).catch(() => undefined);
    return { manifest, resumed };
  } catch (error) {
    // Still the old state: the table beside it goes, now or with the next writer.
    const current = (await readManifest(layout).catch(() => undefined))?.manifest;
    if (current !== undefined) await from.dropOtherTables(current.store.table).catch(() => undefined);
    throw error;
  } finally {
    await from.close();
    await to.close();
  }
}

/** Runs `work` with the name of the new table and, where there is an embedder, with the vectors of its interrupted run. */
async function withKept<T>(
  layout: CorpusLayout,
  before: Manifest,
  { embedder }: ReembedOptions,
  work: (table: string, kept: KeptVectors | undefined) => Promise<T>,
): Promise<T> {
  // A name that no other run has or will have, so that the kept vectors can tell whether theirs has ended.
  const table = `chunks-${before.generation + 1}-${randomBytes(4).toString("hex")}`;
  if (embedder === null) return work(table, undefined);
  const kept = await KeptVectors.open(layout.keptVectorsFile, { embedder, table }, before.store.table);
  try {
    return await work(kept.table, kept);
  } finally {
    await kept.close();
  }
}

async function rewritten(
  from: Store,
  before: Manifest,
  to: Store,
  table: string,
  kept: KeptVectors | undefined,
  options: ReembedOptions,
): Promise<{ readonly store: StoreVersion; readonly unindexed: number; readonly resumed: number }> {
  const reader = await from.openReader(before.store);
  try {
    const writer = await to.createWriter(table);
    try {
      const { chunks, resumed } = await copyRows(reader, writer, before.chunks, kept, options);
      if (chunks !== before.chunks) throw damaged(table, `it holds ${chunks} chunks instead of ${before.chunks}`);
      await writer.optimize();
      const { unindexed } = await writer.counts();
      const store = await writer.commit();
      await writer.cleanUp(0).catch(() => undefined);
      return { store, unindexed, resumed };
    } finally {
      await writer.close();
    }
  } finally {
    await reader.close();
  }
}

async function copyRows(
  reader: StoreReader,
  writer: StoreWriter,
  chunksTotal: number,
  kept: KeptVectors | undefined,
  options: ReembedOptions,
): Promise<{ readonly chunks: number; readonly resumed: number }> {
  const { signal, onProgress } = options;
  let [chunks, resumed] = [0, 0];
  for await (const rows of reader.scan(signal)) {
    for (let i = 0; i < rows.length; i += BATCH_CHUNKS_MAX) {
      signal.throwIfAborted();
      const part = rows.slice(i, i + BATCH_CHUNKS_MAX);
      const keyed = part.map(({ chunk }) => ({ key: textKey(indexedText(chunk)), text: indexedText(chunk) }));
      const vectors = kept === undefined ? undefined : await vectorsOf(keyed, kept, options);
      chunks += part.length;
      resumed += keyed.filter(({ key }) => kept?.isEarlier(key) === true).length;
      onProgress?.({ chunks, chunksTotal, resumed });
      await writer.append(part.map((row, j) => withVector(row, vectors?.get(keyed[j]?.key ?? ""))));
    }
  }
  return { chunks, resumed };
}

/** The vectors of all these texts; those that had to be made are kept from here on. */
async function vectorsOf(
  keyed: readonly { readonly key: string; readonly text: string }[],
  kept: KeptVectors,
  { embedder, embed, signal }: ReembedOptions,
): Promise<ReadonlyMap<string, Float32Array>> {
  const vectors = await kept.read(keyed.map(({ key }) => key));
  const missing = new Map(keyed.flatMap(({ key, text }) => (vectors.has(key) ? [] : [[key, text] as const])));
  if (missing.size === 0) return vectors;
  const made = await embed([...missing.values()], signal);
  if (made.length !== missing.size || made.some((vector) => vector.length !== embedder?.dimension)) {
    throw new WinnowError("embedder_failed", `The embedder ${embedder?.name} gave other vectors than it should.`, {
      hint: "Is it still the same model?",
    });
  }
  const fresh = new Map([...missing.keys()].map((key, i) => [key, made[i] ?? new Float32Array(0)]));
  await kept.append(fresh);
  for (const [key, vector] of fresh) vectors.set(key, vector);
  return vectors;
}

function withVector(row: ScannedRow, vector: Float32Array | undefined) {
  return { ...row, vector: vector?.some((value) => value !== 0) === true ? vector : null };
}

function notFound(folder: string): WinnowError {
  return new WinnowError("corpus_not_found", `There is no index in ${folder}.`, { hint: "Run `winnow index` first." });
}
