import { WinnowError } from "../../core/errors.ts";
import { spokenTime, timeLimit } from "../../core/time-limit.ts";
import type { Notice } from "../../core/types.ts";
import type { StoreReader } from "../store/store.ts";
import { chunkIdOf } from "./chunk-id.ts";
import type { ChromaCollection } from "./collection.ts";

/** Time for one look at a collection beside a query: what it finds out is worth no long wait. */
const LOOK_TIMEOUT_MS = 2_000;
/** After a look that failed, and between two looks at the last record. */
const LOOK_PAUSE_MS = 30_000;
/** How long it holds that a record has no text, or is there. */
const KNOWN_MS = 60_000;
/** Records that one look names: Cloud takes no more. */
const LOOKED_RECORDS_MAX = 300;
/** Records of which something is remembered. */
const KNOWN_RECORDS_MAX = 50_000;

type Looked = Pick<ChromaCollection, "get" | "count">;

/**
 * What queries by meaning show of the age of the words beside a collection: records that came since, and records that
 * went. Only what a look shows counts: a record without a text is no news. Looks never reject.
 */
export class WordAge {
  #came = false;
  #went = false;
  #nextLookMs = 0;
  #nextLastMs = 0;
  readonly #withoutText = new Recent();
  readonly #there = new Recent();

  notices(name: string): readonly Notice[] {
    if (!this.#came && !this.#went) return [];
    const came = this.#came ? ["holds records that the index of its words lacks"] : [];
    const went = this.#went ? ["no longer holds records that the index of its words has"] : [];
    const message = `The collection ${[...came, ...went].join(" and ")}. Refresh it with: winnow index ${name}`;
    return [{ code: "stale_index", message }];
  }

  /** These records were found just now. */
  areThere(recordIds: readonly string[]): void {
    this.#there.add(recordIds);
  }

  /** Found records that the words lack: whether they are new, or have no text. */
  async lacking(collection: Looked, recordIds: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const ids = this.#withoutText.others(recordIds).slice(0, LOOKED_RECORDS_MAX);
    if (this.#came || ids.length === 0) return;
    await this.#look(signal, async (limited) => {
      const records = await collection.get({ ids, limit: ids.length, include: ["documents"], signal: limited });
      this.#came ||= records.some(hasText);
      this.#withoutText.add(records.filter((record) => !hasText(record)).map(({ id }) => id));
    });
  }

  /** New records come at the end: whether the words have the last one. */
  async last(collection: Looked, reader: Pick<StoreReader, "chunks">, signal: AbortSignal | undefined): Promise<void> {
    if (this.#came || performance.now() < this.#nextLastMs) return;
    this.#nextLastMs = performance.now() + LOOK_PAUSE_MS;
    await this.#look(signal, async (limited) => {
      const offset = (await collection.count(limited)) - 1;
      if (offset < 0) return;
      const [record] = await collection.get({ limit: 1, offset, include: ["documents"], signal: limited });
      if (record === undefined || !hasText(record)) return;
      const known = await reader.chunks([chunkIdOf(record.id, 0)], limited);
      this.#came ||= known.length === 0;
    });
  }

  /** Records whose words were found: whether they are still there. */
  async found(collection: Looked, recordIds: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const ids = this.#there.others([...new Set(recordIds)]).slice(0, LOOKED_RECORDS_MAX);
    if (this.#went || ids.length === 0) return;
    await this.#look(signal, async (limited) => {
      const records = await collection.get({ ids, limit: ids.length, include: [], signal: limited });
      const there = records.map(({ id }) => id);
      this.#there.add(there);
      const held = new Set(there);
      this.#went ||= ids.some((id) => !held.has(id));
    });
  }

  async #look(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (performance.now() < this.#nextLookMs) return;
    const overdue = () => new WinnowError("timeout", `A look took longer than ${spokenTime(LOOK_TIMEOUT_MS)}.`);
    const limit = timeLimit(LOOK_TIMEOUT_MS, overdue, signal);
    try {
      await limit.within(work(limit.signal));
    } catch {
      this.#nextLookMs = performance.now() + LOOK_PAUSE_MS;
    } finally {
      limit.end();
    }
  }
}

function hasText({ document }: { readonly document: string | null }): boolean {
  return document !== null && document.trim() !== "";
}

/** Ids of which something held a short while ago. */
class Recent {
  readonly #sinceMs = new Map<string, number>();

  add(ids: readonly string[]): void {
    if (this.#sinceMs.size > KNOWN_RECORDS_MAX) this.#sinceMs.clear();
    const nowMs = performance.now();
    for (const id of ids) this.#sinceMs.set(id, nowMs);
  }

  /** Those that are not among them. */
  others(ids: readonly string[]): readonly string[] {
    const oldestMs = performance.now() - KNOWN_MS;
    return ids.filter((id) => (this.#sinceMs.get(id) ?? Number.NEGATIVE_INFINITY) < oldestMs);
  }
}
