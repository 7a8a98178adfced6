import type { ChromaEntry } from "../../config/corpora.ts";
import { toWinnowError, type WinnowError } from "../../core/errors.ts";
import type { Notice } from "../../core/types.ts";
import { type FailedReplica, openAttachedCorpus } from "../../retrieval/chroma/attached-corpus.ts";
import type { OpenCollection } from "../../retrieval/chroma/dense-side.ts";
import type { ChromaPlace } from "../../retrieval/chroma/place.ts";
import type { ChromaPlaces } from "../../retrieval/chroma/shared-places.ts";
import type { CorpusReader } from "../../retrieval/corpus-reader.ts";
import type { EmbedQuery } from "../../retrieval/find/embed-query.ts";
import type { ScorePassages } from "../../retrieval/find/score-passages.ts";
import { embedderOf, NO_EMBEDDER, placeOptions } from "./attached-entry.ts";
import { refusedAttached } from "./attached-leave.ts";
import { type Attachment, placeStamp, readAttachment } from "./attachment.ts";
import { leftOut } from "./left-out.ts";

/** A collection that could not be reached is not tried again for so long: a run asks many times in a second. */
const RETRY_MS = 15_000;
/** How long what was found out about the age of the words holds. */
const AGE_MS = 5_000;

export interface OpenAttachedOptions {
  readonly name: string;
  readonly entry: ChromaEntry;
  readonly places: ChromaPlaces;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly embedQuery: EmbedQuery;
  readonly scorePassages?: ScorePassages;
}

/**
 * Opens an attached collection for reading. Rejects with `corpus_not_found` where its words were never indexed. One that
 * a project's file names without the user's leave is empty, and says so.
 */
export async function openAttached(options: OpenAttachedOptions): Promise<CorpusReader> {
  const { name, entry, embedQuery, scorePassages } = options;
  const refused = await refusedAttached(name, entry);
  if (refused !== undefined) return leftOut(name, entry.indexFolder, refused);
  const attachment = await readAttachment(entry.indexFolder);
  const others = (entry.replicas ?? []).map((place) => ({ ...entry, place, inPlace: false }));
  const reach = new Replicas([entry, ...others].map((one) => new Reach({ ...options, entry: one }, attachment)));
  return openAttachedCorpus({
    replicas: 1 + others.length,
    name,
    folder: entry.indexFolder,
    embedder: embedderOf(entry, attachment?.dimension ?? null),
    embedQuery,
    ...(scorePassages && { scorePassages }),
    wordsOnly: entry.embedder === NO_EMBEDDER,
    open: () => reach.open(),
    failing: () => reach.failing(),
    age: () => reach.age(),
    close: () => reach.close(),
  });
}

/** Ways to the same collection on several servers, taken in turn; one that is broken is passed over. */
class Replicas {
  readonly #reaches: readonly Reach[];
  #turn = 0;

  constructor(reaches: readonly Reach[]) {
    this.#reaches = reaches;
  }

  /** Rejects with the last failure where none can be reached. */
  async open(): Promise<OpenCollection> {
    let failure: unknown;
    for (let tried = 0; tried < this.#reaches.length; tried++) {
      const reach = this.#reaches[this.#turn++ % this.#reaches.length];
      try {
        if (reach !== undefined) return await reach.open();
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Those that are not tried again yet. */
  failing(): readonly FailedReplica[] {
    return this.#reaches.flatMap((reach) => {
      const error = reach.failing();
      return error === undefined ? [] : [{ address: reach.address, error }];
    });
  }

  /** What the first of them knows: words are indexed from it. */
  async age(): Promise<readonly Notice[]> {
    return (await this.#reaches[0]?.age()) ?? [];
  }

  async close(): Promise<void> {
    await Promise.all(this.#reaches.map((reach) => reach.close()));
  }
}

/** The way to a collection, found at the first need and again after it broke. */
class Reach {
  readonly #options: OpenAttachedOptions;
  readonly #attachment: Attachment | undefined;
  #opened: Promise<{ readonly place: ChromaPlace; readonly open: OpenCollection }> | undefined;
  #failed: { readonly error: WinnowError; readonly atMs: number } | undefined;
  #age: { readonly notices: Promise<readonly Notice[]>; readonly atMs: number } | undefined;
  /** Found when the collection was opened. */
  #differs = false;

  constructor(options: OpenAttachedOptions, attachment: Attachment | undefined) {
    this.#options = options;
    this.#attachment = attachment;
  }

  get address(): string {
    return this.#options.entry.place;
  }

  /** Why it is not tried again yet. */
  failing(): WinnowError | undefined {
    const failed = this.#failed;
    return failed !== undefined && performance.now() - failed.atMs < RETRY_MS ? failed.error : undefined;
  }

  async open(): Promise<OpenCollection> {
    const failing = this.failing();
    if (failing !== undefined) throw failing;
    this.#opened ??= this.#connect();
    try {
      return (await this.#opened).open;
    } catch (error) {
      this.#opened = undefined;
      const failure = toWinnowError(error, "store_failed");
      this.#failed = { error: failure, atMs: performance.now() };
      throw failure;
    }
  }

  async #connect(): Promise<{ readonly place: ChromaPlace; readonly open: OpenCollection }> {
    const { name, entry, places, environment } = this.#options;
    const refused = await refusedAttached(name, entry);
    if (refused !== undefined) throw refused;
    const place = await places.open(await placeOptions(entry, environment));
    try {
      const { connection } = place;
      const collection = await connection.collection(entry.collection);
      const known = this.#attachment;
      // Each server gives the collection an id of its own.
      const isOther = (known?.place ?? entry.place) !== entry.place;
      this.#differs =
        known !== undefined &&
        ((!isOther && collection.info.id !== known.collectionId) || (await collection.count()) !== known.records);
      const open = { collection, cloud: connection.cloud, onFailure: (error: WinnowError) => this.#broke(error) };
      return { place, open };
    } catch (error) {
      await place.close();
      throw error;
    }
  }

  /** A server that went away may come back, and one that we started is started again. */
  async #broke(error: WinnowError): Promise<void> {
    if (!error.retryable && error.code !== "corpus_not_found") return;
    this.#failed = { error, atMs: performance.now() };
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.then(({ place }) => place.close()).catch(() => undefined);
  }

  /** Whether the collection has moved on since its words were indexed, as far as it can be told without reaching it. */
  age(): Promise<readonly Notice[]> {
    const nowMs = performance.now();
    if (this.#age === undefined || nowMs - this.#age.atMs > AGE_MS) {
      this.#age = { notices: this.#look(), atMs: nowMs };
    }
    return this.#age.notices;
  }

  async #look(): Promise<readonly Notice[]> {
    const { name, entry } = this.#options;
    const known = this.#attachment;
    if (known === undefined) {
      return [stale(`The words of ${name} were not indexed to their end.`, name)];
    }
    try {
      // A server in place touches the files by itself.
      const moved = !entry.inPlace && known.stamp !== null && (await placeStamp(entry.place)) !== known.stamp;
      if (!moved && !this.#differs) return [];
      return [
        stale(
          `The collection ${entry.collection} has changed since its words were indexed (${known.scannedAt}).`,
          name,
        ),
      ];
    } catch (error) {
      return [
        {
          code: "stale_index",
          message: `${toWinnowError(error).message} What is known of ${name} is of ${known.scannedAt}.`,
        },
      ];
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.then(({ place }) => place.close()).catch(() => undefined);
  }
}

function stale(message: string, name: string): Notice {
  return { code: "stale_index", message: `${message} Refresh it with: winnow index ${name}` };
}
