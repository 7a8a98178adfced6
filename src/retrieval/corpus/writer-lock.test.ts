import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockWriter, type ProcessTable, systemProcesses } from "./writer-lock.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const now = () => NOW_MS;

/** Processes of one host: pid by start time; those that are not listed are dead. */
function processes(pid: number, alive: Readonly<Record<number, string>>, host = "here"): ProcessTable {
  return { pid, host, isAlive: (other) => other in alive, startOf: async (other) => alive[other] };
}

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-lock-"));
  path = join(folder, "writer.lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("writer lock", () => {
  test("a second writer is told who writes and since when; a released lock is free", async () => {
    const first = await lockWriter(path, now, processes(11, { 11: "a" }));
    await expect(lockWriter(path, now, processes(12, { 11: "a", 12: "b" }))).rejects.toMatchObject({
      code: "corpus_locked",
      message: "The index is being written by process 11 on here since 2026-01-02T03:04:05.000Z.",
      retryable: true,
    });
    await first.verify();
    await first.release();
    const second = await lockWriter(path, now, processes(12, { 12: "b" }));
    await first.release();
    await second.verify();
    await expect(first.verify()).rejects.toMatchObject({ code: "corpus_locked" });
    await second.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("the lock of a dead process and of a reused pid is taken over, that of another host is not", async () => {
    await lockWriter(path, now, processes(11, { 11: "a" }));
    await expect(lockWriter(path, now, processes(12, { 11: "a", 12: "b" }))).rejects.toThrow();
    await expect(lockWriter(path, now, processes(12, { 12: "b" }, "elsewhere"))).rejects.toMatchObject({
      code: "corpus_locked",
    });
    const reused = await lockWriter(path, now, processes(12, { 11: "later", 12: "b" }));
    await reused.verify();
    const dead = await lockWriter(path, now, processes(13, { 13: "c" }));
    await dead.verify();
    await expect(reused.verify()).rejects.toMatchObject({ code: "corpus_locked" });
    expect(await readdir(folder)).toEqual(["writer.lock"]);
  });

  test("of many that find a stale lock exactly one takes it", async () => {
    for (let round = 0; round < 10; round++) {
      await rm(path, { force: true });
      await lockWriter(path, now, processes(1, { 1: "gone" }));
      const alive = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [100 + i, "x"]));
      const tries = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) => lockWriter(path, now, processes(100 + i, alive))),
      );
      const won = tries.filter((result) => result.status === "fulfilled");
      const sound = await Promise.allSettled(won.map(({ value }) => value.verify()));
      expect(sound.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const result of tries) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "corpus_locked" });
      }
      expect(await readdir(folder)).toEqual(["writer.lock"]);
    }
  });

  test("a lock that cannot be read is respected while it is new, and taken over when it is old", async () => {
    await writeFile(path, "garb");
    await utimes(path, NOW_MS / 1_000, NOW_MS / 1_000);
    await expect(lockWriter(path, now, processes(1, { 1: "a" }))).rejects.toMatchObject({ code: "corpus_locked" });
    await utimes(path, NOW_MS / 1_000 - 60, NOW_MS / 1_000 - 60);
    await (await lockWriter(path, now, processes(1, { 1: "a" }))).verify();
  });

  test("knows this process", async () => {
    expect(systemProcesses.isAlive(process.pid)).toBe(true);
    if (process.platform === "linux") expect(await systemProcesses.startOf(process.pid)).toMatch(/^[0-9]+$/);
    const lock = await lockWriter(path, now);
    await expect(lockWriter(path, now)).rejects.toMatchObject({ code: "corpus_locked" });
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid });
    await lock.release();
  });
});
