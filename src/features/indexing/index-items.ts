import { setImmediate as nextTurn } from "node:timers/promises";
import { toWinnowError } from "../../core/errors.ts";
import type { Chunk, SourceDocument } from "../../core/types.ts";
import type { CorpusWriter } from "../../retrieval/corpus/corpus-writer.ts";
import { indexedText } from "../../retrieval/corpus/indexed-text.ts";
import type { ManifestItem } from "../../retrieval/corpus/manifest.ts";
import type { StoreRow } from "../../retrieval/store/store.ts";
import type { ReadOutcome, Source, SourceItem } from "../../sources/source.ts";
import type { EmbedderAccess, EmbedTexts } from "./embedders.ts";
import { nothing } from "./list-items.ts";
import type { IndexParts } from "./parts.ts";
import type { IndexTally } from "./progress.ts";
import { readAhead } from "./read-ahead.ts";

/** Items that are read while the one before them is cut into chunks. */
const READ_AHEAD_ITEMS = 4;
/** A commit follows when one of these is reached: they bound what a kill loses, the last one what is held in memory. */
export const COMMIT_INTERVAL_MS = 5_000;
const COMMIT_CHUNKS_MAX = 5_000;
const COMMIT_TEXT_BYTES_MAX = 32 * 1024 * 1024;
/** Commits take about one part in this many of the time, however large the manifest: each writes the whole list of items. */
const COMMIT_TIME_SHARE = 10;
/** Documents of one item that are staged together. */
const APPEND_DOCUMENTS_MAX = 256;
/** Chunks whose texts are given to the embedder together. */
const EMBED_CHUNKS_MAX = 256;
/** How long documents are cut without letting anything else run. */
const TURN_MS = 50;
/** Coarse clocks of file systems: a change within this time of another may leave the time as it was. */
const RACY_MS = 2_000;

export interface IndexItemsOptions {
  readonly listed: readonly SourceItem[];
  readonly source: Source;
  readonly parts: IndexParts;
  readonly writer: CorpusWriter;
  readonly embedderAccess: EmbedderAccess;
  readonly tally: IndexTally;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly commitIntervalMs: number;
  readonly report: () => void;
  /** Called after every commit. */
  readonly committed: () => void;
}

type Looked = ({ readonly touched: true } | { readonly outcome: ReadOutcome } | { readonly error: unknown }) & {
  /** Milliseconds since the epoch, before the first byte was read. */
  readonly atMs: number;
};

/** Reads and indexes the items that were listed as new or changed, and commits at intervals. */
export async function indexItems(options: IndexItemsOptions): Promise<void> {
  const { listed, writer, tally, signal } = options;
  const pace = { lastMs: performance.now(), durationMs: 0, chunks: tally.chunks, bytes: tally.bytes };
  const commit = async (): Promise<void> => {
    const startMs = performance.now();
    await writer.commit();
    options.committed();
    const lastMs = performance.now();
    Object.assign(pace, { lastMs, durationMs: lastMs - startMs, chunks: tally.chunks, bytes: tally.bytes });
  };
  const isDue = (): boolean => {
    // Texts are held until they are committed, so their size is the one bound that does not give way.
    if (tally.bytes - pace.bytes >= COMMIT_TEXT_BYTES_MAX) return true;
    const sinceMs = performance.now() - pace.lastMs;
    if (tally.documents === 0 || sinceMs < COMMIT_TIME_SHARE * pace.durationMs) return false;
    return tally.chunks - pace.chunks >= COMMIT_CHUNKS_MAX || sinceMs >= options.commitIntervalMs;
  };
  const indexer = new ItemIndexer(options);
  for await (const [item, looked] of readAhead(listed, READ_AHEAD_ITEMS, (next) => look(next, options))) {
    try {
      signal.throwIfAborted();
      await indexer.take(item, looked);
    } catch (error) {
      // An item is staged as a whole or not at all, so what is staged now is sound.
      if (signal.aborted) await commit();
      throw error;
    }
    tally.itemsDone++;
    options.report();
    if (isDue()) await commit();
  }
}

async function look(item: SourceItem, { source, writer, signal, now }: IndexItemsOptions): Promise<Looked> {
  const known = writer.items.get(item.key);
  const atMs = now();
  try {
    // A file of another size has other content; one of the same size may only have been touched.
    if (known?.hash !== undefined && known.bytes === item.bytes && known.state !== "failed") {
      if ((await source.hash(item, signal)) === known.hash) return { touched: true, atMs };
    }
    return { outcome: await source.read(item, signal), atMs };
  } catch (error) {
    return { error, atMs };
  }
}

/** What tells whether an item is still as it was read. */
type ItemPlace = Pick<ManifestItem, "bytes" | "mtimeMs" | "ctimeMs" | "racy">;

/**
 * `racy` where a change right after the item was read could have left its time as it was, a time in the future included;
 * it and `ctimeMs` are kept as undefined where they do not hold, so that they replace what was known.
 */
function placeOf({ bytes, mtimeMs, ctimeMs }: SourceItem, readAtMs: number): ItemPlace {
  return { bytes, mtimeMs, ctimeMs, racy: readAtMs - mtimeMs < RACY_MS ? true : undefined };
}

class ItemIndexer {
  readonly #options: IndexItemsOptions;
  #chunker: Promise<(document: SourceDocument) => readonly Chunk[]> | undefined;
  #embed: Promise<EmbedTexts> | undefined;

  constructor(options: IndexItemsOptions) {
    this.#options = options;
  }

  async take(item: SourceItem, looked: Looked): Promise<void> {
    const { writer, tally, signal } = this.#options;
    const known = writer.items.get(item.key);
    const place = placeOf(item, looked.atMs);
    if ("touched" in looked) {
      writer.touchItem(item.key, place);
      if (known?.state === "skipped") tally.skip(known.reason ?? "unreadable");
      else tally.unchanged++;
      return;
    }
    if ("error" in looked) {
      signal.throwIfAborted();
      return this.#fail(item, looked.error);
    }
    const { outcome } = looked;
    if ("skipped" in outcome) return this.#skip(item, outcome, place);
    if (outcome.documents.length === 0) {
      const skipped = { key: item.key, reason: "empty", detail: "It holds no document." } as const;
      return this.#skip(item, { skipped, hash: outcome.hash }, place);
    }
    await this.#index(item, outcome, place);
  }

  #skip(item: SourceItem, outcome: Extract<ReadOutcome, { skipped: unknown }>, place: ItemPlace): void {
    const { writer, tally, source } = this.#options;
    const { reason, detail } = outcome.skipped;
    const known = writer.items.get(item.key);
    tally.skip(reason);
    if (known?.state === "indexed" && reason === "unreadable") return;
    if (known?.state === "indexed") tally.removedHashes.push(known.hash);
    if (reason === "vanished") {
      writer.removeItem(item.key);
      return;
    }
    writer.setItem({
      ...nothing,
      key: item.key,
      source: source.type,
      state: "skipped",
      ...place,
      ...(outcome.hash === undefined ? {} : { hash: outcome.hash }),
      reason,
      detail,
    });
  }

  /** An item that was indexed before keeps that content: it is older, but it was right once. */
  #fail(item: SourceItem, error: unknown): void {
    const { writer, tally, source } = this.#options;
    const { code, message } = toWinnowError(error);
    tally.fail(item.key, message);
    if (writer.items.get(item.key)?.state === "indexed") return;
    const { key, bytes, mtimeMs } = item;
    writer.setItem({
      ...nothing,
      key,
      source: source.type,
      state: "failed",
      bytes,
      mtimeMs,
      reason: code,
      detail: message,
    });
  }

  async #index(
    item: SourceItem,
    outcome: Extract<ReadOutcome, { documents: unknown }>,
    place: ItemPlace,
  ): Promise<void> {
    const { writer, tally, source, parts } = this.#options;
    this.#chunker ??= parts.loadChunker();
    const chunker = await this.#chunker;
    const known = writer.items.get(item.key);
    let staged: StagedItem;
    try {
      staged = await this.#cut(item.key, outcome.documents, chunker);
    } catch (error) {
      this.#options.signal.throwIfAborted();
      return this.#fail(item, error);
    }
    // What is wrong with the embedder is wrong for all items: it ends the run, and the item is not half staged.
    const vectors = await this.#embedAll(staged);
    for (let i = 0; i < staged.documents.length; i += APPEND_DOCUMENTS_MAX) {
      const part = staged.documents.slice(i, i + APPEND_DOCUMENTS_MAX);
      const rows = part.flatMap(({ chunks }) => chunks.map((chunk) => this.#row(item.key, chunk, vectors)));
      await writer.append(
        item.key,
        part.map(({ document }) => document),
        rows,
      );
      await nextTurn();
    }
    const ids = outcome.documents.map(({ id }) => id);
    writer.setItem({
      key: item.key,
      source: source.type,
      state: "indexed",
      ...place,
      hash: outcome.hash,
      ...(outcome.notes.length === 0 ? {} : { notes: outcome.notes }),
      ...(outcome.redacted && { redacted: outcome.redacted }),
      documents: ids.length,
      chunks: staged.chunks,
      tokens: staged.tokens,
      textBytes: staged.textBytes,
      ...(ids.length === 1 && ids[0] === item.key ? {} : { ids }),
    });
    tally.documents += ids.length;
    tally.chunks += staged.chunks;
    tally.bytes += staged.textBytes;
    if (known?.state === "indexed") tally.changed++;
    else tally.addedHashes.push(outcome.hash);
  }

  /** All documents are cut before anything is staged, so that one that cannot be cut leaves no half item behind. */
  async #cut(
    key: string,
    documents: readonly SourceDocument[],
    chunker: (document: SourceDocument) => readonly Chunk[],
  ): Promise<StagedItem> {
    const staged = { documents: [] as StagedDocument[], chunks: 0, tokens: 0, textBytes: 0 };
    let turnMs = performance.now();
    for (const document of documents) {
      const chunks = chunker(document);
      staged.documents.push({ document, chunks });
      staged.chunks += chunks.length;
      staged.tokens += chunks.reduce((sum, chunk) => sum + chunk.tokens, 0);
      staged.textBytes += Buffer.byteLength(document.text);
      if (performance.now() - turnMs < TURN_MS) continue;
      await nextTurn();
      this.#options.signal.throwIfAborted();
      turnMs = performance.now();
    }
    if (staged.chunks === 0) throw new Error(`${key} gave no chunk.`);
    return staged;
  }

  /** Vectors by chunk id; none for a chunk that says nothing to the embedder, none at all without one. */
  async #embedAll({ documents }: StagedItem): Promise<ReadonlyMap<string, Float32Array>> {
    const { writer, parts, embedderAccess, signal } = this.#options;
    const vectors = new Map<string, Float32Array>();
    if (writer.embedder === null) return vectors;
    this.#embed ??= parts.loadEmbedder(writer.embedder, embedderAccess);
    const embed = await this.#embed;
    const chunks = documents.flatMap((document) => document.chunks);
    for (let i = 0; i < chunks.length; i += EMBED_CHUNKS_MAX) {
      const part = chunks.slice(i, i + EMBED_CHUNKS_MAX);
      const embedded = await embed(part.map(indexedText), signal);
      for (const [j, { id }] of part.entries()) {
        const vector = embedded[j];
        if (vector?.some((value) => value !== 0) === true) vectors.set(id, vector);
      }
      signal.throwIfAborted();
    }
    return vectors;
  }

  #row(item: string, chunk: Chunk, vectors: ReadonlyMap<string, Float32Array>): StoreRow {
    return {
      chunk,
      item,
      terms: this.#options.parts.analyze(indexedText(chunk)),
      vector: vectors.get(chunk.id) ?? null,
    };
  }
}

interface StagedDocument {
  readonly document: SourceDocument;
  readonly chunks: readonly Chunk[];
}

interface StagedItem {
  readonly documents: readonly StagedDocument[];
  readonly chunks: number;
  readonly tokens: number;
  readonly textBytes: number;
}
