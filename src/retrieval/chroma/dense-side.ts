import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { matchesFilter } from "../../core/filter-match.ts";
import { spokenTime, timeLimit } from "../../core/time-limit.ts";
import type { Chunk, Notice } from "../../core/types.ts";
import { overfetch } from "../store/overfetch.ts";
import type { Candidate, CandidateList, DenseQuery, StoreReader } from "../store/store.ts";
import { chunkIdOf, recordIdOf } from "./chunk-id.ts";
import { CLOUD_RESULTS_MAX } from "./cloud-search.ts";
import type { ChromaCollection } from "./collection.ts";
import { CALL_LIMITS } from "./wire.ts";
import { WordAge } from "./word-age.ts";

/** Records that a filter may leave for the query to name them one by one; of more, enough are found by over-fetching. */
const NAMED_RECORDS_MAX = 2_000;

/** A collection that is open for queries. */
export interface OpenCollection {
  readonly collection: ChromaCollection;
  readonly cloud: boolean;
  /** Told when a query was not answered. */
  readonly onFailure?: (error: WinnowError) => Promise<void>;
}

/** What is asked of the words. */
type WordsReader = Pick<StoreReader, "chunks" | "documentsWhere" | "spansOf">;

/**
 * The dense half of an attached corpus: the collection's own vectors, asked with ours. Records are mapped to the first
 * chunk that the lexical side made of them; a record that it does not know yet is left out, and told.
 */
export class DenseSide {
  readonly #open: (signal?: AbortSignal) => Promise<OpenCollection>;
  readonly #replicas: number;
  readonly #timeoutMs: number;
  readonly #age = new WordAge();
  /** What answered last; undefined where nothing did. */
  #answered: ChromaCollection | undefined;

  /**
   * `replicas` is how many servers `open` chooses from: a query that one of them fails is put to another. One that does
   * not answer all that a query asks it within `timeoutMs` has failed.
   */
  constructor(
    open: (signal?: AbortSignal) => Promise<OpenCollection>,
    replicas = 1,
    timeoutMs: number = CALL_LIMITS.query.totalMs,
  ) {
    this.#open = open;
    this.#replicas = replicas;
    this.#timeoutMs = timeoutMs;
  }

  /** What queries so far met: records that are newer than the words, and words of records that went. */
  notices(name: string): readonly Notice[] {
    return this.#age.notices(name);
  }

  /** Looks whether what a query found, by words too, is still there; where the collection did not answer, nothing. */
  async check(hits: readonly { readonly chunk: Chunk }[], signal: AbortSignal | undefined): Promise<void> {
    const ids = hits.map(({ chunk }) => recordIdOf(chunk.id));
    if (this.#answered !== undefined) await this.#age.found(this.#answered, ids, signal);
  }

  /**
   * Rejects with `corpus_mismatch` when the vectors are of another length, and with what the server is refused or not
   * reached for.
   */
  async candidates(reader: WordsReader, query: DenseQuery): Promise<CandidateList> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#ask(reader, query);
      } catch (error) {
        this.#answered = undefined;
        const { retryable, code } = toWinnowError(error);
        // A collection that one server lost may stand on another.
        if (tried >= this.#replicas || !(retryable || code === "corpus_not_found")) throw error;
      }
    }
  }

  async #ask(reader: WordsReader, query: DenseQuery): Promise<CandidateList> {
    const { collection, cloud, onFailure } = await this.#open(query.signal);
    checkDimension(collection, query.vector);
    const overdue = (): WinnowError => {
      const message = `The Chroma server did not answer the query in full within ${spokenTime(this.#timeoutMs)}.`;
      return new WinnowError("timeout", message, { retryable: true });
    };
    const limit = timeLimit(this.#timeoutMs, overdue, query.signal);
    try {
      const looking = this.#age.last(collection, reader, query.signal);
      const asked = await limit.within(this.#candidates(collection, cloud, reader, { ...query, signal: limit.signal }));
      this.#answered = collection;
      await Promise.all([looking, this.#age.lacking(collection, asked.lacking, query.signal)]);
      return asked.list;
    } catch (error) {
      const failure = toWinnowError(error, "store_failed");
      await onFailure?.(failure);
      throw failure;
    } finally {
      limit.end();
    }
  }

  async #candidates(
    collection: ChromaCollection,
    cloud: boolean,
    reader: WordsReader,
    query: DenseQuery,
  ): Promise<{ readonly list: CandidateList; readonly lacking: readonly string[] }> {
    const { exclude, excludeDocuments, where, limit, vector, text, signal } = query;
    const lacking = new Set<string>();
    const named = where === undefined || where.length === 0 ? undefined : await namedRecords(reader, query);
    if (named?.length === 0) return { list: { candidates: [], complete: true }, lacking: [] };
    const keep = ({ chunk }: Candidate): boolean =>
      chunk !== undefined &&
      exclude?.has(chunk.id) !== true &&
      excludeDocuments?.has(chunk.documentId) !== true &&
      (where === undefined || matchesFilter(where, chunk.metadata));
    const fetch = async (rows: number): Promise<readonly Candidate[]> => {
      const found = await collection.search({ vector, text, limit: rows, signal, ...(named && { ids: named }) });
      const ids = found.map(({ id }) => id);
      this.#age.areThere(ids);
      const chunks = await chunksOf(reader, ids, signal);
      return found.map(({ id, score }) => {
        const chunk = chunks.get(id);
        if (chunk === undefined) lacking.add(id);
        return { id: chunkIdOf(id, 0), documentId: chunk?.documentId ?? "", score, ...(chunk && { chunk }) };
      });
    };
    const firstRows = limit + (exclude?.size ?? 0);
    const list = await overfetch({ fetch, keep, limit, firstRows, ...(cloud ? { rowsMax: CLOUD_RESULTS_MAX } : {}) });
    return { list, lacking: [...lacking] };
  }
}

/** Ids of the records that a filter leaves, where they are few; undefined where they are many. */
async function namedRecords(
  reader: WordsReader,
  { where, signal }: DenseQuery,
): Promise<readonly string[] | undefined> {
  const documents = await reader.documentsWhere(where ?? [], signal);
  if (documents.size > NAMED_RECORDS_MAX) return undefined;
  const spans = await reader.spansOf([...documents], signal);
  const records = [...new Set(spans.map(({ id }) => recordIdOf(id)))];
  return records.length > NAMED_RECORDS_MAX ? undefined : records;
}

async function chunksOf(
  reader: WordsReader,
  recordIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Chunk>> {
  const found = await reader.chunks(
    recordIds.map((id) => chunkIdOf(id, 0)),
    signal,
  );
  const byId = new Map(found.map((chunk) => [chunk.id, chunk]));
  return new Map(
    recordIds.flatMap((id) => {
      const chunk = byId.get(chunkIdOf(id, 0));
      return chunk === undefined ? [] : [[id, chunk] as const];
    }),
  );
}

function checkDimension({ info }: ChromaCollection, vector: Float32Array): void {
  if (info.dimension === null || info.dimension === vector.length) return;
  throw new WinnowError(
    "corpus_mismatch",
    `The vectors of the collection ${info.name} have ${info.dimension} numbers, those of its embedder ${vector.length}.`,
    { hint: "Attach it again with --embedder, naming what made its vectors, or with --embedder none." },
  );
}
