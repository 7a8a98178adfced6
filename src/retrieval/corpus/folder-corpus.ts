import { setTimeout as sleep } from "node:timers/promises";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { busy } from "../../core/gate.ts";
import type { Chunk, Notice } from "../../core/types.ts";
import type {
  CorpusInfo,
  CorpusReader,
  DocumentsAnswer,
  DocumentsQuery,
  FindAnswer,
  FindQuery,
  GrepAnswer,
  GrepQuery,
  ReadQuery,
  StaleDocument,
} from "../corpus-reader.ts";
import type { EmbedderIdentity, EmbedQuery } from "../find/embed-query.ts";
import { findChunks } from "../find/find-chunks.ts";
import { grepChunks } from "../find/grep-chunks.ts";
import type { ScorePassages } from "../find/score-passages.ts";
import { listDocuments } from "../list-documents.ts";
import { readChunks } from "../read.ts";
import { unindexedRowsWatched } from "../store/lance/lance-store.ts";
import type { Store } from "../store/store.ts";
import { placeChunk } from "./chunk-place.ts";
import type { CorpusLayout } from "./layout.ts";
import {
  baseOf,
  type CorpusIdentity,
  documentIdsOf,
  type Manifest,
  type ManifestItem,
  sameStamp,
  stampManifest,
} from "./manifest.ts";
import { loadSnapshot, type OpenStore, type Snapshot } from "./snapshot.ts";
import { staleDocuments } from "./stale-documents.ts";

/** A call that met files being replaced starts again on the new generation, at most this often. */
const RESTARTS_MAX = 5;
const RESTART_WAIT_MS = 20;

/**
 * Calls under way on one corpus, those that wait for the store included. One that waits holds a few kB, and what it
 * excludes; a thousand runs have some thousand calls at once.
 */
const CALLS_MAX = 10_000;

const NOT_READY: Notice = {
  code: "index_not_ready",
  message: "Part of the index is still being built; queries are slower until `winnow index` has ended.",
};

export interface FolderCorpusOptions {
  readonly name: string;
  readonly openStore: OpenStore;
  readonly embedQuery?: EmbedQuery;
  readonly scorePassages?: ScorePassages;
  /** Behind vectors that lie elsewhere, where the store asks them; default the embedder that the corpus names. */
  readonly embedder?: EmbedderIdentity;
  /**
   * Where the documents lie is no place of this machine: their places are given as they were indexed, and nobody can tell
   * here whether they have changed.
   */
  readonly isElsewhere?: boolean;
}

interface Held {
  readonly snapshot: Snapshot;
  /** Calls that are using it. */
  users: number;
  retired: boolean;
}

/**
 * A corpus folder for reading. Every call looks whether there is a new manifest, and works on one generation from its
 * beginning to its end. For up to `CALLS_MAX` concurrent calls.
 */
export class FolderCorpus implements CorpusReader {
  readonly name: string;
  readonly #layout: CorpusLayout;
  readonly #options: FolderCorpusOptions;
  #current: Held | undefined;
  #loading: Promise<void> | undefined;
  readonly #stores = new Map<string, Store>();
  #calls = 0;
  #closed = false;

  constructor(layout: CorpusLayout, options: FolderCorpusOptions) {
    this.name = options.name;
    this.#layout = layout;
    this.#options = options;
  }

  async info(): Promise<CorpusInfo> {
    return this.#use(async ({ manifest }) => ({
      name: this.name,
      location: this.#layout.folder,
      ...(this.#options.isElsewhere !== true && { base: baseOf(this.#layout, manifest) }),
      generation: manifest.generation,
      documents: manifest.documents,
      chunks: manifest.chunks,
      tokens: manifest.tokens,
      tokenCounter: manifest.identity.tokenCounter,
      embedder: (this.#options.embedder ?? manifest.identity.embedder)?.name ?? null,
      metadataKeys: manifest.metadataKeys,
    }));
  }

  /** What is known about every source item: for `winnow status`. */
  async items(): Promise<readonly ManifestItem[]> {
    return this.#use((snapshot) => snapshot.items());
  }

  async documentsOf(key: string): Promise<readonly string[]> {
    const item = (await this.items()).find((candidate) => candidate.key === key);
    return item === undefined ? [] : documentIdsOf(item);
  }

  async find(query: FindQuery): Promise<FindAnswer> {
    return this.#use(async ({ manifest, seen, reader }) => {
      const { embedQuery, scorePassages } = this.#options;
      const embedder = this.#options.embedder ?? manifest.identity.embedder;
      const store = await reader();
      const models = {
        ...(embedder && { embedder }),
        ...(embedQuery && { embedQuery }),
        ...(scorePassages && { scorePassages }),
      };
      const answer = await findChunks({ corpus: this.name, store, ...models }, query);
      const hits = answer.hits.map((hit) => ({ ...hit, chunk: seen.same(this.#placed(hit.chunk, manifest)) }));
      const late = manifest.unindexed > unindexedRowsWatched(manifest.chunks);
      return { ...answer, hits, notices: late ? [...answer.notices, NOT_READY] : answer.notices };
    });
  }

  async grep(query: GrepQuery): Promise<GrepAnswer> {
    return this.#use(async ({ manifest, seen, reader, grep }) => {
      const [store, engine] = await Promise.all([reader(), grep()]);
      const answer = await grepChunks({ corpus: this.name, store, engine }, query);
      const hits = answer.hits.map((found) => ({
        ...found,
        hit: { ...found.hit, chunk: seen.same(this.#placed(found.hit.chunk, manifest)) },
      }));
      return { ...answer, hits };
    });
  }

  async read(query: ReadQuery): Promise<readonly Chunk[]> {
    return this.#use(async ({ manifest, seen, reader }) => {
      const chunks = await readChunks(await reader(), query);
      return chunks.map((chunk) => seen.same(this.#placed(chunk, manifest)));
    });
  }

  async documents(query: DocumentsQuery): Promise<DocumentsAnswer> {
    return this.#use(async ({ manifest, reader }) =>
      listDocuments(await reader(), query, (chunk) => this.#placed(chunk, manifest)),
    );
  }

  async stale(ids: readonly string[]): Promise<readonly StaleDocument[]> {
    if (this.#options.isElsewhere === true) return [];
    return this.#use(async ({ manifest, items }) => staleDocuments(ids, await items(), baseOf(this.#layout, manifest)));
  }

  #placed(chunk: Chunk, manifest: Manifest): Chunk {
    if (this.#options.isElsewhere === true) return chunk;
    return placeChunk(chunk, baseOf(this.#layout, manifest));
  }

  /** For the time after the last call has ended; later ones reject. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#loading?.catch(() => undefined);
    if (this.#current !== undefined) await this.#retire(this.#current);
    this.#current = undefined;
    for (const store of this.#stores.values()) await store.close();
    this.#stores.clear();
  }

  /** Refuses with `busy` before anything is done for a call that would have to wait behind too many. */
  async #use<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    if (this.#calls >= CALLS_MAX) throw busy();
    this.#calls++;
    try {
      return await this.#onOneGeneration(work);
    } finally {
      this.#calls--;
    }
  }

  async #onOneGeneration<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    for (let restarts = 0; ; restarts++) {
      let held: Held | undefined;
      try {
        held = await this.#acquire();
        return await work(held.snapshot);
      } catch (error) {
        const failure = toWinnowError(error, "store_failed");
        if (restarts >= RESTARTS_MAX || !(await this.#wasReplaced(failure, held))) throw failure;
        await sleep(RESTART_WAIT_MS * restarts);
      } finally {
        if (held !== undefined) await this.#release(held);
      }
    }
  }

  /** Files of a generation go away some time after it was replaced; until then what fails is damage. */
  async #wasReplaced(failure: WinnowError, held: Held | undefined): Promise<boolean> {
    if (failure.code !== "corpus_corrupt" && failure.code !== "store_failed") return false;
    const stamp = await stampManifest(this.#layout);
    const used = held?.snapshot.stamp ?? this.#failedStamp;
    return stamp !== undefined && used !== undefined && !sameStamp(stamp, used);
  }

  #failedStamp: Snapshot["stamp"] | undefined;

  async #acquire(): Promise<Held> {
    if (this.#closed) throw new WinnowError("internal", `The corpus ${this.name} is closed.`);
    for (;;) {
      const stamp = await stampManifest(this.#layout);
      const current = this.#current;
      if (current !== undefined && sameStamp(current.snapshot.stamp, stamp)) {
        current.users++;
        return current;
      }
      this.#failedStamp = stamp;
      // A load that another call began may have read an older manifest than this call must see: look again after it.
      this.#loading ??= this.#load().finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
  }

  async #load(): Promise<void> {
    const snapshot = await loadSnapshot(this.#layout, (identity) => this.#storeOf(identity));
    const before = this.#current;
    this.#current = { snapshot, users: 0, retired: false };
    if (before !== undefined) await this.#retire(before);
  }

  /** Generations share the store, and with it what it holds in memory. */
  #storeOf(identity: CorpusIdentity): Store {
    const key = JSON.stringify([identity.store, identity.embedder]);
    const store = this.#stores.get(key) ?? this.#options.openStore(this.#layout, identity);
    this.#stores.set(key, store);
    return store;
  }

  async #retire(held: Held): Promise<void> {
    held.retired = true;
    if (held.users === 0) await held.snapshot.close();
  }

  async #release(held: Held): Promise<void> {
    held.users--;
    if (held.retired && held.users === 0) await held.snapshot.close();
  }
}
