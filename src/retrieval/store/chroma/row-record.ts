import { createHash } from "node:crypto";
import { WinnowError } from "../../../core/errors.ts";
import { wellFormed } from "../../../core/text.ts";
import type { Chunk, Metadata } from "../../../core/types.ts";
import type { MetadataScalar } from "../../chroma/answers.ts";
import type { ChromaRecord, ChromaWrite } from "../../chroma/collection.ts";
import { indexedText } from "../../corpus/indexed-text.ts";
import type { StoreRow } from "../store.ts";

/** Holds as JSON what a row is rebuilt from; what else a record holds is for others who read the collection. */
const ROW_KEY = "winnow:row";
const HASH_UNITS = 16;
/** Lengths of vectors that count as 1. */
const UNIT_TOLERANCE = 1e-6;

/** Each number of the vector that stands for none: unit vectors are at most 2 apart, this is at least 9 from them. */
const FAR = -10;

interface StoredRow {
  readonly chunk: Omit<Chunk, "text">;
  readonly item: string;
  /** The text where the record's document could not be exactly it. */
  readonly text?: string;
  /** The vector as it was, base64 of float32, where it is not of length 1; empty for none. */
  readonly vector?: string;
}

/**
 * The record of a chunk: its id and a hash of what its vector was made from, so that a chunk whose text has changed is
 * another record, and readers of an earlier version are not given its vector.
 */
export function recordIdOf(chunk: Chunk): string {
  const hash = createHash("sha256").update(indexedText(chunk)).digest("hex").slice(0, HASH_UNITS);
  return `${JSON.stringify(chunk.id).slice(1, -1)}~${hash}`;
}

/** The id of the chunk behind a record; undefined for a record that is not ours. */
export function chunkIdOf(recordId: string): string | undefined {
  const mark = recordId.lastIndexOf("~");
  if (mark < 0 || recordId.length - mark - 1 !== HASH_UNITS) return undefined;
  try {
    const id: unknown = JSON.parse(`"${recordId.slice(0, mark)}"`);
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A row as a record that `toRow` gives back as it was but for its terms. Vectors are stored with length 1; a row without
 * one takes a place far from every query, since no record can be without.
 */
export function toRecord({ chunk: { text, ...chunk }, item, vector }: StoreRow, dimension: number): ChromaWrite {
  const document = wellFormed(text).replaceAll("\0", "\ufffd");
  const unit = vector ? unitVector(vector) : new Float32Array(dimension).fill(FAR);
  const stored: StoredRow = {
    chunk,
    item,
    ...(document !== text && { text }),
    ...(unit !== vector && { vector: vector ? base64Of(vector) : "" }),
  };
  return {
    id: recordIdOf({ ...chunk, text }),
    document,
    embedding: unit,
    metadata: {
      document_id: wellFormed(chunk.documentId),
      chunk_index: chunk.index,
      title: wellFormed(chunk.title),
      ...plainMetadata(chunk.metadata),
      [ROW_KEY]: JSON.stringify(stored),
    },
  };
}

/** Lists are joined, since not every server takes them. */
function plainMetadata(metadata: Metadata): Record<string, MetadataScalar> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => {
      const plain = typeof value === "number" || typeof value === "boolean" ? value : wellFormed([value].join(", "));
      return [wellFormed(key), plain];
    }),
  );
}

/** The row of a record; `analyze` makes its terms. Rejects with `corpus_mismatch` what `toRecord` did not write. */
export function toRow(record: ChromaRecord, analyze: (text: string) => readonly string[]): StoreRow {
  const { chunk, item, text = record.document ?? "", vector } = parseRow(record);
  const whole: Chunk = { ...chunk, text };
  const embedding = vector === undefined ? Float32Array.from(record.embedding ?? []) : vectorOf(vector);
  return { chunk: whole, item, terms: analyze(indexedText(whole)), vector: embedding.length === 0 ? null : embedding };
}

/** The vector that went in, of a record that `toRecord` wrote. */
export function vectorOfRecord(record: ChromaRecord): Float32Array {
  const { vector } = parseRow(record);
  return vector === undefined ? Float32Array.from(record.embedding ?? []) : vectorOf(vector);
}

function parseRow({ id, metadata }: ChromaRecord): StoredRow {
  const json = metadata?.[ROW_KEY];
  try {
    const row: unknown = typeof json === "string" ? JSON.parse(json) : undefined;
    if (typeof row === "object" && row !== null && "chunk" in row && "item" in row) return row as StoredRow;
  } catch {
    // Told below.
  }
  throw new WinnowError("corpus_mismatch", `The record ${id} was not written by Winnow.`, {
    hint: "A collection that others made is used where it is: winnow attach URL COLLECTION",
  });
}

/** The vector itself where its length is 1; else one of its direction. */
export function unitVector(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  if (length === 0 || Math.abs(length - 1) <= UNIT_TOLERANCE) return vector;
  return vector.map((value) => value / length);
}

function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

function vectorOf(base64: string): Float32Array {
  const bytes = new Uint8Array(Buffer.from(base64, "base64"));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.byteLength / Float32Array.BYTES_PER_ELEMENT));
}
