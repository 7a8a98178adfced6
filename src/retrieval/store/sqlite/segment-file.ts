import { rmdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Database, Statement } from "node-sqlite3-wasm";
import { systemErrorCode } from "../../../core/errors.ts";
import { loadSqlite } from "./load-sqlite.ts";
import type { SqlRow } from "./row-codec.ts";

const OPEN_TRIES_MAX = 20;
const LOCKED = /database is locked/i;

export type BoundValue = string | number | Uint8Array;

/**
 * A database file that never changes, open for reading.
 *
 * The library locks a file by making a folder beside it, for readers as for writers, and a process that is killed leaves
 * that folder behind. Our files are written under another name and renamed when they are whole, so a lock on one of them
 * says nothing: whatever stands in the way is removed, and our own goes as soon as the transaction has begun in which
 * everything is then read. It only needs a folder that may be written to.
 */
export class SegmentFile {
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();

  private constructor(database: Database) {
    this.#database = database;
  }

  static async open(path: string): Promise<SegmentFile> {
    const { Database } = await loadSqlite();
    const database = new Database(path, { readOnly: true });
    try {
      beginUnlocked(database, path);
      return new SegmentFile(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** All rows at once, through a statement that is kept. */
  all(sql: string, ...values: BoundValue[]): readonly SqlRow[] {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement.all(values);
  }

  /** All rows, read as they are taken. */
  *rows(sql: string, ...values: BoundValue[]): Generator<SqlRow> {
    const statement = this.#database.prepare(sql);
    try {
      yield* statement.iterate(values);
    } finally {
      if (this.#database.isOpen) finalize(statement);
    }
  }

  close(): void {
    if (!this.#database.isOpen) return;
    for (const statement of this.#statements.values()) finalize(statement);
    this.#statements.clear();
    this.#database.close();
  }
}

/** The library throws once more what the statement's last step threw, although it is freed. */
function finalize(statement: Statement): void {
  try {
    statement.finalize();
  } catch {
    // Told by the step.
  }
}

function beginUnlocked(database: Database, path: string): void {
  const lock = `${resolve(path)}.lock`;
  for (let tries = 1; ; tries++) {
    try {
      if (!database.inTransaction) database.exec("BEGIN");
      database.get("SELECT count(*) FROM sqlite_schema");
      removeLock(lock);
      return;
    } catch (error) {
      const isLocked = error instanceof Error && LOCKED.test(error.message);
      if (!isLocked || tries >= OPEN_TRIES_MAX) throw error;
      removeLock(lock);
    }
  }
}

function removeLock(lock: string): void {
  try {
    rmdirSync(lock);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}
