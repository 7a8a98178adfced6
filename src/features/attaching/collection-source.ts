import { createHash } from "node:crypto";
import { plural } from "../../core/text.ts";
import type { SourceDocument } from "../../core/types.ts";
import type { ChromaCollection } from "../../retrieval/chroma/collection.ts";
import type { Listed, ReadOutcome, Source, SourceItem } from "../../sources/source.ts";
import type { CollectionShape } from "./collection-shape.ts";
import { RECORD_TEXT_UNITS_MAX, type RecordDocument, recordDocument, type TextRecord } from "./record-document.ts";
import { metadataHash, pageRecords, type ScannedDocument, type ScannedRecord } from "./scan-collection.ts";

export const CHROMA_SOURCE = "chroma";
/** In front of a document's name: a name may look like an absolute path, and no key of a collection is one. */
const KEY_MARK = "@";

export interface CollectionSource extends Source {
  /** How a document that `read` gave is made of records; undefined for any other. */
  recordsOf(document: SourceDocument): RecordDocument | undefined;
}

export interface CollectionSourceOptions {
  readonly collection: Pick<ChromaCollection, "get" | "info">;
  readonly shape: CollectionShape;
  readonly documents: readonly ScannedDocument[];
  readonly cloud: boolean;
  /** Told when records cannot be had: what is wrong with the server is wrong for every document. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The documents of a scanned collection as a source of items. A collection knows no times of change: the fingerprint of
 * a document's ids and metadata stands in place of one, and its number of records in place of a size. Texts are read
 * only of items that are asked for, many at once where they are asked for in their order.
 */
export function collectionSource(options: CollectionSourceOptions): CollectionSource {
  const { documents, shape, collection } = options;
  const reader = new RecordReader(options);
  const made = new WeakMap<SourceDocument, RecordDocument>();
  const byKey = new Map(documents.map((document, at) => [KEY_MARK + document.name, { document, at }]));
  const load = async (item: SourceItem, signal: AbortSignal): Promise<readonly TextRecord[]> => {
    const known = byKey.get(item.key);
    return known === undefined ? [] : reader.read(known.document, known.at, signal);
  };
  return {
    type: CHROMA_SOURCE,
    async *list(signal): AsyncIterable<Listed> {
      for (const { name, records, fingerprint } of documents) {
        signal.throwIfAborted();
        yield { item: { key: KEY_MARK + name, location: name, bytes: records.length, mtimeMs: fingerprint } };
      }
    },
    async hash(item, signal) {
      return hashOf(await load(item, signal), shape);
    },
    async read(item, signal): Promise<ReadOutcome> {
      const records = await load(item, signal);
      const hash = hashOf(records, shape);
      if (records.length === 0) {
        const detail = "Its records went while the collection was read.";
        return { skipped: { key: item.key, reason: "vanished", detail } };
      }
      const built = recordDocument(records, shape, collection.info.name);
      if (built === undefined) {
        const detail = `${plural(records.length, "record")} without a text.`;
        return { skipped: { key: item.key, reason: "empty", detail }, hash };
      }
      made.set(built.document, built);
      const { withoutText, cut } = built;
      const notes = [
        ...(withoutText === 0 ? [] : [`${plural(withoutText, "record")} without a text.`]),
        ...(cut === 0 ? [] : [`${plural(cut, "record")} cut at ${RECORD_TEXT_UNITS_MAX} characters.`]),
      ];
      return { documents: [built.document], hash, notes };
    },
    recordsOf: (document) => made.get(document),
  };
}

function hashOf(records: readonly TextRecord[], shape: CollectionShape): string {
  const hash = createHash("sha256").update(JSON.stringify(shape));
  for (const { id, document, metadata } of records) {
    hash.update(`\0${id}\0${metadataHash(metadata)}\0${document ?? ""}`);
  }
  return hash.digest("hex");
}

/** Documents behind the one asked for whose records are kept: what was hashed is read right afterwards. */
const KEPT_DOCUMENTS = 64;

/**
 * Reads records by id. As long as documents are asked for one after the other, ever more of those that follow are
 * fetched along, up to a page of records; after a gap only what was asked for.
 */
class RecordReader {
  readonly #options: CollectionSourceOptions;
  readonly #recordsMax: number;
  readonly #loaded = new Map<number, Promise<readonly TextRecord[]>>();
  #lastAt = -2;
  #ahead = 1;

  constructor(options: CollectionSourceOptions) {
    this.#options = options;
    this.#recordsMax = pageRecords(options.cloud);
  }

  read(document: ScannedDocument, at: number, signal: AbortSignal): Promise<readonly TextRecord[]> {
    const known = this.#loaded.get(at);
    if (known !== undefined) return known;
    this.#ahead = at === this.#lastAt + 1 ? this.#ahead * 2 : 1;
    const group = this.#group(document, at);
    this.#lastAt = at + group.length - 1;
    const loading = this.#fetch(
      group.flatMap((one) => one.records),
      signal,
    );
    loading.catch(this.#options.onFailure);
    for (const [offset, one] of group.entries()) {
      const own = loading.then((found) => one.records.flatMap(({ id }) => found.get(id) ?? []));
      own.catch(() => this.#loaded.delete(at + offset));
      this.#loaded.set(at + offset, own);
    }
    for (const old of this.#loaded.keys()) if (old < at - KEPT_DOCUMENTS) this.#loaded.delete(old);
    return this.#loaded.get(at) ?? Promise.resolve([]);
  }

  #group(document: ScannedDocument, at: number): readonly ScannedDocument[] {
    const group = [document];
    let records = document.records.length;
    while (group.length < this.#ahead) {
      const next = this.#options.documents[at + group.length];
      if (next === undefined || this.#loaded.has(at + group.length)) break;
      records += next.records.length;
      if (records > this.#recordsMax) break;
      group.push(next);
    }
    return group;
  }

  async #fetch(records: readonly ScannedRecord[], signal: AbortSignal): Promise<ReadonlyMap<string, TextRecord>> {
    const found = new Map<string, TextRecord>();
    for (let start = 0; start < records.length; start += this.#recordsMax) {
      const ids = records.slice(start, start + this.#recordsMax).map(({ id }) => id);
      const include = ["documents", "metadatas"] as const;
      for (const record of await this.#options.collection.get({ ids, include, limit: ids.length, signal })) {
        found.set(record.id, record);
      }
    }
    return found;
  }
}
