import { mkdir, rm, writeFile } from "node:fs/promises";
import { systemClock } from "../../core/clock.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import type { SourceDocument } from "../../core/types.ts";
import { METADATA_KEYS_MAX } from "../corpus-reader.ts";
import { writeGrepSegment } from "../grep/segment.ts";
import type { Store, StoreRow, StoreVersion, StoreWriter } from "../store/store.ts";
import { writeSums } from "./checksums.ts";
import { planGrepCompaction } from "./grep-plan.ts";
import { type GrepText, rewrittenTexts } from "./grep-rewrite.ts";
import { type CorpusLayout, corpusLayout, grepSegmentOf, itemsFileOf } from "./layout.ts";
import {
  baseOf,
  type CorpusIdentity,
  documentIdsOf,
  type KnownSource,
  type Manifest,
  type ManifestItem,
  readCorpusFile,
  writeCorpusFile,
  writeManifest,
} from "./manifest.ts";
import { markRetired, RETAIN_MS, removeIfEmpty, removeOrphans } from "./recover.ts";
import { openFolderStore, removeOtherStores } from "./store-of.ts";
import { lockWriter, type ProcessTable, systemProcesses, type WriterLock } from "./writer-lock.ts";
import { loadWriterState, type WriterState, type WriterStateOptions } from "./writer-state.ts";

/** Rows that are held before they go to the store. */
const STAGED_ROWS_MAX = 2_000;
/** Rows outside the index at which a long run brings them in: as many as are inside, so that it stays linear. */
const UNINDEXED_ROWS_MIN = 20_000;

/** How the texts of documents are staged for grep. */
export type GrepDocument = Pick<SourceDocument, "id" | "text" | "metadata">;

export interface CorpusWriterOptions extends WriterStateOptions {
  readonly now?: () => number;
  readonly processes?: ProcessTable;
  /** Where chunks are kept; default the store that its identity names, in the corpus folder. */
  readonly openStore?: (layout: CorpusLayout, identity: CorpusIdentity) => Store;
}

/**
 * Opens a corpus for writing, or makes a new one. Everything that a killed writer left uncommitted is dropped. Rejects
 * with `corpus_locked`, `corpus_format`, `corpus_corrupt` or `corpus_mismatch`.
 */
export async function openCorpusWriter(folder: string, options: CorpusWriterOptions): Promise<CorpusWriter> {
  const layout = corpusLayout(folder);
  const now = options.now ?? systemClock.now;
  const lock = await lockWriter(layout.lockFile, now, options.processes ?? systemProcesses);
  try {
    return new CorpusWriter(layout, lock, options, await loadWriterState(layout, options, now()));
  } catch (error) {
    await lock.release().catch(() => undefined);
    await removeIfEmpty(folder);
    throw toWinnowError(error, "store_failed");
  }
}

/**
 * The one writer of a corpus. Items are staged and become visible together with `commit`; an item is either wholly
 * committed or not at all. Not for concurrent calls.
 */
export class CorpusWriter {
  readonly #layout: CorpusLayout;
  readonly #lock: WriterLock;
  readonly #identity: CorpusIdentity;
  readonly #now: () => number;
  readonly #store: Store;
  readonly #items: Map<string, ManifestItem>;
  #manifest: Manifest | undefined;
  #sources: readonly KnownSource[];
  #generation: number;
  #damagedSegments: ReadonlySet<number>;
  #metadataKeys: Set<string>;
  #storeWriter: StoreWriter | undefined;
  #rows: StoreRow[] = [];
  /** Rows that the store is writing. */
  #appending: Promise<void> = Promise.resolve();
  #grepDocuments: GrepDocument[] = [];
  #removals = new Set<string>();
  /** The item that was appended to but not set yet. */
  #unfinished: string | undefined;
  #dirty = false;
  #rowsChanged = false;
  #retired: { readonly path: string; readonly atMs: number }[] = [];

  constructor(layout: CorpusLayout, lock: WriterLock, options: CorpusWriterOptions, state: WriterState) {
    this.#layout = layout;
    this.#lock = lock;
    this.#identity = state.identity;
    this.#now = options.now ?? systemClock.now;
    this.#store = (options.openStore ?? openFolderStore)(layout, state.identity);
    this.#items = new Map(state.items.map((item) => [item.key, item]));
    this.#manifest = state.manifest;
    this.#sources = state.sources;
    this.#generation = state.firstGeneration - 1;
    this.#damagedSegments = state.damagedSegments;
    this.#metadataKeys = new Set(state.manifest?.metadataKeys ?? []);
    this.#dirty = state.damagedSegments.size > 0;
  }

  /** Staged and committed items by key. */
  get items(): ReadonlyMap<string, ManifestItem> {
    return this.#items;
  }

  /** What the vectors of appended rows must be made with; null when rows have none. */
  get embedder(): CorpusIdentity["embedder"] {
    return this.#identity.embedder;
  }

  get sources(): readonly KnownSource[] {
    return this.#sources;
  }

  /** Folder that keys are relative to. */
  get base(): string {
    return baseOf(this.#layout, this.#manifest);
  }

  /** The corpus is a copy of one of another folder, whose sources are not here. */
  get isCopy(): boolean {
    return this.#manifest?.copiedFrom !== undefined;
  }

  /** Of the last commit; 0 for a corpus that has none yet. */
  get generation(): number {
    return this.#manifest?.generation ?? 0;
  }

  setSources(sources: readonly KnownSource[]): void {
    if (JSON.stringify(sources) === JSON.stringify(this.#sources)) return;
    this.#sources = sources;
    this.#dirty = true;
  }

  /**
   * Stages documents of an item with their chunks. May be called repeatedly for one item; what the item held before is
   * removed. `setItem` must follow before `commit`.
   */
  async append(key: string, documents: readonly GrepDocument[], rows: readonly StoreRow[]): Promise<void> {
    if (this.#unfinished !== key) this.#removeRowsOf(key);
    this.#unfinished = key;
    this.#dirty = true;
    this.#rowsChanged = true;
    for (const document of documents) {
      this.#grepDocuments.push(document);
      for (const name of Object.keys(document.metadata)) {
        if (this.#metadataKeys.size < METADATA_KEYS_MAX) this.#metadataKeys.add(name);
      }
    }
    for (const row of rows) this.#rows.push(row);
    if (this.#rows.length >= STAGED_ROWS_MAX) await guarded(() => this.#flushAhead());
  }

  /** Stages the state of an item whose documents, if any, were appended just before. */
  setItem(item: Omit<ManifestItem, "segment">): void {
    if (this.#unfinished !== item.key) this.#removeRowsOf(item.key);
    this.#unfinished = undefined;
    this.#items.set(item.key, { ...item, segment: item.documents > 0 ? this.#generation + 1 : 0 });
    this.#dirty = true;
  }

  /** Stages new particulars of an item whose content is what it was. */
  touchItem(key: string, change: Pick<ManifestItem, "bytes" | "mtimeMs" | "ctimeMs" | "racy">): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#items.set(key, { ...item, ...change });
    this.#dirty = true;
  }

  removeItem(key: string): void {
    this.#removeRowsOf(key);
    if (this.#items.delete(key)) this.#dirty = true;
  }

  #removeRowsOf(key: string): void {
    const item = this.#items.get(key);
    if (item === undefined || item.chunks === 0) return;
    if (item.segment > this.#generation) {
      const ids = new Set(documentIdsOf(item));
      this.#rows = this.#rows.filter((row) => row.item !== key);
      this.#grepDocuments = this.#grepDocuments.filter((document) => !ids.has(document.id));
    }
    this.#items.set(key, { ...item, documents: 0, chunks: 0, tokens: 0, textBytes: 0, segment: 0, ids: [] });
    this.#removals.add(key);
    this.#rowsChanged = true;
  }

  async #openStoreWriter(): Promise<StoreWriter> {
    if (this.#storeWriter !== undefined) return this.#storeWriter;
    const at = this.#manifest?.store;
    this.#storeWriter =
      at === undefined
        ? await this.#store.createWriter(`chunks-${this.#generation + 1}`)
        : await this.#store.openWriter(at);
    if (at !== undefined) await this.#store.dropOtherTables(at.table);
    return this.#storeWriter;
  }

  /** Gives what is staged to the store, and waits only for what it was given before: it writes in threads of its own. */
  async #flushAhead(): Promise<void> {
    await this.#appending;
    if (this.#removals.size === 0 && this.#rows.length === 0) return;
    const store = await this.#openStoreWriter();
    await store.remove([...this.#removals]);
    this.#removals.clear();
    this.#appending = store.append(this.#rows);
    // Whoever waits for it next is told what went wrong.
    this.#appending.catch(() => undefined);
    this.#rows = [];
  }

  async #flush(): Promise<void> {
    await this.#flushAhead();
    await this.#appending;
  }

  /**
   * Commits what is staged; does nothing when that is nothing. Afterwards it survives a kill. Rejects without any
   * change to what readers see; the writer must be closed then.
   */
  async commit(): Promise<void> {
    if (!this.#dirty) return;
    await guarded(() => this.#commit(false));
  }

  /**
   * Commits, and makes the corpus ready: no more rows outside of the index than given, few grep segments, old versions
   * gone. Costs nothing when nothing has changed since it was ready.
   */
  async finish(unindexedRowsMax: number): Promise<void> {
    await this.commitIndexed(unindexedRowsMax);
    const [manifest, store] = [this.#manifest, this.#storeWriter];
    if (manifest === undefined) return;
    // At once, because an index that is built once and never again would keep twice its size. A reader in the middle of
    // a call on what goes away starts again. What cannot be freed now is freed the next time.
    const free = store === undefined ? undefined : () => store.cleanUp(0).catch(() => undefined);
    // What is committed stands without sums.
    await writeSums(this.#layout, manifest, free).catch(() => undefined);
  }

  /**
   * Commits, and brings rows into the index where more than these are outside; with `any` in any case, since rows that
   * were removed count in the statistics of ranking until then. Old versions stay.
   */
  async commitIndexed(unindexedRowsMax: number | "any"): Promise<void> {
    await this.commit();
    const isDue = unindexedRowsMax === "any" || (this.#manifest?.unindexed ?? 0) > unindexedRowsMax;
    if (isDue && this.#manifest !== undefined) await guarded(() => this.#commit(true));
  }

  /**
   * Frees what the store keeps of generations that were replaced `ageMs` ago or longer. Nothing may be staged. A reader in
   * the middle of a call on what goes away starts again.
   */
  async freeVersions(ageMs: number): Promise<void> {
    const manifest = this.#manifest;
    if (manifest === undefined) return;
    await guarded(async () => {
      const store = await this.#openStoreWriter();
      await writeSums(this.#layout, manifest, async () => {
        await store.cleanUp(ageMs);
        await removeOtherStores(this.#layout, this.#identity);
      });
    });
  }

  async #commit(optimize: boolean): Promise<void> {
    if (this.#unfinished !== undefined) throw new WinnowError("internal", `${this.#unfinished} is not finished.`);
    await this.#lock.verify();
    const generation = this.#generation + 1;
    await this.#flush();
    const { store, unindexed } = await this.#commitStore(optimize);
    const grep = await this.#writeGrep(generation);
    const totals = { documents: 0, chunks: 0, tokens: 0, bytes: 0 };
    for (const item of this.#items.values()) {
      totals.documents += item.documents;
      totals.chunks += item.chunks;
      totals.tokens += item.tokens;
      totals.bytes += item.textBytes;
    }
    const manifest: Manifest = {
      generation,
      updatedAt: new Date(this.#now()).toISOString(),
      identity: this.#identity,
      store,
      ...totals,
      unindexed,
      metadataKeys: [...this.#metadataKeys].sort(),
      grep,
      sources: this.#sources,
      copiedFrom: this.#manifest?.copiedFrom,
    };
    await this.#prepareFolder();
    await this.#lock.verify();
    await writeManifest(this.#layout, manifest, this.#items.values());
    await this.#retire(manifest);
    this.#generation = generation;
    this.#dirty = false;
    this.#rowsChanged = false;
  }

  async #commitStore(optimize: boolean): Promise<{ readonly store: StoreVersion; readonly unindexed: number }> {
    const committed = this.#manifest;
    if (committed !== undefined && !this.#rowsChanged && !optimize) {
      return { store: committed.store, unindexed: committed.unindexed };
    }
    const writer = await this.#openStoreWriter();
    const counts = await writer.counts();
    const behind = counts.unindexed > Math.max(UNINDEXED_ROWS_MIN, counts.chunks - counts.unindexed);
    if (optimize || behind) await writer.optimize();
    const { unindexed } = optimize || behind ? await writer.counts() : counts;
    return { store: await writer.commit(), unindexed };
  }

  /** Writes new documents, and those of segments that are due for compaction, into one segment of this generation. */
  async #writeGrep(generation: number): Promise<Manifest["grep"]> {
    const before = this.#manifest?.grep ?? [];
    const others = [...this.#items.values()].filter((item) => item.segment !== generation);
    const { merged, dropped } = planGrepCompaction(before, others, this.#damagedSegments);
    const kept = before.filter(({ segment }) => !merged.has(segment) && !dropped.has(segment));
    const moved = others.filter((item) => merged.has(item.segment));
    const fresh = this.#grepDocuments;
    if (fresh.length === 0 && moved.length === 0) return kept;
    const reader = async () => (await this.#openStoreWriter()).reader();
    const rewrite = { layout: this.#layout, items: moved, damaged: this.#damagedSegments, reader };
    const documents = chained(fresh, rewrittenTexts(rewrite));
    const written = await writeGrepSegment(grepSegmentOf(this.#layout, generation), documents);
    for (const item of moved) this.#items.set(item.key, { ...item, segment: generation });
    this.#grepDocuments = [];
    this.#damagedSegments = new Set();
    return [...kept, { segment: generation, ...written }];
  }

  async #prepareFolder(): Promise<void> {
    if (this.#manifest !== undefined && (await readCorpusFile(this.#layout)) !== undefined) return;
    await mkdir(this.#layout.itemsFolder, { recursive: true });
    await writeFile(this.#layout.ignoreFile, "*\n");
    await writeCorpusFile(this.#layout, this.#identity);
  }

  /** Deletes what the commit before this one replaced, once no reader can be in the middle of a call on it. */
  async #retire(next: Manifest): Promise<void> {
    const previous = this.#manifest;
    this.#manifest = next;
    const atMs = this.#now();
    if (previous !== undefined) {
      const kept = new Set(next.grep.map(({ segment }) => segment));
      this.#retired.push({ path: itemsFileOf(this.#layout, previous.generation), atMs });
      for (const { segment } of previous.grep) {
        if (!kept.has(segment)) this.#retired.push({ path: grepSegmentOf(this.#layout, segment), atMs });
      }
    } else {
      await removeOrphans(this.#layout, next, atMs);
      await this.#store.dropOtherTables(next.store.table);
      await removeOtherStores(this.#layout, this.#identity);
    }
    await markRetired(
      this.#retired.filter((entry) => entry.atMs === atMs).map(({ path }) => path),
      atMs,
    );
    const due = this.#retired.filter((entry) => atMs - entry.atMs > RETAIN_MS);
    this.#retired = this.#retired.filter((entry) => !due.includes(entry));
    for (const { path } of due) await rm(path, { recursive: true, force: true });
  }

  /** Gives the lock back. What was not committed is dropped. */
  async close(): Promise<void> {
    try {
      await this.#appending.catch(() => undefined);
      await this.#storeWriter?.close();
      await this.#store.close();
    } finally {
      await this.#lock.release();
      if (this.#manifest === undefined) await removeIfEmpty(this.#layout.folder);
    }
  }
}

async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw toWinnowError(error, "store_failed");
  }
}

async function* chained(first: Iterable<GrepText>, then: AsyncIterable<GrepText>): AsyncGenerator<GrepText> {
  yield* first;
  yield* then;
}
