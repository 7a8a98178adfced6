import { systemClock } from "../../core/clock.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import type { EmbedderIdentity } from "../find/embed-query.ts";
import type { ScannedRow, Store, StoreReader, StoreVersion, StoreWriter } from "../store/store.ts";
import { indexedText } from "./indexed-text.ts";
import { type CorpusLayout, corpusLayout } from "./layout.ts";
import { type Manifest, readCorpusFile, readItems, readManifest, writeCorpusFile, writeManifest } from "./manifest.ts";
import { removeIfEmpty, removeOrphans } from "./recover.ts";
import { damaged } from "./sealed-file.ts";
import type { OpenStore } from "./snapshot.ts";
import { openFolderStore } from "./store-of.ts";
import { lockWriter, type ProcessTable, systemProcesses, type WriterLock } from "./writer-lock.ts";

/** Chunks that are embedded and written together. */
const BATCH_CHUNKS_MAX = 512;

export interface ReembedOptions {
  /** Of the new vectors; null leaves the corpus without any. */
  readonly embedder: EmbedderIdentity | null;
  /** One vector for each text, zeros for one that says nothing. Not called when `embedder` is null. */
  readonly embed: (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>;
  readonly signal: AbortSignal;
  /** Must not throw. */
  readonly onProgress?: (chunks: number, chunksTotal: number) => void;
  readonly now?: () => number;
  readonly processes?: ProcessTable;
  readonly openStore?: OpenStore;
}

/**
 * Makes the vectors of a corpus anew from the chunks that it stores; the files that it was made of are not needed. The
 * new state is written beside the old one and takes its place at the end: readers see the one or the other, and a
 * failure, a cancellation or a kill leaves the old one. Takes room for both meanwhile. Rejects with `corpus_not_found`,
 * `corpus_locked`, `corpus_corrupt`, `corpus_format`, `cancelled`, or what `embed` rejects with.
 */
export async function reembed(folder: string, options: ReembedOptions): Promise<Manifest> {
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

async function underLock(
  layout: CorpusLayout,
  lock: WriterLock,
  now: () => number,
  options: ReembedOptions,
): Promise<Manifest> {
  const before = (await readManifest(layout))?.manifest;
  if (before === undefined) throw notFound(layout.folder);
  const items = await readItems(layout, before);
  await removeOrphans(layout, before, now());
  const generation = before.generation + 1;
  const identity = { ...before.identity, embedder: options.embedder };
  const openStore = options.openStore ?? openFolderStore;
  const [from, to] = [openStore(layout, before.identity), openStore(layout, identity)];
  try {
    const { store, unindexed } = await rewritten(from, before, to, `chunks-${generation}`, options);
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
    return manifest;
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

async function rewritten(
  from: Store,
  before: Manifest,
  to: Store,
  table: string,
  options: ReembedOptions,
): Promise<{ readonly store: StoreVersion; readonly unindexed: number }> {
  const reader = await from.openReader(before.store);
  try {
    const writer = await to.createWriter(table);
    try {
      const copied = await copyRows(reader, writer, before.chunks, options);
      if (copied !== before.chunks) throw damaged(table, `it holds ${copied} chunks instead of ${before.chunks}`);
      await writer.optimize();
      const { unindexed } = await writer.counts();
      const store = await writer.commit();
      await writer.cleanUp(0).catch(() => undefined);
      return { store, unindexed };
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
  { embedder, embed, signal, onProgress }: ReembedOptions,
): Promise<number> {
  let copied = 0;
  for await (const rows of reader.scan(signal)) {
    for (let i = 0; i < rows.length; i += BATCH_CHUNKS_MAX) {
      signal.throwIfAborted();
      const part = rows.slice(i, i + BATCH_CHUNKS_MAX);
      const vectors =
        embedder === null
          ? []
          : await embed(
              part.map(({ chunk }) => indexedText(chunk)),
              signal,
            );
      await writer.append(part.map((row, j) => withVector(row, vectors[j])));
      copied += part.length;
      onProgress?.(copied, chunksTotal);
    }
  }
  return copied;
}

function withVector(row: ScannedRow, vector: Float32Array | undefined) {
  return { ...row, vector: vector?.some((value) => value !== 0) === true ? vector : null };
}

function notFound(folder: string): WinnowError {
  return new WinnowError("corpus_not_found", `There is no index in ${folder}.`, { hint: "Run `winnow index` first." });
}
