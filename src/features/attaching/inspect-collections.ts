import type { ChromaCollection, ChromaRecord, CollectionInfo } from "../../retrieval/chroma/collection.ts";
import type { ChromaConnection } from "../../retrieval/chroma/connection.ts";
import { type DetectedShape, detectShape } from "../../retrieval/chroma/shape/detect-shape.ts";

/** A sample is taken at this many places of the collection, so many neighbours each: documents lie together. */
const SAMPLE_PLACES = 10;
const SAMPLE_NEIGHBOURS = 30;

export interface ListedCollection {
  readonly name: string;
  readonly records: number;
  readonly dimension: number | null;
}

export interface InspectedCollection {
  readonly info: CollectionInfo;
  readonly records: number;
  readonly shape: DetectedShape;
}

export async function listCollections(connection: ChromaConnection, signal?: AbortSignal): Promise<ListedCollection[]> {
  const infos = await connection.collections(signal);
  return Promise.all(
    infos.map(async ({ name, dimension }) => {
      const records = await (await connection.collection(name, signal)).count(signal);
      return { name, records, dimension };
    }),
  );
}

/** Looks at a collection's records and says how they can be read as documents. Rejects with `corpus_not_found`. */
export async function inspectCollection(
  connection: ChromaConnection,
  name: string,
  signal?: AbortSignal,
): Promise<InspectedCollection> {
  const collection = await connection.collection(name, signal);
  const records = await collection.count(signal);
  const sample = await sampleRecords(collection, records, signal);
  return { info: collection.info, records, shape: detectShape(sample, collection.info) };
}

async function sampleRecords(
  collection: ChromaCollection,
  records: number,
  signal: AbortSignal | undefined,
): Promise<readonly ChromaRecord[]> {
  const sample = new Map<string, ChromaRecord>();
  const step = Math.max(SAMPLE_NEIGHBOURS, Math.ceil(records / SAMPLE_PLACES));
  for (let offset = 0; offset < records; offset += step) {
    const include = ["documents", "metadatas"] as const;
    const page = await collection.get({ limit: SAMPLE_NEIGHBOURS, offset, include, signal });
    for (const record of page) sample.set(record.id, record);
  }
  return [...sample.values()];
}
