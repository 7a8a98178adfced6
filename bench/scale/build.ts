// Indexing, measured: files → chunks → vectors → store through `indexCorpus`, with where the time went, and the floor that
// it is compared with: the same rows added and indexed by the bare library. Each in a process of its own.
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TokenCounter } from "../../src/core/token-counter.ts";
import { indexCorpus } from "../../src/features/index-corpus.ts";
import { defaultParts } from "../../src/features/indexing/default-parts.ts";
import { STATIC_EMBEDDER } from "../../src/features/indexing/embedders.ts";
import type { IndexParts } from "../../src/features/indexing/parts.ts";
import { loadTokenCounter } from "../../src/models/o200k-token-counter.ts";
import { chunkDocument } from "../../src/retrieval/chunking/chunk-document.ts";
import { corpusLayout } from "../../src/retrieval/corpus/layout.ts";
import { readManifest } from "../../src/retrieval/corpus/manifest.ts";
import { openFolderStore } from "../../src/retrieval/corpus/store-of.ts";
import { chunkSchema, plainValues } from "../../src/retrieval/store/lance/lance-rows.ts";
import { createIndexes } from "../../src/retrieval/store/lance/lance-writer.ts";
import { loadLance } from "../../src/retrieval/store/lance/load-lance.ts";
import type { Store, StoreRow, StoreWriter } from "../../src/retrieval/store/store.ts";

/** Rows that the floor adds at once. */
const BARE_ROWS = 20_000;

export interface Built {
  readonly chunks: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly diskBytes: number;
  /** Seconds by what they were spent on. */
  readonly profile: Readonly<Record<string, number>>;
}

/** Sums up how long calls take, by name. Calls that run at the same time count each for itself. */
class Stopwatch {
  readonly seconds: Record<string, number> = {};

  add(name: string, sinceMs: number): void {
    this.seconds[name] = (this.seconds[name] ?? 0) + (performance.now() - sinceMs) / 1_000;
  }

  sync<T>(name: string, work: () => T): T {
    const start = performance.now();
    const result = work();
    this.add(name, start);
    return result;
  }

  async async<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    this.add(name, start);
    return result;
  }
}

/** The default parts, each under the stopwatch. Counting is part of chunking and taken out of it afterwards. */
function timedParts(watch: Stopwatch, targetTokens: number): IndexParts {
  return {
    ...defaultParts,
    async loadChunker() {
      const loaded = await loadTokenCounter();
      const count = (text: string): number => watch.sync("counting tokens", () => loaded.count(text));
      const counter: TokenCounter = { ...loaded, count };
      return (document) => watch.sync("chunking", () => chunkDocument(document, { counter, targetTokens }));
    },
    analyze: (text) => watch.sync("analysing", () => defaultParts.analyze(text)),
    async loadEmbedder(identity, access) {
      const embed = await defaultParts.loadEmbedder(identity, access);
      return (texts, signal) => watch.async("embedding", () => embed(texts, signal));
    },
  };
}

function timedStore(watch: Stopwatch, store: Store): Store {
  const timed = (writer: StoreWriter): StoreWriter => ({
    append: (rows) => watch.async("store: append", () => writer.append(rows)),
    remove: (items) => watch.async("store: remove", () => writer.remove(items)),
    commit: () => watch.async("store: commit", () => writer.commit()),
    optimize: () => watch.async("store: index and merge", () => writer.optimize()),
    cleanUp: (ageMs) => watch.async("store: clean up", () => writer.cleanUp(ageMs)),
    counts: () => watch.async("store: counts", () => writer.counts()),
    reader: () => writer.reader(),
    close: () => writer.close(),
  });
  return {
    ...store,
    openWriter: async (at) => timed(await store.openWriter(at)),
    createWriter: async (table) => timed(await store.createWriter(table)),
  };
}

/** Indexes the files into `folder`, from nothing. */
export async function buildCorpus(files: string, folder: string, targetTokens: number): Promise<Built> {
  await rm(folder, { recursive: true, force: true });
  const watch = new Stopwatch();
  const before = process.cpuUsage();
  const start = performance.now();
  const { chunks } = await indexCorpus(
    {
      folder,
      paths: [files],
      parts: timedParts(watch, targetTokens),
      openStore: (layout, identity) => timedStore(watch, openFolderStore(layout, identity)),
    },
    { onProgress: progressLine() },
  );
  const seconds = (performance.now() - start) / 1_000;
  const cpuSeconds = cpuSince(before);
  const { chunking = 0, "counting tokens": counting = 0, ...others } = watch.seconds;
  const profile: Record<string, number> = {
    "counting tokens": counting,
    "cutting without counting": chunking - counting,
    ...others,
  };
  const known = Object.values(profile).reduce((sum, value) => sum + value, 0);
  profile["all else (reading, grep export, item list)"] = seconds - known;
  return { chunks, seconds, cpuSeconds, peakBytes: peakBytes(), diskBytes: await sizeOf(folder), profile };
}

/** The floor: the rows of a corpus that is built, added to a new table of the bare library and indexed there. */
export async function buildBare(corpus: string, folder: string): Promise<Built> {
  await rm(folder, { recursive: true, force: true });
  const layout = corpusLayout(corpus);
  const committed = await readManifest(layout);
  if (committed === undefined) throw new Error("There is no corpus to take rows from.");
  const store = openFolderStore(layout, committed.manifest.identity);
  const reader = await store.openReader(committed.manifest.store);
  const { connect, makeArrowTable } = await loadLance();
  const schema = await chunkSchema(STATIC_EMBEDDER.dimension);
  const database = await connect(folder);
  const table = await database.createEmptyTable("bare", schema);
  const watch = new Stopwatch();
  let chunks = 0;
  let held: Record<string, unknown>[] = [];
  let cpuSeconds = 0;
  const flush = async (): Promise<void> => {
    const before = process.cpuUsage();
    await watch.async("add", () => table.add(makeArrowTable(held, { schema })));
    cpuSeconds += cpuSince(before);
    chunks += held.length;
    held = [];
  };
  // Reading the rows is not part of the floor.
  for await (const rows of reader.rows()) {
    for (const row of rows) held.push(plainRow(row));
    if (held.length >= BARE_ROWS) await flush();
  }
  if (held.length > 0) await flush();
  const before = process.cpuUsage();
  await watch.async("index", () => createIndexes(table));
  cpuSeconds += cpuSince(before);
  table.close();
  await reader.close();
  await store.close();
  const seconds = Object.values(watch.seconds).reduce((sum, value) => sum + value, 0);
  return {
    chunks,
    seconds,
    cpuSeconds,
    peakBytes: peakBytes(),
    diskBytes: await sizeOf(folder),
    profile: watch.seconds,
  };
}

/** As the library's documentation has rows: plain objects. */
function plainRow(row: StoreRow): Record<string, unknown> {
  return { ...plainValues(row), vector: row.vector == null ? null : [...row.vector] };
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Most memory that this process ever held. */
export function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1_024;
}

export async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size;
  return bytes;
}

/** A line on the terminal that says where indexing stands; none elsewhere. */
function progressLine() {
  return ({
    phase,
    chunks,
    itemsDone,
    itemsTotal,
  }: {
    phase: string;
    chunks: number;
    itemsDone: number;
    itemsTotal: number;
  }) => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r${phase}: ${itemsDone} of ${itemsTotal} files, ${chunks} chunks   `);
  };
}
