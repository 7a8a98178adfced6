import { open, rename, rm } from "node:fs/promises";
import { setImmediate as breathe } from "node:timers/promises";
import type { Database } from "node-sqlite3-wasm";
import { WinnowError } from "../../../core/errors.ts";
import type { StoreRow } from "../store.ts";
import { loadSqlite } from "./load-sqlite.ts";
import { compareTerms, decodePostings, encodePostings } from "./postings.ts";
import { bytesOf, keyOf, numberAt, ROW_COLUMNS, rowValues, type SqlRow } from "./row-codec.ts";
import type { LiveSegment, VectorBlock } from "./segment.ts";

/** Ends the names of files that are not whole yet. */
export const UNFINISHED_SUFFIX = ".tmp";
/** Vectors that are stored, and later read, together. */
const VECTOR_BLOCK_ROWS = 512;
/** Rows or terms that a merge copies before it lets other work go on. */
const SLICE_ROWS = 256;
const SLICE_TERMS = 2_000;

const SCHEMA = `
CREATE TABLE segment (rows INTEGER NOT NULL, dimension INTEGER NOT NULL, lengths BLOB NOT NULL);
CREATE TABLE chunk (n INTEGER PRIMARY KEY, id TEXT NOT NULL, document TEXT NOT NULL, position INTEGER NOT NULL,
  start INTEGER NOT NULL, end INTEGER NOT NULL, item TEXT NOT NULL, metadata TEXT NOT NULL, body TEXT NOT NULL,
  terms TEXT NOT NULL);
CREATE TABLE posting (term TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE vectors (first INTEGER PRIMARY KEY, rows BLOB NOT NULL, data BLOB NOT NULL);`;

/** Made when the rows are in, which is faster than keeping them in order all the while. */
const INDEXES = `
CREATE INDEX chunk_id ON chunk (id);
CREATE INDEX chunk_document ON chunk (document, position);
CREATE INDEX chunk_item ON chunk (item);`;

/** Writes a segment to `path` as a whole, or nothing. */
async function build(path: string, fill: (draft: Draft) => Promise<void>, dimension: number): Promise<void> {
  const { Database } = await loadSqlite();
  const unfinished = `${path}${UNFINISHED_SUFFIX}`;
  await rm(unfinished, { force: true });
  await rm(`${unfinished}.lock`, { recursive: true, force: true });
  const database = new Database(unfinished);
  try {
    // A file that is not finished is thrown away, so it needs no journal; it is synced when it is.
    database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;");
    database.exec(`PRAGMA page_size = 8192; PRAGMA cache_size = -32000; BEGIN; ${SCHEMA}`);
    const draft = new Draft(database, dimension);
    await fill(draft);
    draft.finish();
    database.exec(`${INDEXES} COMMIT`);
    database.close();
  } catch (error) {
    if (database.isOpen) database.close();
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw error;
  }
  await sync(unfinished);
  await rename(unfinished, path);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A segment that is being written. */
class Draft {
  readonly #database: Database;
  readonly #dimension: number;
  readonly #lengths: number[] = [];
  #vectorRows: number[] = [];
  #vectors: Float32Array[] = [];

  constructor(database: Database, dimension: number) {
    this.#database = database;
    this.#dimension = dimension;
  }

  /** Writes rows, each with its number of terms; they are numbered in the order of coming. */
  addRows(rows: Iterable<{ readonly values: readonly (string | number)[]; readonly length: number }>): void {
    const places = ROW_COLUMNS.map(() => "?").join(", ");
    const insert = this.#database.prepare(`INSERT INTO chunk (n, ${ROW_COLUMNS.join(", ")}) VALUES (?, ${places})`);
    try {
      for (const { values, length } of rows) {
        insert.run([this.#lengths.length, ...values]);
        this.#lengths.push(length);
      }
    } finally {
      insert.finalize();
    }
  }

  addPostings(postings: Iterable<{ readonly key: string; readonly data: Uint8Array }>): void {
    const insert = this.#database.prepare("INSERT INTO posting (term, data) VALUES (?, ?)");
    try {
      for (const { key, data } of postings) insert.run([key, data]);
    } finally {
      insert.finalize();
    }
  }

  /** Rows have to come in ascending order. */
  addVector(row: number, vector: Float32Array): void {
    if (vector.length !== this.#dimension) {
      throw new WinnowError("internal", `A vector has ${vector.length} numbers instead of ${this.#dimension}.`);
    }
    this.#vectorRows.push(row);
    this.#vectors.push(vector);
    if (this.#vectorRows.length >= VECTOR_BLOCK_ROWS) this.#flushVectors();
  }

  #flushVectors(): void {
    const [first] = this.#vectorRows;
    if (first === undefined) return;
    const data = new Float32Array(this.#vectors.length * this.#dimension);
    for (const [i, vector] of this.#vectors.entries()) data.set(vector, i * this.#dimension);
    const rows = bytesOf(Int32Array.from(this.#vectorRows));
    this.#database.run("INSERT INTO vectors (first, rows, data) VALUES (?, ?, ?)", [first, rows, bytesOf(data)]);
    [this.#vectorRows, this.#vectors] = [[], []];
  }

  finish(): void {
    this.#flushVectors();
    const lengths = bytesOf(Int32Array.from(this.#lengths));
    const values = [this.#lengths.length, this.#dimension, lengths];
    this.#database.run("INSERT INTO segment (rows, dimension, lengths) VALUES (?, ?, ?)", values);
  }
}

/** Writes new rows as a segment. `dimension` is 0 where rows have no vectors. */
export function writeSegment(path: string, rows: readonly StoreRow[], dimension: number): Promise<void> {
  return build(
    path,
    async (draft) => {
      draft.addRows(rows.map((row) => ({ values: rowValues(row), length: row.terms.length })));
      draft.addPostings(postingsOf(rows));
      if (dimension === 0) return;
      for (const [n, { vector }] of rows.entries()) if (vector) draft.addVector(n, vector);
    },
    dimension,
  );
}

function* postingsOf(rows: readonly StoreRow[]): Generator<{ readonly key: string; readonly data: Uint8Array }> {
  const holders = new Map<string, number[]>();
  for (const [n, { terms }] of rows.entries()) {
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      const pairs = holders.get(term);
      if (pairs === undefined) holders.set(term, [n, count]);
      else pairs.push(n, count);
    }
  }
  const keyed = [...holders].map(([term, pairs]) => ({ key: keyOf(term), pairs }));
  for (const { key, pairs } of keyed.sort((a, b) => compareTerms(a.key, b.key))) {
    yield { key, data: encodePostings(pairs) };
  }
}

/** Writes the live rows of several segments as one, in their order, in slices between which other work goes on. */
export function mergeSegments(path: string, sources: readonly LiveSegment[], dimension: number): Promise<void> {
  return build(
    path,
    async (draft) => {
      let next = 0;
      const numbers = sources.map(({ segment, dead }) =>
        Int32Array.from({ length: segment.rows }, (_, n) => (dead.has(n) ? -1 : next++)),
      );
      for (const [i, { segment }] of sources.entries()) {
        for (let from = 0; from < segment.rows; from += SLICE_ROWS) {
          draft.addRows(copied(segment.stored(from, from + SLICE_ROWS), segment.lengths, numbers[i]));
          await breathe();
        }
      }
      let slice: { readonly key: string; readonly data: Uint8Array }[] = [];
      for (const posting of mergedPostings(sources, numbers)) {
        slice.push(posting);
        if (slice.length < SLICE_TERMS) continue;
        draft.addPostings(slice);
        slice = [];
        await breathe();
      }
      draft.addPostings(slice);
      if (dimension === 0) return;
      for (const [i, { segment }] of sources.entries()) {
        for (const block of segment.vectorBlocks()) copyVectors(draft, block, numbers[i], dimension);
        await breathe();
      }
    },
    dimension,
  );
}

type Numbers = Int32Array | undefined;

function* copied(rows: readonly SqlRow[], lengths: Int32Array, numbers: Numbers) {
  for (const row of rows) {
    const n = numberAt(row, "n");
    if ((numbers?.[n] ?? -1) < 0) continue;
    const values = ROW_COLUMNS.map((column) => {
      const value = row[column];
      if (typeof value !== "string" && typeof value !== "number") throw new Error(`Invalid ${column}.`);
      return value;
    });
    yield { values, length: lengths[n] ?? 0 };
  }
}

function copyVectors(draft: Draft, { rows, data }: VectorBlock, numbers: Numbers, dimension: number): void {
  for (const [i, n] of rows.entries()) {
    const number = numbers?.[n] ?? -1;
    if (number >= 0) draft.addVector(number, data.subarray(i * dimension, (i + 1) * dimension));
  }
}

/** The postings of every term that a live row holds, by term, with the rows' new numbers. */
function* mergedPostings(sources: readonly LiveSegment[], numbers: readonly Numbers[]) {
  const cursors = sources.map(({ segment }) => segment.allPostings());
  try {
    const heads = cursors.map((cursor) => cursor.next().value);
    for (;;) {
      let least: string | undefined;
      for (const head of heads) {
        if (head && (least === undefined || compareTerms(head.key, least) < 0)) least = head.key;
      }
      if (least === undefined) return;
      const pairs: number[] = [];
      for (const [i, head] of heads.entries()) {
        if (!head || head.key !== least) continue;
        decodePostings(head.data, (row, count) => {
          const number = numbers[i]?.[row] ?? -1;
          if (number >= 0) pairs.push(number, count);
        });
        heads[i] = cursors[i]?.next().value;
      }
      if (pairs.length > 0) yield { key: least, data: encodePostings(pairs) };
    }
  } finally {
    for (const cursor of cursors) cursor.return(undefined);
  }
}
