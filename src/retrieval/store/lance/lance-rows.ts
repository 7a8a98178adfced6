import type { Data, FixedSizeList, Float32, makeData, Schema, Table } from "apache-arrow";
import { WinnowError } from "../../../core/errors.ts";
import type { Chunk, Metadata } from "../../../core/types.ts";
import type { ChunkSpan, ScannedRow, StoreRow } from "../store.ts";

type MakeData = typeof makeData;

/** A result or a part of one. */
export interface Columns {
  readonly numRows: number;
  getChild(name: string): Iterable<unknown> | null;
}

/** Columns that a chunk is rebuilt from. */
export const CHUNK_COLUMNS = [
  "id",
  "document",
  "chunk_index",
  "chunk_count",
  "start_offset",
  "end_offset",
  "line",
  "tokens",
  "title",
  "uri",
  "headings",
  "metadata",
  "text",
] as const;

/** Columns that a row without its vector is rebuilt from. */
export const SCAN_COLUMNS = [...CHUNK_COLUMNS, "item", "terms"] as const;

export const SPAN_COLUMNS = ["id", "document", "chunk_index", "start_offset", "end_offset"] as const;

export const VECTOR_COLUMN = "vector";
export const TERMS_COLUMN = "terms";

const TEXT_COLUMNS = ["id", "document", "item", "title", "uri", "headings", "metadata", "text", TERMS_COLUMN] as const;
const NUMBER_COLUMNS = ["chunk_index", "chunk_count", "start_offset", "end_offset", "line", "tokens"] as const;

/** The table's columns; `vector` exists only where there is a dimension, and may be null there. */
export async function chunkSchema(vectorDimension: number | undefined): Promise<Schema> {
  const { Field, FixedSizeList, Float32, Int32, Schema, Utf8 } = await import("apache-arrow");
  const fields = [
    ...TEXT_COLUMNS.map((name) => new Field(name, new Utf8(), false)),
    ...NUMBER_COLUMNS.map((name) => new Field(name, new Int32(), false)),
  ];
  if (vectorDimension === undefined) return new Schema(fields);
  const vector = new FixedSizeList(vectorDimension, new Field("item", new Float32(), true));
  return new Schema([...fields, new Field(VECTOR_COLUMN, vector, true)]);
}

/**
 * Rows as a table of the schema of that dimension. Vectors are laid side by side as they are: to hand them to the library
 * number by number, as plain rows do, takes longer than to write them.
 */
export async function toTable(rows: readonly StoreRow[], vectorDimension: number | undefined): Promise<Table> {
  const { makeData, RecordBatch, Struct, Table, vectorFromArray } = await import("apache-arrow");
  const schema = await chunkSchema(vectorDimension);
  const plain = rows.map(plainValues);
  const children = schema.fields.map(({ name, type }) =>
    name === VECTOR_COLUMN
      ? vectorData(rows, type as FixedSizeList<Float32>, makeData)
      : vectorFromArray(
          plain.map((values) => values[name as keyof PlainValues]),
          type,
        ).data[0],
  );
  const data = makeData({
    type: new Struct(schema.fields),
    length: rows.length,
    nullCount: 0,
    children: children.filter((child) => child !== undefined),
  });
  return new Table([new RecordBatch(schema, data)]);
}

type PlainValues = ReturnType<typeof plainValues>;

/** The values of a row's columns but the vector. */
export function plainValues({ chunk, item, terms }: StoreRow) {
  return {
    id: chunk.id,
    document: chunk.documentId,
    item,
    title: chunk.title,
    uri: chunk.uri,
    headings: JSON.stringify(chunk.headings),
    metadata: JSON.stringify(chunk.metadata),
    text: chunk.text,
    terms: terms.join(" "),
    chunk_index: chunk.index,
    chunk_count: chunk.count,
    start_offset: chunk.start,
    end_offset: chunk.end,
    line: chunk.line,
    tokens: chunk.tokens,
  };
}

function vectorData(
  rows: readonly StoreRow[],
  type: FixedSizeList<Float32>,
  makeData: MakeData,
): Data<FixedSizeList<Float32>> {
  const numbers = new Float32Array(rows.length * type.listSize);
  const nullBitmap = new Uint8Array(Math.ceil(rows.length / 8));
  let nullCount = 0;
  for (const [i, { vector }] of rows.entries()) {
    if (vector === undefined || vector === null) {
      nullCount++;
      continue;
    }
    if (vector.length !== type.listSize) {
      throw new WinnowError("internal", `A vector has ${vector.length} numbers instead of ${type.listSize}.`);
    }
    numbers.set(vector, i * type.listSize);
    nullBitmap[i >> 3] = (nullBitmap[i >> 3] ?? 0) | (1 << (i & 7));
  }
  const child = makeData({ type: type.valueType, length: numbers.length, nullCount: 0, data: numbers });
  return makeData({ type, length: rows.length, nullCount, nullBitmap, child });
}

/** The values of a text column. */
export function texts(table: Columns, column: string): readonly string[] {
  return values(table, column).map(String);
}

/** The values of a number column. */
export function numbers(table: Columns, column: string): readonly number[] {
  return values(table, column).map(Number);
}

function values(table: Columns, column: string): readonly unknown[] {
  // A result without a row comes without columns too.
  if (table.numRows === 0) return [];
  const vector = table.getChild(column);
  if (vector === null) throw new Error(`Invalid table: the column ${column} is missing.`);
  return Array.from(vector);
}

/** Chunks of a result that holds `CHUNK_COLUMNS`, in its order. */
export function toChunks(table: Columns): Chunk[] {
  const text = (column: string) => texts(table, column);
  const number = (column: string) => numbers(table, column);
  const [id, document, title, uri, body] = [text("id"), text("document"), text("title"), text("uri"), text("text")];
  const [headings, metadata] = [text("headings"), text("metadata")];
  const [index, count, line, tokens] = [number("chunk_index"), number("chunk_count"), number("line"), number("tokens")];
  const [start, end] = [number("start_offset"), number("end_offset")];
  return id.map((chunkId, i) => ({
    id: chunkId,
    documentId: document[i] ?? "",
    index: index[i] ?? 0,
    count: count[i] ?? 0,
    start: start[i] ?? 0,
    end: end[i] ?? 0,
    line: line[i] ?? 1,
    text: body[i] ?? "",
    tokens: tokens[i] ?? 0,
    title: title[i] ?? "",
    headings: parseHeadings(headings[i] ?? "[]"),
    uri: uri[i] ?? "",
    metadata: parseMetadata(metadata[i] ?? "{}"),
  }));
}

/** Rows of a result that holds `SCAN_COLUMNS`, in its order. */
export function toScannedRows(table: Columns): ScannedRow[] {
  const [items, terms] = [texts(table, "item"), texts(table, TERMS_COLUMN)];
  return toChunks(table).map((chunk, i) => ({
    chunk,
    item: items[i] ?? "",
    terms: (terms[i] ?? "").split(" ").filter((term) => term !== ""),
  }));
}

/** Rows of a result that holds `SCAN_COLUMNS` and the vectors, in its order. */
export function toStoreRows(table: Columns): StoreRow[] {
  const vectors = values(table, VECTOR_COLUMN);
  return toScannedRows(table).map((row, i) => ({ ...row, vector: toVector(vectors[i]) }));
}

function toVector(value: unknown): Float32Array | null {
  if (value === null || value === undefined) return null;
  // What a row of the column is depends on the copy of the library that made it; it can always be walked through.
  return Float32Array.from(value as Iterable<number>);
}

/** Spans of a result that holds `SPAN_COLUMNS`, in its order. */
export function toSpans(table: Columns): ChunkSpan[] {
  const [id, document] = [texts(table, "id"), texts(table, "document")];
  const [index, start, end] = [
    numbers(table, "chunk_index"),
    numbers(table, "start_offset"),
    numbers(table, "end_offset"),
  ];
  return id.map((chunkId, i) => ({
    id: chunkId,
    documentId: document[i] ?? "",
    index: index[i] ?? 0,
    start: start[i] ?? 0,
    end: end[i] ?? 0,
  }));
}

/** Written by `toRecord` only; anything else means damage. */
export function parseMetadata(json: string): Metadata {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("Invalid metadata.");
  return value as Metadata;
}

function parseHeadings(json: string): readonly string[] {
  const value: unknown = JSON.parse(json);
  if (!Array.isArray(value)) throw new Error("Invalid headings.");
  return value.map(String);
}
