import type { Chunk, Metadata } from "../../../core/types.ts";
import type { ChunkSpan, ScannedRow, StoreRow } from "../store.ts";

/**
 * Texts are stored as JSON, keys too: the library ends a text at its first NUL, and UTF-8 has no lone surrogates. Two
 * texts are equal exactly when their JSON is.
 */
export function keyOf(text: string): string {
  return JSON.stringify(text);
}

export function textOfKey(key: string): string {
  const text: unknown = JSON.parse(key);
  if (typeof text !== "string") throw new Error("Invalid key.");
  return text;
}

type SqlValue = number | bigint | string | Uint8Array | null | Readonly<Record<string, unknown>>;
/** A row of a result. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

export function textAt(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new Error(`Invalid text in ${column}.`);
  return value;
}

export function numberAt(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new Error(`Invalid number in ${column}.`);
  return value;
}

export function bytesAt(row: SqlRow, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new Error(`Invalid bytes in ${column}.`);
  return value;
}

/** Bytes as 32-bit numbers in the order of the machine, which is little-endian wherever Node runs. */
export function int32sOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(...aligned(bytes));
}

export function float32sOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(...aligned(bytes));
}

function aligned(bytes: Uint8Array): [ArrayBuffer, number, number] {
  const copy = bytes.slice();
  if (copy.byteLength % 4 !== 0) throw new Error("Invalid length of numbers.");
  return [copy.buffer, copy.byteOffset, copy.byteLength / 4];
}

export function bytesOf(numbers: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Columns of `chunk` but for its number, in the order of `rowValues`. What is read most comes first. */
export const ROW_COLUMNS = ["id", "document", "position", "start", "end", "item", "metadata", "body", "terms"] as const;
export const CHUNK_COLUMNS = "id, document, position, start, end, metadata, body";
export const SPAN_COLUMNS = "id, document, position, start, end";

/** A row as the values of `ROW_COLUMNS`. */
export function rowValues({ chunk, item, terms }: StoreRow): (string | number)[] {
  const { id, documentId, index, start, end, metadata, ...body } = chunk;
  const texts = [JSON.stringify(metadata), JSON.stringify(body), JSON.stringify(terms.join(" "))];
  return [keyOf(id), keyOf(documentId), index, start, end, keyOf(item), ...texts];
}

export function toSpan(row: SqlRow): ChunkSpan {
  return {
    id: textOfKey(textAt(row, "id")),
    documentId: textOfKey(textAt(row, "document")),
    index: numberAt(row, "position"),
    start: numberAt(row, "start"),
    end: numberAt(row, "end"),
  };
}

type Body = Omit<Chunk, keyof ChunkSpan | "metadata">;

export function toChunk(row: SqlRow): Chunk {
  const { count, line, text, tokens, title, headings, uri } = parseBody(textAt(row, "body"));
  const metadata = parseMetadata(textAt(row, "metadata"));
  return { ...toSpan(row), count, line, text, tokens, title, headings, uri, metadata };
}

export function toScannedRow(row: SqlRow): ScannedRow {
  const terms = textOfKey(textAt(row, "terms"));
  return { chunk: toChunk(row), item: textOfKey(textAt(row, "item")), terms: terms === "" ? [] : terms.split(" ") };
}

/** Written by `rowValues` only; anything else means damage. */
function parseBody(json: string): Body {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null || typeof Reflect.get(value, "text") !== "string") {
    throw new Error("Invalid chunk.");
  }
  return value as Body;
}

export function parseMetadata(json: string): Metadata {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("Invalid metadata.");
  return value as Metadata;
}
