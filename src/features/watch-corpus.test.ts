import { watch } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { lockWriter } from "../retrieval/corpus/writer-lock.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { thrown } from "../testing/thrown.ts";
import { indexCorpus } from "./index-corpus.ts";
import { type WatchEvent, type WatchOptions, watchFiles } from "./watch-corpus.ts";
import type { WatchSettings } from "./watching/watch-target.ts";

/** A change must be found within this time, also on a machine that is busy with other tests. */
const FOUND_MS = 8_000;

let base: string;
let notes: string;
let folder: string;
let reader: CorpusReader | undefined;
const ending: (() => Promise<void>)[] = [];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-watch-"));
  notes = join(base, "notes");
  folder = join(base, ".winnow");
  await mkdir(notes);
});
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
  await reader?.close();
  reader = undefined;
  await rm(base, { recursive: true, force: true });
});

interface Watching {
  readonly events: WatchEvent[];
  readonly failure: () => unknown;
  /** Resolves with the first event that satisfies `wanted`, from the beginning. */
  until(wanted: (event: WatchEvent) => boolean): Promise<WatchEvent>;
  end(): Promise<void>;
}

function start(options: Partial<WatchOptions> = {}, settings: Partial<WatchSettings> = {}): Watching {
  const controller = new AbortController();
  const events: WatchEvent[] = [];
  let failure: unknown;
  const done = (async () => {
    try {
      const all = { folder, paths: [notes], embedder: { spec: "none" }, ...options };
      for await (const event of watchFiles(all, { signal: controller.signal, ...settings })) events.push(event);
    } catch (error) {
      failure = error;
    }
  })();
  const end = async () => {
    controller.abort();
    await done;
  };
  ending.push(end);
  const until = async (wanted: (event: WatchEvent) => boolean) => {
    const startMs = performance.now();
    for (;;) {
      const found = events.find(wanted);
      if (found !== undefined) return found;
      if (failure !== undefined) throw failure;
      if (performance.now() - startMs > FOUND_MS) throw new Error(`Not told; but: ${JSON.stringify(events)}`);
      await sleep(10);
    }
  };
  return { events, failure: () => failure, until, end };
}

const refreshed = (event: WatchEvent): boolean => event.type === "refreshed";
const put = (name: string, text: string) => writeFile(join(notes, name), `# ${name}\n\n${text}\n`);

/** Keys of the documents with this word, once they are those; through one reader that stays open. */
async function expectFound(word: string, keys: readonly string[]): Promise<void> {
  reader ??= await openCorpus(folder);
  const startMs = performance.now();
  for (;;) {
    const { hits } = await reader.find({ text: word, mode: "lexical", chunksMax: 50 });
    const found = [...new Set(hits.map(({ chunk }) => chunk.documentId))].sort();
    if (JSON.stringify(found) === JSON.stringify(keys)) return;
    if (performance.now() - startMs > FOUND_MS) expect(found).toEqual(keys);
    await sleep(20);
  }
}

describe("watchCorpus", () => {
  test("what is added, changed, moved and removed is found soon, by a reader that stays open", async () => {
    await put("a.md", "apple");
    const watching = start();
    await watching.until(refreshed);
    await put("b.md", "banana");
    await expectFound("banana", ["notes/b.md"]);
    await put("a.md", "cherry");
    await expectFound("cherry", ["notes/a.md"]);
    await expectFound("apple", []);
    // As editors save: a new file takes the place of the old.
    await writeFile(join(base, "a.md.new"), "# A\n\ndamson\n");
    await rename(join(base, "a.md.new"), join(notes, "a.md"));
    await expectFound("damson", ["notes/a.md"]);
    await mkdir(join(notes, "deep", "er"), { recursive: true });
    await put("deep/er/c.md", "elder");
    await expectFound("elder", ["notes/deep/er/c.md"]);
    await put("deep/er/d.md", "fig");
    await expectFound("fig", ["notes/deep/er/d.md"]);
    await rename(join(notes, "deep"), join(notes, "moved"));
    await expectFound("fig", ["notes/moved/er/d.md"]);
    await put("moved/er/d.md", "grape");
    await expectFound("grape", ["notes/moved/er/d.md"]);
    // Another folder under a name that was watched before.
    await mkdir(join(notes, "deep", "er"), { recursive: true });
    await put("deep/er/e.md", "hazel");
    await expectFound("hazel", ["notes/deep/er/e.md"]);
    await rm(join(notes, "moved"), { recursive: true });
    await expectFound("grape", []);
    await rm(join(notes, "b.md"));
    await expectFound("banana", []);
    expect(watching.events.filter(({ type }) => type !== "refreshed")).toEqual([]);
  }, 60_000);
});
