import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { takeSnapshot } from "./snapshot.ts";

let work: string;
let source: string;
let snapshotsFolder: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "winnow-snapshot-"));
  source = join(work, ".chroma");
  snapshotsFolder = join(work, "snapshots");
  mkdirSync(join(source, "segment"), { recursive: true });
  writeFileSync(join(source, "chroma.sqlite3"), "database");
  writeFileSync(join(source, "chroma.sqlite3-wal"), "log");
  writeFileSync(join(source, "chroma.sqlite3-shm"), "shared memory");
  writeFileSync(join(source, "segment", "data_level0.bin"), "vectors");
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const take = () => takeSnapshot({ source, snapshotsFolder });
const copies = () => readdirSync(snapshotsFolder).flatMap((name) => readdirSync(join(snapshotsFolder, name)));
const digest = () =>
  readdirSync(source, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const file = join(source, name);
      const bytes = statSync(file).isFile() ? readFileSync(file) : "";
      return [name, statSync(file).mtimeMs, createHash("sha256").update(bytes).digest("hex")];
    });

describe("takeSnapshot", () => {
  test("copies the data with its log, and neither shared memory nor what links lead to", async () => {
    writeFileSync(join(work, "secret"), "elsewhere");
    symlinkSync(join(work, "secret"), join(source, "link"));
    const before = digest();
    const snapshot = await take();
    expect(readdirSync(snapshot.folder).sort()).toEqual(["chroma.sqlite3", "chroma.sqlite3-wal", "segment"]);
    expect(readFileSync(join(snapshot.folder, "segment", "data_level0.bin"), "utf8")).toBe("vectors");
    expect(snapshot).toMatchObject({ copied: true, notices: [] });
    await snapshot.release();
    expect(digest()).toEqual(before);
  });

  test("uses the copy of an unchanged source again, and replaces it once the source changed", async () => {
    const first = await take();
    // What a server does to its copy is not the source's doing.
    writeFileSync(join(first.folder, "chroma.sqlite3"), "migrated");
    await first.release();
    const again = await take();
    expect(again).toMatchObject({ folder: first.folder, copied: false });
    await again.release();
    writeFileSync(join(source, "chroma.sqlite3"), "database, grown");
    const changed = await take();
    expect(changed.copied).toBe(true);
    expect(readFileSync(join(changed.folder, "chroma.sqlite3"), "utf8")).toBe("database, grown");
    expect(copies()).toHaveLength(1);
    await changed.release();
  });

  test("a change that leaves sizes as they were is seen by its time", async () => {
    await (await take()).release();
    writeFileSync(join(source, "segment", "data_level0.bin"), "vektors");
    utimesSync(join(source, "segment", "data_level0.bin"), 1_800_000_000, 1_800_000_000);
    const changed = await take();
    expect(readFileSync(join(changed.folder, "segment", "data_level0.bin"), "utf8")).toBe("vektors");
    await changed.release();
  });

  test("two users at once have a copy each, and each of them is good", async () => {
    const [first, second] = [await take(), await take()];
    expect(second.folder).not.toBe(first.folder);
    expect(readFileSync(join(second.folder, "chroma.sqlite3"), "utf8")).toBe("database");
    await Promise.all([first.release(), second.release()]);
  });

  test("a copy that was cut off is not used, and what nobody used for weeks goes", async () => {
    const cut = await take();
    await cut.release();
    rmSync(join(cut.folder, "..", "stamp.json"));
    const whole = await take();
    expect(whole.folder).not.toBe(cut.folder);
    await whole.release();
    utimesSync(join(whole.folder, ".."), 1_000_000, 1_000_000);
    const other = join(work, "other");
    mkdirSync(other);
    writeFileSync(join(other, "chroma.sqlite3"), "x");
    const last = await takeSnapshot({ source: other, snapshotsFolder });
    expect(existsSync(whole.folder)).toBe(false);
    await last.release();
  });

  test("a source that never rests is copied, and said to move", async () => {
    let grown = "database";
    const timer = setInterval(() => {
      grown += "+";
      writeFileSync(join(source, "chroma.sqlite3"), grown);
    }, 0);
    // Enough files for a copy to take longer than a change.
    for (let i = 0; i < 60; i++) writeFileSync(join(source, "segment", `${i}`), "x".repeat(1_000));
    try {
      const snapshot = await take();
      expect(snapshot.notices).toMatchObject([{ code: "changing_collection" }]);
      await snapshot.release();
      const next = await take();
      expect(next.copied).toBe(true);
      await next.release();
    } finally {
      clearInterval(timer);
    }
  });

  test.each([
    ["missing", /does not exist/],
    [".chroma/chroma.sqlite3", /is a file/],
    [".chroma/segment", /no chroma\.sqlite3/],
  ])("%s is no data directory", async (path, message) => {
    const wrong = takeSnapshot({ source: join(work, path), snapshotsFolder });
    await expect(wrong).rejects.toMatchObject({ code: "corpus_not_found", message: expect.stringMatching(message) });
  });

  test("a folder above one is told where it is", async () => {
    const wrong = takeSnapshot({ source: work, snapshotsFolder });
    await expect(wrong).rejects.toMatchObject({ hint: expect.stringMatching(/\.chroma/) });
  });

  test("a cancelled copy leaves nothing behind", async () => {
    const signal = AbortSignal.abort();
    await expect(takeSnapshot({ source, snapshotsFolder, signal })).rejects.toMatchObject({ code: "cancelled" });
    expect(copies()).toEqual([]);
  });
});
