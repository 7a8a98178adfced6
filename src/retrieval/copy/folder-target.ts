import { mkdir, rm, writeFile } from "node:fs/promises";
import { z } from "zod/mini";
import { systemClock } from "../../core/clock.ts";
import { WinnowError } from "../../core/errors.ts";
import { writeSums } from "../corpus/checksums.ts";
import { type CorpusLayout, corpusBase, corpusLayout, grepSegmentOf } from "../corpus/layout.ts";
import {
  type CorpusIdentity,
  documentIdsOf,
  type ManifestItem,
  readManifest,
  STORE_KINDS,
  type StoreKind,
  writeCorpusFile,
  writeManifest,
} from "../corpus/manifest.ts";
import { removeOrphans } from "../corpus/recover.ts";
import { readSealed, writeSealed } from "../corpus/sealed-file.ts";
import { openFolderStore } from "../corpus/store-of.ts";
import { lockWriter, systemProcesses, type WriterLock } from "../corpus/writer-lock.ts";
import { writeGrepSegment } from "../grep/segment.ts";
import type { Store, StoreReader, StoreRow, StoreVersion, StoreWriter } from "../store/store.ts";
import type { CopiedCorpus, CopyTarget } from "./copy-ends.ts";
import { checkCount } from "./copy-rows.ts";
import { itemsOfRows } from "./items-of-rows.ts";

const COPY_FORMAT = { name: "copy", version: 1 };
/** Unlike that of any other writer, so that what `winnow index` has made here meanwhile is not taken for the copy. */
const TABLE = "copied-1";
const GENERATION = 1;
/** Documents whose texts are read at once for grep. */
const GREP_DOCUMENTS_MAX = 100;
/** Source of items that nothing is known about but their rows. */
const UNKNOWN_SOURCE = "files";

const stateSchema = z.object({
  mark: z.string(),
  store: z.enum(STORE_KINDS),
  at: z.nullable(z.object({ table: z.string(), version: z.int() })),
});

/** What an unfinished copy is of, and the version that holds it so far. */
type CopyState = z.infer<typeof stateSchema>;

/**
 * A folder that becomes a corpus. Rejects with `invalid_argument` where there is one already, unless it is a copy of the
 * same state; with `corpus_locked` while another process writes to it.
 */
export async function openFolderTarget(folder: string, corpus: CopiedCorpus, kind: StoreKind): Promise<CopyTarget> {
  const layout = corpusLayout(folder);
  const lock = await lockWriter(layout.lockFile, systemClock.now, systemProcesses);
  try {
    const state = await readState(layout);
    const there = (await readManifest(layout))?.manifest;
    await removeOrphans(layout, there, systemClock.now());
    if (there !== undefined) {
      if (state?.mark !== corpus.mark || there.store.table !== TABLE) throw taken(folder);
      // Killed between its last two steps.
      await rm(layout.copyFile, { force: true });
      return wholeTarget(lock);
    }
    const identity: CorpusIdentity = { ...corpus.identity, store: kind };
    return await openUnfinished(layout, lock, { corpus, identity, kind, state });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openUnfinished(
  layout: CorpusLayout,
  lock: WriterLock,
  { corpus, identity, kind, state }: Pick<FolderTargetParts, "corpus" | "identity"> & Begun,
): Promise<CopyTarget> {
  const store = openFolderStore(layout, identity);
  try {
    const writer = await openWriter(store, state, { mark: corpus.mark, store: kind, at: null }, layout);
    return new FolderTarget({ layout, lock, corpus, identity, store, writer, held: await idsIn(writer) });
  } catch (error) {
    await store.close().catch(() => undefined);
    throw error;
  }
}

interface Begun {
  readonly kind: StoreKind;
  /** Of an earlier call. */
  readonly state: CopyState | undefined;
}

function taken(folder: string): WinnowError {
  return new WinnowError("invalid_argument", `There is an index in ${folder} already.`, {
    hint: "Name a new place, or delete that folder first.",
  });
}

async function readState(layout: CorpusLayout): Promise<CopyState | undefined> {
  const content = await readSealed(layout.copyFile, COPY_FORMAT).catch(() => undefined);
  const parsed = stateSchema.safeParse(content?.body);
  return parsed.success ? parsed.data : undefined;
}

/** Goes on behind the last commit of an interrupted copy of the same state into the same store, else begins anew. */
async function openWriter(
  store: Store,
  state: CopyState | undefined,
  fresh: CopyState,
  layout: CorpusLayout,
): Promise<StoreWriter> {
  if (state?.at != null && state.mark === fresh.mark && state.store === fresh.store) {
    try {
      return await store.openWriter(state.at);
    } catch (error) {
      if (!WinnowError.isInstance(error) || error.code !== "corpus_corrupt") throw error;
    }
  }
  for (const path of [layout.storeFolder, layout.sqliteFolder]) await rm(path, { recursive: true, force: true });
  await mkdir(layout.folder, { recursive: true });
  await writeSealed(layout.copyFile, COPY_FORMAT, fresh);
  return store.createWriter(TABLE);
}

async function idsIn(writer: StoreWriter): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const rows of writer.reader().scan()) for (const { chunk } of rows) ids.add(chunk.id);
  return ids;
}

function wholeTarget(lock: WriterLock): CopyTarget {
  const nothing = async (): Promise<void> => undefined;
  return {
    held: new Set(),
    isWhole: true,
    append: nothing,
    commit: nothing,
    finish: nothing,
    close: () => lock.release(),
  };
}

interface FolderTargetParts {
  readonly layout: CorpusLayout;
  readonly lock: WriterLock;
  readonly corpus: CopiedCorpus;
  readonly identity: CorpusIdentity;
  readonly store: Store;
  readonly writer: StoreWriter;
  readonly held: ReadonlySet<string>;
}

class FolderTarget implements CopyTarget {
  readonly isWhole = false;
  readonly held: ReadonlySet<string>;
  readonly #parts: FolderTargetParts;

  constructor(parts: FolderTargetParts) {
    this.#parts = parts;
    this.held = parts.held;
  }

  async append(rows: readonly StoreRow[]): Promise<void> {
    await this.#parts.writer.append(rows);
  }

  async commit(): Promise<void> {
    await this.#commit();
  }

  async #commit(): Promise<StoreVersion> {
    const { corpus, lock, writer, layout, identity } = this.#parts;
    await lock.verify();
    const at = await writer.commit();
    const state: CopyState = { mark: corpus.mark, store: identity.store ?? "lance", at };
    await writeSealed(layout.copyFile, COPY_FORMAT, state);
    return at;
  }

  async finish(signal: AbortSignal): Promise<void> {
    const { corpus, lock, writer, layout, identity } = this.#parts;
    checkCount((await writer.counts()).chunks, corpus.chunks);
    await writer.optimize();
    const { unindexed } = await writer.counts();
    const store = await this.#commit();
    const reader = writer.reader();
    const items = await this.#items(reader);
    const documents = textsOf(reader, items.flatMap(documentIdsOf), signal);
    await rm(layout.grepFolder, { recursive: true, force: true });
    const written = await writeGrepSegment(grepSegmentOf(layout, GENERATION), documents);
    const grep = written.documents === 0 ? [] : [{ segment: GENERATION, ...written }];
    await mkdir(layout.itemsFolder, { recursive: true });
    await writeFile(layout.ignoreFile, "*\n");
    await writeCorpusFile(layout, identity);
    signal.throwIfAborted();
    await lock.verify();
    const manifest = {
      generation: GENERATION,
      updatedAt: new Date(systemClock.now()).toISOString(),
      ...{ identity, store, unindexed, grep },
      ...totalsOf(items),
      metadataKeys: corpus.metadataKeys,
      sources: corpus.sources,
      ...(corpus.base !== corpusBase(layout.folder) && { copiedFrom: corpus.base }),
    };
    await writeManifest(layout, manifest, items);
    await rm(layout.copyFile, { force: true });
    await writer.cleanUp(0).catch(() => undefined);
    await writeSums(layout, manifest).catch(() => undefined);
  }

  async #items(reader: StoreReader): Promise<readonly ManifestItem[]> {
    const { items, sources } = this.#parts.corpus;
    const known = items ?? (await itemsOfRows(reader, sources[0]?.type ?? UNKNOWN_SOURCE));
    return known.map((item) => ({ ...item, segment: item.documents > 0 ? GENERATION : 0 }));
  }

  async close(): Promise<void> {
    const { lock, store, writer } = this.#parts;
    try {
      await writer.close();
      await store.close();
    } finally {
      await lock.release();
    }
  }
}

function totalsOf(items: readonly ManifestItem[]) {
  const totals = { documents: 0, chunks: 0, tokens: 0, bytes: 0 };
  for (const item of items) {
    totals.documents += item.documents;
    totals.chunks += item.chunks;
    totals.tokens += item.tokens;
    totals.bytes += item.textBytes;
  }
  return totals;
}

/** The texts of documents, put together from their chunks, which tile them. */
async function* textsOf(
  reader: StoreReader,
  ids: readonly string[],
  signal: AbortSignal,
): AsyncIterable<{ id: string; text: string }> {
  for (let i = 0; i < ids.length; i += GREP_DOCUMENTS_MAX) {
    const texts = new Map<string, string>();
    for (const chunk of await reader.chunksOf(ids.slice(i, i + GREP_DOCUMENTS_MAX), undefined, signal)) {
      texts.set(chunk.documentId, (texts.get(chunk.documentId) ?? "") + chunk.text);
    }
    for (const [id, text] of texts) yield { id, text };
  }
}
