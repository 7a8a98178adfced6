import type { ScannedRow } from "../store.ts";
import {
  bytesAt,
  CHUNK_COLUMNS,
  float32sOf,
  int32sOf,
  keyOf,
  numberAt,
  ROW_COLUMNS,
  SPAN_COLUMNS,
  type SqlRow,
  textAt,
  textOfKey,
  toScannedRow,
} from "./row-codec.ts";
import type { RowSet } from "./row-set.ts";
import { SegmentFile } from "./segment-file.ts";

/** Vectors of one segment that are kept in memory between queries; of more, each query reads them again. */
const VECTOR_BYTES_HELD_MAX = 256 * 2 ** 20;

/** Vectors that lie together: those of `rows`, one after the other. */
export interface VectorBlock {
  readonly rows: Int32Array;
  readonly data: Float32Array;
  /** 1 / length of each vector; 0 for one of length 0. */
  readonly scales: Float64Array;
}

/** Columns that a look-up returns besides the row's number. */
const COLUMNS = { chunk: CHUNK_COLUMNS, span: SPAN_COLUMNS, item: "item" } as const;
export type LookupColumns = keyof typeof COLUMNS;

/** An immutable part of a table: rows 0 to `rows` - 1 with their terms and vectors. Its work is synchronous. */
export class Segment {
  readonly rows: number;
  /** How many terms each row has. */
  readonly lengths: Int32Array;
  readonly #file: SegmentFile;
  readonly #dimension: number;
  #vectors: readonly VectorBlock[] | undefined;

  private constructor(file: SegmentFile, { rows, dimension, lengths }: Readonly<Record<string, unknown>>) {
    if (typeof rows !== "number" || typeof dimension !== "number" || !(lengths instanceof Uint8Array)) {
      throw new Error("Invalid segment.");
    }
    this.#file = file;
    this.rows = rows;
    this.#dimension = dimension;
    this.lengths = int32sOf(lengths);
    if (this.lengths.length !== rows) throw new Error("Invalid segment.");
  }

  static async open(path: string): Promise<Segment> {
    const file = await SegmentFile.open(path);
    try {
      return new Segment(file, file.all("SELECT rows, dimension, lengths FROM segment")[0] ?? {});
    } catch (error) {
      file.close();
      throw error;
    }
  }

  postings(term: string): Uint8Array | undefined {
    const [row] = this.#file.all("SELECT data FROM posting WHERE term = ?", keyOf(term));
    return row && bytesAt(row, "data");
  }

  /** Every term with its postings, in the order of `compareTerms` of their keys. */
  *allPostings(): Generator<{ readonly key: string; readonly data: Uint8Array }> {
    for (const row of this.#file.rows("SELECT term, data FROM posting ORDER BY term")) {
      yield { key: textAt(row, "term"), data: bytesAt(row, "data") };
    }
  }

  /** Whom a row is of. */
  idsOf(n: number): { readonly id: string; readonly documentId: string } {
    const [row] = this.#file.all("SELECT id, document FROM chunk WHERE n = ?", n);
    if (row === undefined) throw new Error("Invalid segment: a row is missing.");
    return { id: textOfKey(textAt(row, "id")), documentId: textOfKey(textAt(row, "document")) };
  }

  /** The metadata of a row, as JSON. */
  metadataOf(n: number): string {
    const [row] = this.#file.all("SELECT metadata FROM chunk WHERE n = ?", n);
    if (row === undefined) throw new Error("Invalid segment: a row is missing.");
    return textAt(row, "metadata");
  }

  /** Number, document and metadata of every row, or of every document's first. */
  *allMetadata(which: "rows" | "documents"): Generator<{ n: number; document: string; metadata: string }> {
    const where = which === "documents" ? "WHERE position = 0" : "";
    for (const row of this.#file.rows(`SELECT n, document, metadata FROM chunk ${where}`)) {
      yield { n: numberAt(row, "n"), document: textAt(row, "document"), metadata: textAt(row, "metadata") };
    }
  }

  /** Rows whose column holds this text, each with its number as `n`. */
  lookUp(column: "id" | "document" | "item", text: string, columns: LookupColumns): readonly SqlRow[] {
    return this.#file.all(`SELECT n, ${COLUMNS[columns]} FROM chunk WHERE ${column} = ?`, keyOf(text));
  }

  /** Rows from `from` up to but without `to` as they are stored, each with its number as `n`. */
  stored(from: number, to: number): readonly SqlRow[] {
    return this.#file.all(`SELECT n, ${ROW_COLUMNS.join(", ")} FROM chunk WHERE n >= ? AND n < ? ORDER BY n`, from, to);
  }

  scanned(from: number, to: number, dead: RowSet): { readonly n: number; readonly row: ScannedRow }[] {
    return this.stored(from, to).flatMap((row) => {
      const n = numberAt(row, "n");
      return dead.has(n) ? [] : [{ n, row: toScannedRow(row) }];
    });
  }

  /** All vectors, in blocks by row. */
  *vectorBlocks(): Generator<VectorBlock> {
    if (this.#vectors !== undefined) {
      yield* this.#vectors;
      return;
    }
    const kept: VectorBlock[] = [];
    const isKept = this.rows * this.#dimension * Float32Array.BYTES_PER_ELEMENT <= VECTOR_BYTES_HELD_MAX;
    for (const row of this.#file.rows("SELECT rows, data FROM vectors ORDER BY first")) {
      const block = this.#blockOf(int32sOf(bytesAt(row, "rows")), float32sOf(bytesAt(row, "data")));
      if (isKept) kept.push(block);
      yield block;
    }
    if (isKept) this.#vectors = kept;
  }

  #blockOf(rows: Int32Array, data: Float32Array): VectorBlock {
    const dimension = this.#dimension;
    if (data.length !== rows.length * dimension) throw new Error("Invalid vectors.");
    const scales = Float64Array.from(rows, (_, i) => {
      let sum = 0;
      for (let j = i * dimension; j < (i + 1) * dimension; j++) sum += (data[j] ?? 0) ** 2;
      return sum === 0 ? 0 : 1 / Math.sqrt(sum);
    });
    return { rows, data, scales };
  }

  close(): void {
    this.#vectors = undefined;
    this.#file.close();
  }
}

/** A segment as a version of the table sees it. */
export interface LiveSegment {
  readonly name: string;
  readonly segment: Segment;
  /** Rows that were removed since the segment was written. */
  readonly dead: RowSet;
}

export function liveRows({ segment, dead }: LiveSegment): number {
  return segment.rows - dead.size;
}
