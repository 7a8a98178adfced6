import { createHash } from "node:crypto";
import { WinnowError } from "../../core/errors.ts";
import type { ChromaCollection, ChromaMetadata } from "../../retrieval/chroma/collection.ts";
import { type CollectionShape, documentNameOf } from "./collection-shape.ts";

/** Records of one page: ids and metadata only. Cloud gives 300 at most. */
const PAGE_RECORDS = 1_000;
const CLOUD_PAGE_RECORDS = 300;
/** Scans begun anew because records came or went under them: paging would skip some. */
const SCANS_MAX = 3;
/** Records of a collection at most: ids and digests of all are held in memory, about a gigabyte of them. */
const COLLECTION_RECORDS_MAX = 5_000_000;
/** Records that may come while a collection is scanned: as many as it had, or this many where it had fewer. */
const GROWTH_RECORDS = 10_000;
/** Bits of a fingerprint: few enough for a number, and far below today's time in milliseconds. */
const FINGERPRINT_HEX = 10;
/** Raise it when the same records would make other documents. */
const DOCUMENTS_VERSION = 2;

export interface ScannedRecord {
  readonly id: string;
  /** Of its metadata. */
  readonly hash: string;
}

export interface ScannedDocument {
  readonly name: string;
  readonly records: readonly ScannedRecord[];
  /** Changes with the shape and with any id or metadata of its records. A whole number below 2^40. */
  readonly fingerprint: number;
}

export interface CollectionScan {
  /** By name. */
  readonly documents: readonly ScannedDocument[];
  readonly records: number;
  /** False when the collection changed during every scan. */
  readonly settled: boolean;
}

export interface ScanOptions {
  readonly collection: Pick<ChromaCollection, "get" | "count">;
  readonly shape: CollectionShape;
  readonly cloud: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told of the records seen so far. */
  readonly onPage?: (records: number) => void;
}

export function pageRecords(cloud: boolean): number {
  return cloud ? CLOUD_PAGE_RECORDS : PAGE_RECORDS;
}

/**
 * Reads the ids and the metadata of every record, page by page, and sorts them into documents. Rejects with
 * `store_failed` where the server gives far more records than it counts, or the same ones again and again, and with
 * `limit_exceeded` for a collection of more than `COLLECTION_RECORDS_MAX`.
 */
export async function scanCollection(options: ScanOptions): Promise<CollectionScan> {
  for (let scans = 1; ; scans++) {
    const before = await options.collection.count(options.signal);
    if (before > COLLECTION_RECORDS_MAX) throw tooMany(before);
    const { found, steady } = await scanOnce(options, before);
    const after = await options.collection.count(options.signal);
    const settled = steady && before === after && found.size === after;
    if (settled || scans >= SCANS_MAX)
      return { documents: intoDocuments(found, options.shape), records: found.size, settled };
  }
}

interface Found {
  readonly name: string;
  readonly hash: string;
}

/**
 * Reads every page. A page begins with the last record of the one before, and the last record of all is looked at once
 * more: new records come at the end, so whoever finds both in their places missed none. Counts alone would not tell
 * when as many records came as went.
 */
async function scanOnce(
  options: ScanOptions,
  counted: number,
): Promise<{
  readonly found: ReadonlyMap<string, Found>;
  readonly steady: boolean;
}> {
  const { collection, shape, cloud, signal } = options;
  const limit = pageRecords(cloud);
  const rowsMax = counted + Math.max(counted, GROWTH_RECORDS);
  const found = new Map<string, Found>();
  let last: string | undefined;
  let steady = true;
  for (let offset = 0; ; offset += limit - 1) {
    signal?.throwIfAborted();
    const page = await collection.get({ limit, offset, include: ["metadatas"], signal });
    const before = found.size;
    for (const record of page) {
      found.set(record.id, { name: documentNameOf(record, shape), hash: metadataHash(record.metadata) });
    }
    options.onPage?.(found.size);
    steady &&= last === undefined || page[0]?.id === last;
    last = page.at(-1)?.id;
    if (page.length === limit) {
      if (found.size === before) throw endless("gives the same records again and again");
      // Rows, not records: one that is deleted and written again comes twice.
      if (offset + limit > rowsMax) throw endless(`counts ${counted} records and gives more than ${rowsMax}`);
      continue;
    }
    if (last === undefined) return { found, steady };
    const end = await collection.get({ limit: 2, offset: offset + page.length - 1, include: [], signal });
    return { found, steady: steady && end.length === 1 && end[0]?.id === last };
  }
}

function tooMany(records: number): WinnowError {
  const message = `The collection counts ${records} records; at most ${COLLECTION_RECORDS_MAX} can be attached.`;
  return new WinnowError("limit_exceeded", message, { hint: "Split it into several collections." });
}

function endless(what: string): WinnowError {
  return new WinnowError("store_failed", `The Chroma server ${what}: its collection cannot be read to an end.`, {
    hint: "Where the collection is being filled, try again when that is done; else check the server.",
    retryable: true,
  });
}

function intoDocuments(found: ReadonlyMap<string, Found>, shape: CollectionShape): readonly ScannedDocument[] {
  const records = new Map<string, ScannedRecord[]>();
  for (const [id, { name, hash }] of found) {
    const held = records.get(name) ?? [];
    held.push({ id, hash });
    records.set(name, held);
  }
  const seed = JSON.stringify([DOCUMENTS_VERSION, shape]);
  return [...records]
    .map(([name, own]) => {
      const sorted = own.sort((a, b) => (a.id < b.id ? -1 : 1));
      return { name, records: sorted, fingerprint: fingerprintOf(seed, sorted) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function fingerprintOf(seed: string, records: readonly ScannedRecord[]): number {
  const hash = createHash("sha256").update(seed);
  for (const { id, hash: own } of records) hash.update(`\0${id}\0${own}`);
  return Number.parseInt(hash.digest("hex").slice(0, FINGERPRINT_HEX), 16);
}

/** The same for equal metadata, in whatever order its keys come. */
export function metadataHash(metadata: ChromaMetadata | null): string {
  const sorted = Object.entries(metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("base64url");
}
