import { WinnowError } from "../../../core/errors.ts";
import type { StoreCounts, StoreReader, StoreRow, StoreVersion, StoreWriter } from "../store.ts";
import { ChromaReader, PAGE_RECORDS, type TableCollection } from "./chroma-reader.ts";
import { recordIdOf, toRecord } from "./row-record.ts";

export interface ChromaWriterOptions {
  readonly words: StoreWriter;
  readonly open: () => Promise<TableCollection>;
  readonly vectorDimension: number;
  readonly cloud: boolean;
}

/** Writes records before the rows that they belong to, and deletes them when no version has such a row any more. */
export class ChromaWriter implements StoreWriter {
  readonly #options: ChromaWriterOptions;
  readonly #words: StoreWriter;

  constructor(options: ChromaWriterOptions) {
    this.#options = options;
    this.#words = options.words;
  }

  async append(rows: readonly StoreRow[]): Promise<void> {
    const { vectorDimension, open } = this.#options;
    const records = rows.flatMap((row) => {
      if (row.vector === undefined || row.vector === null) return [];
      if (row.vector.length !== vectorDimension) {
        throw new WinnowError("internal", `A vector has ${row.vector.length} numbers instead of ${vectorDimension}.`);
      }
      return [toRecord(row, vectorDimension)];
    });
    const { collection } = await open();
    await collection.upsert(records);
    await this.#words.append(rows.map(({ chunk, item, terms }) => ({ chunk, item, terms })));
  }

  remove(items: readonly string[]): Promise<void> {
    return this.#words.remove(items);
  }

  commit(): Promise<StoreVersion> {
    return this.#words.commit();
  }

  optimize(): Promise<void> {
    return this.#words.optimize();
  }

  async cleanUp(ageMs: number): Promise<void> {
    await this.#words.cleanUp(ageMs);
    // Readers of a version that stays may still need what it has and the present one has not.
    if (ageMs === 0) await this.#sweep();
  }

  /** Deletes records without a row. */
  async #sweep(): Promise<void> {
    const { collection } = await this.#options.open();
    const { chunks } = await this.#words.counts();
    const counted = await collection.count();
    if (counted <= chunks) return;
    const live = new Set<string>();
    for await (const rows of this.#words.reader().scan()) for (const { chunk } of rows) live.add(recordIdOf(chunk));
    const orphans: string[] = [];
    // No further than it counted: a server that gives no end of records is not read without one.
    for (let offset = 0; offset < counted; offset += PAGE_RECORDS) {
      const page = await collection.get({ include: [], limit: PAGE_RECORDS, offset });
      for (const { id } of page) if (!live.has(id)) orphans.push(id);
      if (page.length < PAGE_RECORDS) break;
    }
    await collection.delete(orphans);
  }

  counts(): Promise<StoreCounts> {
    return this.#words.counts();
  }

  reader(): StoreReader {
    return new ChromaReader({ ...this.#options, words: this.#words.reader() });
  }

  close(): Promise<void> {
    return this.#words.close();
  }
}
