import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { indexCorpus } from "../../src/features/index-corpus.ts";
import { lockWriter, type WriterLock } from "../../src/retrieval/corpus/writer-lock.ts";
import { isRefreshed, type WatchFixture, watchFixture } from "../support/watch-fixture.ts";

let fixture: WatchFixture;
beforeEach(async () => {
  fixture = await watchFixture();
});
afterEach(() => fixture.remove());

describe("a watch", () => {
  test("what is added, changed, moved and removed is found soon, by a reader that stays open", async () => {
    await fixture.put("a.md", "apple");
    const watching = fixture.start();
    await watching.until(isRefreshed);
    await fixture.put("b.md", "banana");
    await fixture.found("banana", ["notes/b.md"]);
    await fixture.put("a.md", "cherry");
    await fixture.found("cherry", ["notes/a.md"]);
    await fixture.found("apple", []);
    // As editors save: a new file takes the place of the old.
    await writeFile(join(fixture.base, "a.md.new"), "# A\n\ndamson\n");
    await rename(join(fixture.base, "a.md.new"), join(fixture.notes, "a.md"));
    await fixture.found("damson", ["notes/a.md"]);
    await mkdir(join(fixture.notes, "deep", "er"), { recursive: true });
    await fixture.put("deep/er/c.md", "elder");
    await fixture.found("elder", ["notes/deep/er/c.md"]);
    await fixture.put("deep/er/d.md", "fig");
    await fixture.found("fig", ["notes/deep/er/d.md"]);
    await rename(join(fixture.notes, "deep"), join(fixture.notes, "moved"));
    await fixture.found("fig", ["notes/moved/er/d.md"]);
    await fixture.put("moved/er/d.md", "grape");
    await fixture.found("grape", ["notes/moved/er/d.md"]);
    // Another folder under a name that was watched before.
    await mkdir(join(fixture.notes, "deep", "er"), { recursive: true });
    await fixture.put("deep/er/e.md", "hazel");
    await fixture.found("hazel", ["notes/deep/er/e.md"]);
    await rm(join(fixture.notes, "moved"), { recursive: true });
    await fixture.found("grape", []);
    await rm(join(fixture.notes, "b.md"));
    await fixture.found("banana", []);
    expect(watching.events.filter(({ type }) => type !== "refreshed")).toEqual([]);
  }, 60_000);

  test("a watcher of a whole tree does as well", async () => {
    await fixture.put("a.md", "apple");
    const watching = fixture.start({}, { recursive: true });
    await watching.until(isRefreshed);
    await mkdir(join(fixture.notes, "sub"));
    await fixture.put("sub/b.md", "banana");
    await fixture.found("banana", ["notes/sub/b.md"]);
    await rename(join(fixture.notes, "sub"), join(fixture.notes, "bus"));
    await fixture.found("banana", ["notes/bus/b.md"]);
  }, 60_000);
});

describe("a watch, what is kept", () => {
  test("a root that goes and returns keeps its documents; one emptied on the same disk does not", async () => {
    await fixture.put("a.md", "apple");
    const watching = fixture.start();
    await watching.until(isRefreshed);
    await rename(fixture.notes, join(fixture.base, "away"));
    await watching.until((event) => event.type === "failed" && event.error.code === "source_not_found");
    await fixture.found("apple", ["notes/a.md"]);
    await rename(join(fixture.base, "away"), fixture.notes);
    await fixture.put("b.md", "banana");
    await fixture.found("banana", ["notes/b.md"]);
    await rm(join(fixture.notes, "a.md"));
    await rm(join(fixture.notes, "b.md"));
    await fixture.found("apple", []);
  }, 60_000);

  test("a root that is empty when the watch begins keeps its documents until something is in it", async () => {
    await fixture.put("a.md", "apple");
    await mkdir(join(fixture.base, "other"));
    await writeFile(join(fixture.base, "other", "o.md"), "# O\n\nolive\n");
    await indexCorpus({
      folder: fixture.folder,
      paths: [fixture.notes, join(fixture.base, "other")],
      embedder: { spec: "none" },
    });
    await rename(join(fixture.notes, "a.md"), join(fixture.base, "a.md"));
    const watching = fixture.start({ paths: [] });
    await watching.until((event) => event.type === "notice" && event.message.includes("notes is empty"));
    await fixture.found("apple", ["notes/a.md"]);
    await fixture.put("b.md", "banana");
    await fixture.found("banana", ["notes/b.md"]);
    await fixture.found("apple", []);
  }, 60_000);

  test("ignore files count when they come, change and go; links do not lead out; the index itself is nobody's document", async () => {
    await fixture.put("a.md", "apple");
    await mkdir(join(fixture.notes, "sub"));
    await fixture.put("sub/b.md", "banana");
    await writeFile(join(fixture.base, "outside.md"), "# Outside\n\napple\n");
    await symlink(join(fixture.base, "outside.md"), join(fixture.notes, "link.md"));
    const own = join(fixture.notes, "index");
    fixture.folder = own;
    const watching = fixture.start();
    await watching.until(isRefreshed);
    await fixture.found(
      "apple",
      ["notes/a.md"].map((key) => key.replace("notes/", "")),
    );
    await writeFile(join(fixture.notes, ".winnowignore"), "a.md\n");
    await fixture.found("apple", []);
    await writeFile(join(fixture.notes, ".winnowignore"), "# nothing\n");
    await fixture.found("apple", ["a.md"]);
    await writeFile(join(fixture.notes, "sub", ".nowinnow"), "");
    await fixture.found("banana", []);
    await rm(join(fixture.notes, "sub", ".nowinnow"));
    await fixture.found("banana", ["sub/b.md"]);
    const generation = await fixture.generation();
    await sleep(1_500);
    expect(await fixture.generation()).toBe(generation);
  }, 60_000);

  test("one file that cannot be read does not end the watch, and its last content stays", async () => {
    await fixture.put("a.md", "apple");
    const watching = fixture.start();
    await watching.until(isRefreshed);
    await writeFile(join(fixture.notes, "bad.jsonl"), Buffer.from([0, 1, 2, 255, 254, 0, 0, 7]));
    await writeFile(join(fixture.notes, "rows.json"), "[".repeat(500));
    await fixture.put("b.md", "banana");
    await fixture.found("banana", ["notes/b.md"]);
    expect(watching.failure()).toBeUndefined();
  }, 60_000);
});

async function lockWhenFree(path: string): Promise<WriterLock> {
  const lock = await lockWriter(path, Date.now).catch(() => undefined);
  if (lock !== undefined) return lock;
  await sleep(10);
  return lockWhenFree(path);
}

describe("a watch, other processes", () => {
  test("waits for another writer, says so once, and goes on; a second watch is refused", async () => {
    await fixture.put("a.md", "apple");
    const watching = fixture.start();
    await watching.until(isRefreshed);
    const lock = await lockWhenFree(join(fixture.folder, "writer.lock"));
    await fixture.put("b.md", "banana");
    await watching.until((event) => event.type === "notice" && event.message.includes("is being written by"));
    const second = fixture.start({ name: "notes" });
    await sleep(1_200);
    expect(second.failure()).toMatchObject({ code: "corpus_locked", message: expect.stringContaining("watched by") });
    expect(watching.events.filter(({ type }) => type === "notice")).toHaveLength(1);
    await lock.release();
    await fixture.found("banana", ["notes/b.md"]);
    await watching.end();
    expect(watching.failure()).toBeUndefined();
    const third = fixture.start();
    await third.until(isRefreshed);
  }, 60_000);

  test("begins in an empty folder, with a notice; knowing no path at all it does not", async () => {
    const watching = fixture.start();
    await watching.until((event) => event.type === "notice" && event.message.includes("Waiting"));
    await fixture.put("a.md", "apple");
    await watching.until(isRefreshed);
    await fixture.found("apple", ["notes/a.md"]);
    fixture.folder = join(fixture.base, "sub", ".winnow");
    const other = fixture.start({ paths: [] });
    await sleep(300);
    expect(other.failure()).toMatchObject({ code: "nothing_to_index" });
  }, 60_000);
});
