import { watch } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { lockWriter, type WriterLock } from "../retrieval/corpus/writer-lock.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
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

describe("watchCorpus, what is kept", () => {
  test("a root that goes and returns keeps its documents; one emptied on the same disk does not", async () => {
    await put("a.md", "apple");
    const watching = start();
    await watching.until(refreshed);
    await rename(notes, join(base, "away"));
    await watching.until((event) => event.type === "failed" && event.error.code === "source_not_found");
    await expectFound("apple", ["notes/a.md"]);
    await rename(join(base, "away"), notes);
    await put("b.md", "banana");
    await expectFound("banana", ["notes/b.md"]);
    await rm(join(notes, "a.md"));
    await rm(join(notes, "b.md"));
    await expectFound("apple", []);
  }, 60_000);

  test("a root that is empty when the watch begins keeps its documents until something is in it", async () => {
    await put("a.md", "apple");
    await mkdir(join(base, "other"));
    await writeFile(join(base, "other", "o.md"), "# O\n\nolive\n");
    await indexCorpus({ folder, paths: [notes, join(base, "other")], embedder: { spec: "none" } });
    await rename(join(notes, "a.md"), join(base, "a.md"));
    const watching = start({ paths: [] });
    await watching.until((event) => event.type === "notice" && event.message.includes("notes is empty"));
    await expectFound("apple", ["notes/a.md"]);
    await put("b.md", "banana");
    await expectFound("banana", ["notes/b.md"]);
    await expectFound("apple", []);
  }, 60_000);

  test("ignore files count when they come, change and go; links do not lead out; the index itself is nobody's document", async () => {
    await put("a.md", "apple");
    await mkdir(join(notes, "sub"));
    await put("sub/b.md", "banana");
    await writeFile(join(base, "outside.md"), "# Outside\n\napple\n");
    await symlink(join(base, "outside.md"), join(notes, "link.md"));
    const own = join(notes, "index");
    folder = own;
    const watching = start();
    await watching.until(refreshed);
    await expectFound(
      "apple",
      ["notes/a.md"].map((key) => key.replace("notes/", "")),
    );
    await writeFile(join(notes, ".winnowignore"), "a.md\n");
    await expectFound("apple", []);
    await writeFile(join(notes, ".winnowignore"), "# nothing\n");
    await expectFound("apple", ["a.md"]);
    await writeFile(join(notes, "sub", ".nowinnow"), "");
    await expectFound("banana", []);
    await rm(join(notes, "sub", ".nowinnow"));
    await expectFound("banana", ["sub/b.md"]);
    const generation = (await reader?.info())?.generation;
    await sleep(1_500);
    expect((await reader?.info())?.generation).toBe(generation);
  }, 60_000);

  test("one file that cannot be read does not end the watch, and its last content stays", async () => {
    await put("a.md", "apple");
    const watching = start();
    await watching.until(refreshed);
    await writeFile(join(notes, "bad.jsonl"), Buffer.from([0, 1, 2, 255, 254, 0, 0, 7]));
    await writeFile(join(notes, "rows.json"), "[".repeat(500));
    await put("b.md", "banana");
    await expectFound("banana", ["notes/b.md"]);
    expect(watching.failure()).toBeUndefined();
  }, 60_000);
});

describe("watchCorpus, what the system tells", () => {
  test("where it gives no more watchers, changes are looked for, and it is said", async () => {
    await put("a.md", "apple");
    await mkdir(join(notes, "sub"));
    await put("sub/b.md", "banana");
    let given = 0;
    const watching = start(
      {},
      {
        recursive: false,
        watchPlace: (path, how, onEvent) => {
          given++;
          if (given > 1) throw Object.assign(new Error("no space left on device, watch"), { code: "ENOSPC" });
          return watch(path, { ...how, persistent: false }, onEvent);
        },
      },
    );
    await watching.until((event) => event.type === "notice" && event.message.includes("watches no more folders"));
    await put("sub/b.md", "cherry");
    await expectFound("cherry", ["notes/sub/b.md"]);
    expect(watching.events.filter(({ type }) => type === "notice")).toHaveLength(1);
  }, 60_000);

  test("what it does not tell is found by the look at everything", async () => {
    await put("a.md", "apple");
    const watching = start(
      {},
      { lookIntervalMs: 300, watchPlace: () => ({ close: () => undefined, on: () => undefined as never }) },
    );
    await watching.until(refreshed);
    await put("a.md", "banana");
    await expectFound("banana", ["notes/a.md"]);
    await watching.until((event) => event.type === "refreshed" && event.cause === "look");
  }, 60_000);

  test("a watcher of a whole tree does as well", async () => {
    await put("a.md", "apple");
    const watching = start({}, { recursive: true });
    await watching.until(refreshed);
    await mkdir(join(notes, "sub"));
    await put("sub/b.md", "banana");
    await expectFound("banana", ["notes/sub/b.md"]);
    await rename(join(notes, "sub"), join(notes, "bus"));
    await expectFound("banana", ["notes/bus/b.md"]);
  }, 60_000);
});

async function lockWhenFree(path: string): Promise<WriterLock> {
  const lock = await lockWriter(path, Date.now).catch(() => undefined);
  if (lock !== undefined) return lock;
  await sleep(10);
  return lockWhenFree(path);
}

describe("watchCorpus, other processes", () => {
  test("waits for another writer, says so once, and goes on; a second watch is refused", async () => {
    await put("a.md", "apple");
    const watching = start();
    await watching.until(refreshed);
    const lock = await lockWhenFree(join(folder, "writer.lock"));
    await put("b.md", "banana");
    await watching.until((event) => event.type === "notice" && event.message.includes("is being written by"));
    const second = start({ name: "notes" });
    await sleep(1_200);
    expect(second.failure()).toMatchObject({ code: "corpus_locked", message: expect.stringContaining("watched by") });
    expect(watching.events.filter(({ type }) => type === "notice")).toHaveLength(1);
    await lock.release();
    await expectFound("banana", ["notes/b.md"]);
    await watching.end();
    expect(watching.failure()).toBeUndefined();
    const third = start();
    await third.until(refreshed);
  }, 60_000);

  test("begins in an empty folder, with a notice; knowing no path at all it does not", async () => {
    const watching = start();
    await watching.until((event) => event.type === "notice" && event.message.includes("Waiting"));
    await put("a.md", "apple");
    await watching.until(refreshed);
    await expectFound("apple", ["notes/a.md"]);
    folder = join(base, "sub", ".winnow");
    const other = start({ paths: [] });
    await sleep(300);
    expect(other.failure()).toMatchObject({ code: "nothing_to_index" });
  }, 60_000);
});
