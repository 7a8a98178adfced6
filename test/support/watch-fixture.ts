import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type WatchEvent, type WatchOptions, watchFiles } from "../../src/features/watch-corpus.ts";
import type { WatchSettings } from "../../src/features/watching/watch-target.ts";
import { openCorpus } from "../../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../../src/retrieval/corpus-reader.ts";

/** A change must be found within this time, also on a machine that is busy with other tests. */
const FOUND_MS = 15_000;

/** A watch under way. */
export interface Watching {
  readonly events: readonly WatchEvent[];
  /** What ended it, where that was an error. */
  readonly failure: () => unknown;
  /** Resolves with the first event that satisfies `wanted`, from the beginning. */
  until(wanted: (event: WatchEvent) => boolean): Promise<WatchEvent>;
  end(): Promise<void>;
}

/** A folder with notes, watches of it, and one reader that stays open. */
export class WatchFixture {
  readonly base: string;
  readonly notes: string;
  /** The corpus folder. */
  folder: string;
  #reader: CorpusReader | undefined;
  readonly #watching: Watching[] = [];

  constructor(base: string) {
    this.base = base;
    this.notes = join(base, "notes");
    this.folder = join(base, ".winnow");
  }

  put(name: string, text: string): Promise<void> {
    return writeFile(join(this.notes, name), `# ${name}\n\n${text}\n`);
  }

  start(options: Partial<WatchOptions> = {}, settings: Partial<WatchSettings> = {}): Watching {
    const controller = new AbortController();
    const events: WatchEvent[] = [];
    let failure: unknown;
    const all = { folder: this.folder, paths: [this.notes], embedder: { spec: "none" }, ...options };
    const done = (async () => {
      try {
        for await (const event of watchFiles(all, { signal: controller.signal, ...settings })) events.push(event);
      } catch (error) {
        failure = error;
      }
    })();
    const until = async (wanted: (event: WatchEvent) => boolean) => {
      for (const startMs = performance.now(); performance.now() - startMs < FOUND_MS; await sleep(10)) {
        const found = events.find(wanted);
        if (found !== undefined) return found;
        if (failure !== undefined) throw failure;
      }
      throw new Error(`Not told; but: ${JSON.stringify(events)}`);
    };
    const end = async () => {
      controller.abort();
      await done;
    };
    const watching = { events, failure: () => failure, until, end };
    this.#watching.push(watching);
    return watching;
  }

  /** Resolves once the documents with this word are those; rejects when that takes too long. */
  async found(word: string, keys: readonly string[]): Promise<void> {
    this.#reader ??= await openCorpus(this.folder);
    let found: string[] = [];
    for (const startMs = performance.now(); performance.now() - startMs < FOUND_MS; await sleep(20)) {
      const { hits } = await this.#reader.find({ text: word, mode: "lexical", chunksMax: 50 });
      found = [...new Set(hits.map(({ chunk }) => chunk.documentId))].sort();
      if (JSON.stringify(found) === JSON.stringify(keys)) return;
    }
    throw new Error(`"${word}" is in ${JSON.stringify(found)}, not in ${JSON.stringify(keys)}.`);
  }

  async generation(): Promise<number | undefined> {
    return (await this.#reader?.info())?.generation;
  }

  async remove(): Promise<void> {
    for (const watching of this.#watching) await watching.end();
    await this.#reader?.close();
    await rm(this.base, { recursive: true, force: true });
  }
}

export async function watchFixture(): Promise<WatchFixture> {
  const fixture = new WatchFixture(await mkdtemp(join(tmpdir(), "winnow-watch-")));
  await mkdir(fixture.notes);
  return fixture;
}

export const isRefreshed = (event: WatchEvent): boolean => event.type === "refreshed";
