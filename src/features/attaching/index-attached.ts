import type { ChromaEntry } from "../../config/corpora.ts";
import { systemClock } from "../../core/clock.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import type { ChromaCollection } from "../../retrieval/chroma/collection.ts";
import type { ChromaPlace } from "../../retrieval/chroma/place.ts";
import type { ChromaPlaces } from "../../retrieval/chroma/shared-places.ts";
import { type CorpusWriter, openCorpusWriter } from "../../retrieval/corpus/corpus-writer.ts";
import { ANALYZER_NAME, analyzeText } from "../../retrieval/lexical/analyze.ts";
import { unindexedRowsMax } from "../../retrieval/store/lance/lance-store.ts";
import { throttled, totals } from "../index-corpus.ts";
import { COMMIT_INTERVAL_MS, indexItems } from "../indexing/index-items.ts";
import { listItems } from "../indexing/list-items.ts";
import type { IndexParts } from "../indexing/parts.ts";
import { type IndexProgress, type IndexSummary, IndexTally } from "../indexing/progress.ts";
import { placeOptions, shapeOf } from "./attached-entry.ts";
import { refusedAttached } from "./attached-leave.ts";
import { type Attachment, placeStamp, readAttachment, writeAttachment } from "./attachment.ts";
import { chunkRecords, RECORD_CHUNKER_NAME } from "./chunk-records.ts";
import { CHROMA_SOURCE, type CollectionSource, collectionSource } from "./collection-source.ts";
import { type CollectionScan, scanCollection } from "./scan-collection.ts";

const TOKEN_COUNTER_NAME = "o200k";
/** No key of a collection is this: nothing is left out. */
const NO_KEY = "\0";

export interface IndexAttachedOptions {
  readonly name: string;
  readonly entry: ChromaEntry;
  readonly places: ChromaPlaces;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Builds the words anew, whatever seems unchanged. */
  readonly rebuild?: boolean;
  readonly signal?: AbortSignal;
  readonly now?: () => number;
}

export interface IndexAttachedHooks {
  /** Must not throw. */
  readonly onProgress?: (progress: IndexProgress) => void;
}

/**
 * Brings the words of an attached collection up to date with it: ids and metadata of all records are read, texts only
 * of documents in which either changed. A data directory whose files are as they were is not opened at all. A record
 * whose text changed under the same metadata is not noticed, except by `rebuild`.
 *
 * Of several servers the first that can be reached is read. Rejects with what reaching the collection rejects with, with
 * `nothing_to_index`, with `invalid_config` without the leave that it needs, and as `indexCorpus` does; what was committed
 * before stays.
 */
export async function indexAttached(
  options: IndexAttachedOptions,
  hooks: IndexAttachedHooks = {},
): Promise<IndexSummary> {
  const { name, entry, rebuild = false, now = systemClock.now } = options;
  const refused = await refusedAttached(name, entry);
  if (refused !== undefined) throw refused;
  const tally = new IndexTally();
  const report = throttled(tally, hooks);
  const shape = JSON.stringify([RECORD_CHUNKER_NAME, entry.collection, shapeOf(entry)]);
  // Before anything is read: what changes from here on shows as a change.
  const stamp = await placeStamp(entry.place);
  const before = rebuild ? undefined : await readAttachment(entry.indexFolder);
  const writer = await openWriter(options);
  try {
    if (stamp !== null && before?.stamp === stamp && before.shape === shape && writer.generation > 0) {
      tally.unchanged = writer.items.size;
      return tally.summary(totals(writer));
    }
    const { address, place, collection } = await reach(options, tally);
    try {
      tally.notices.push(...place.notices.map(({ message }) => message));
      const scan = await scanned(options, collection, place.connection.cloud, tally, () => report("listing"));
      await bringIn(options, { collection, scan, cloud: place.connection.cloud, writer, tally, report, now });
      const { id: collectionId, dimension } = collection.info;
      const { records } = scan;
      const attachment: Attachment = {
        collectionId,
        dimension,
        records,
        scannedAt: new Date(now()).toISOString(),
        shape,
        place: address,
        // A scan that never settled is not the state of the files that were looked at before it.
        stamp: scan.settled && tally.failed === 0 && address === entry.place ? stamp : null,
      };
      await writeAttachment(entry.indexFolder, attachment);
      report("done");
      return tally.summary(totals(writer));
    } finally {
      await place.close();
    }
  } catch (error) {
    throw toWinnowError(error);
  } finally {
    await writer.close();
  }
}

interface Reached {
  readonly address: string;
  readonly place: ChromaPlace;
  readonly collection: ChromaCollection;
}

/** The first of the entry's servers that has the collection; those that were passed over are told. */
async function reach(
  { entry, places, environment, signal }: IndexAttachedOptions,
  tally: IndexTally,
): Promise<Reached> {
  const addresses = [entry.place, ...(entry.replicas ?? [])];
  let failure: WinnowError | undefined;
  for (const address of addresses) {
    const inPlace = address === entry.place && entry.inPlace;
    let place: ChromaPlace | undefined;
    try {
      place = await places.open({
        ...(await placeOptions({ ...entry, place: address, inPlace }, environment)),
        signal,
      });
      return { address, place, collection: await place.connection.collection(entry.collection, signal) };
    } catch (error) {
      await place?.close();
      signal?.throwIfAborted();
      const known = toWinnowError(error, "store_failed");
      failure ??= known;
      if (addresses.length > 1) tally.notices.push(`${address} was passed over: ${known.message}`);
    }
  }
  throw failure ?? new WinnowError("internal", "An attached collection has no place.");
}

function openWriter({ entry, rebuild = false, now = systemClock.now }: IndexAttachedOptions): Promise<CorpusWriter> {
  const identity = {
    chunker: RECORD_CHUNKER_NAME,
    tokenCounter: TOKEN_COUNTER_NAME,
    analyzer: ANALYZER_NAME,
    // The vectors are the collection's own.
    embedder: null,
  };
  return openCorpusWriter(entry.indexFolder, { identity, rebuild, now });
}

async function scanned(
  { entry, signal }: IndexAttachedOptions,
  collection: ChromaCollection,
  cloud: boolean,
  tally: IndexTally,
  report: () => void,
): Promise<CollectionScan> {
  const onPage = (records: number): void => {
    tally.itemsTotal = records;
    report();
  };
  const scan = await scanCollection({ collection, shape: shapeOf(entry), cloud, signal, onPage });
  tally.itemsTotal = 0;
  if (!scan.settled) {
    tally.notices.push(
      `The collection ${entry.collection} was being written while it was read; what was missed follows with the next refresh.`,
    );
  }
  return scan;
}

interface Work {
  readonly collection: ChromaCollection;
  readonly scan: CollectionScan;
  readonly cloud: boolean;
  readonly writer: CorpusWriter;
  readonly tally: IndexTally;
  readonly report: (phase: IndexProgress["phase"]) => void;
  readonly now: () => number;
}

async function bringIn({ entry, signal: asked }: IndexAttachedOptions, work: Work): Promise<void> {
  const { collection, scan, cloud, writer, tally, report, now } = work;
  // A server that cannot be reached ends the run, instead of failing every document that is left.
  const failing = new AbortController();
  const signal = asked === undefined ? failing.signal : AbortSignal.any([asked, failing.signal]);
  const onFailure = (error: unknown): void => failing.abort(toWinnowError(error, "store_failed"));
  const { documents } = scan;
  const source = collectionSource({ collection, shape: shapeOf(entry), documents, cloud, onFailure });
  const known = { type: CHROMA_SOURCE, roots: [`${entry.place}/${entry.collection}`], excluded: [] };
  const listed = await listItems({
    source,
    known,
    roots: [""],
    ownKey: NO_KEY,
    writer,
    tally,
    signal,
    report: () => report("listing"),
  });
  tally.beginReading();
  report("reading");
  await indexItems({
    listed,
    source,
    parts: partsOf(source),
    writer,
    tally,
    now,
    signal,
    embedderAccess: {},
    commitIntervalMs: COMMIT_INTERVAL_MS,
    report: () => report("reading"),
    committed: () => undefined,
  });
  writer.setSources([known]);
  if (totals(writer).documents === 0 && writer.generation === 0) {
    throw new WinnowError("nothing_to_index", `The collection ${entry.collection} holds no record with a text.`, {
      hint: "Only records with documents can be found by words and shown.",
    });
  }
  report("optimizing");
  await writer.finish(unindexedRowsMax(totals(writer).chunks));
}

function partsOf(source: CollectionSource): IndexParts {
  return {
    identity: {
      chunker: RECORD_CHUNKER_NAME,
      tokenCounter: TOKEN_COUNTER_NAME,
      analyzer: ANALYZER_NAME,
      embedder: null,
    },
    createSource: async () => source,
    async loadChunker() {
      const { loadTokenCounter } = await import("../../models/o200k-token-counter.ts");
      const counter = await loadTokenCounter();
      return (document) => {
        const made = source.recordsOf(document);
        if (made === undefined) throw new WinnowError("internal", `${document.id} is no document of the collection.`);
        return chunkRecords(made, counter);
      };
    },
    analyze: analyzeText,
    loadEmbedder() {
      throw new WinnowError("internal", "The vectors of an attached collection are its own.");
    },
  };
}
