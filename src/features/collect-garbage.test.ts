import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { lockWriter } from "../retrieval/corpus/writer-lock.ts";
import { findGarbage, type GarbageOptions, removeGarbage } from "./collect-garbage.ts";
import { indexCorpus } from "./index-corpus.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.now();

let base: string;
let folder: string;
let runsFolder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-gc-"));
  folder = join(base, ".winnow");
  runsFolder = join(folder, "runs");
  await mkdir(runsFolder, { recursive: true });
});
afterEach(() => rm(base, { recursive: true, force: true }));

const options = (retention: GarbageOptions["retention"] = {}): GarbageOptions => ({
  places: [{ name: "notes", folder, runsFolder }],
  retention,
  now: () => NOW_MS,
});

/** A record whose run began so many days ago, with or without its end. */
async function putRun(runId: string, days: number, ended = true): Promise<void> {
  const [header = "", ...events] = (await readFile(SAMPLE, "utf8")).trimEnd().split("\n");
  const at = NOW_MS - days * DAY_MS;
  const lines = [JSON.stringify({ ...JSON.parse(header), runId, at }), ...(ended ? events.slice(-1) : [])];
  const path = join(runsFolder, `${runId}.jsonl`);
  await writeFile(path, `${lines.join("\n")}\n`);
  await utimes(path, at / 1_000, at / 1_000);
}

const SAMPLE = join(import.meta.dirname, "../../docs/evidence/sixty-turns.jsonl");
const runs = async () => (await readdir(runsFolder)).map((name) => name.replace(".jsonl", "")).sort();
const goes = async (retention: GarbageOptions["retention"]) =>
  (await findGarbage(options(retention))).runs.map(({ runId }) => runId).sort();

async function buildIndex(): Promise<void> {
  await mkdir(join(base, "notes"), { recursive: true });
  await writeFile(join(base, "notes", "a.md"), "# A\n\napple\n");
  await indexCorpus({ folder, paths: [join(base, "notes")], embedder: { spec: "none" } });
}

async function found(word: string): Promise<number> {
  const corpus = await openCorpus(folder);
  const { hits } = await corpus.find({ text: word, mode: "lexical", chunksMax: 5 });
  await corpus.close();
  return hits.length;
}

describe("records of runs", () => {
  beforeEach(async () => {
    for (const [id, days] of [
      ["r5", 2],
      ["r4", 10],
      ["r3", 20],
      ["r2", 40],
      ["r1", 80],
    ] as const)
      await putRun(id, days);
    await putRun("r2.1", 40);
  });

  test("all stay without a number; with an age older ones go, with a number all but the newest, with both what neither keeps", async () => {
    expect(await goes({})).toEqual([]);
    expect(await goes({ olderThanMs: 30 * DAY_MS })).toEqual(["r1", "r2", "r2.1"]);
    expect(await goes({ keep: 2 })).toEqual(["r1", "r2", "r2.1", "r3"]);
    expect(await goes({ olderThanMs: 30 * DAY_MS, keep: 4 })).toEqual(["r1"]);
    expect(await goes({ keep: 0 })).toHaveLength(6);
    const garbage = await findGarbage(options({ keep: 4 }));
    expect(await runs()).toHaveLength(6);
    expect(await removeGarbage(garbage, options({ keep: 4 }))).toMatchObject({ runs: 1, notices: [] });
    expect(await runs()).toEqual(["r2", "r2.1", "r3", "r4", "r5"]);
  });

  test("a record that may be under way stays whatever the numbers; one without an end that nobody writes to goes", async () => {
    await putRun("r6", 0, false);
    await putRun("r0", 100, false);
    const garbage = await findGarbage(options({ keep: 0 }));
    expect(garbage.runs.map(({ runId }) => runId)).not.toContain("r6");
    expect(garbage.runs.map(({ runId }) => runId)).toContain("r0");
    expect(garbage).toMatchObject({ runsKept: 1, runsUnderWay: 1 });
    await removeGarbage(garbage, options());
    expect(await runs()).toEqual(["r6"]);
  });

  test("a damaged record has the age of its file, and other files are nobody's run", async () => {
    await writeFile(join(runsFolder, "r7.jsonl"), "no record\n");
    await utimes(join(runsFolder, "r7.jsonl"), (NOW_MS - 90 * DAY_MS) / 1_000, (NOW_MS - 90 * DAY_MS) / 1_000);
    await writeFile(join(runsFolder, "notes.txt"), "mine");
    expect(await goes({ olderThanMs: 85 * DAY_MS })).toEqual(["r7"]);
    await removeGarbage(await findGarbage(options({ keep: 0 })), options());
    expect(await runs()).toEqual(["notes.txt"]);
  });
});

describe("what indexing left over", () => {
  /** Files as a killed writer leaves them. */
  async function leave(count: number): Promise<string[]> {
    const paths = [
      join(folder, "grep", "991"),
      join(folder, "manifest", "992.json"),
      join(folder, "manifest", "4.json.77.tmp"),
    ];
    for (let i = 0; i < count; i++) paths.push(join(folder, "grep", String(1_000 + i)));
    for (const path of paths) {
      if (path.includes("grep")) await mkdir(path);
      await writeFile(path.includes("grep") ? join(path, "part") : path, "x".repeat(100));
    }
    return paths;
  }

  test("goes, and nothing else does; while somebody is writing it stays, and that is told", async () => {
    await buildIndex();
    const paths = await leave(0);
    const garbage = await findGarbage(options());
    expect(garbage.leftovers.map(({ path }) => path).sort()).toEqual([...paths].sort());
    expect(garbage.leftovers.map(({ bytes }) => bytes)).toEqual([100, 100, 100]);
    const lock = await lockWriter(join(folder, "writer.lock"), Date.now);
    const refused = await removeGarbage(garbage, options());
    expect(refused).toMatchObject({ indexBytes: 0, notices: [expect.stringContaining("is being written by")] });
    expect(paths.every((path) => existsSync(path))).toBe(true);
    await lock.release();
    expect((await removeGarbage(garbage, options())).indexBytes).toBeGreaterThanOrEqual(300);
    expect(paths.some((path) => existsSync(path))).toBe(false);
    expect(await found("apple")).toBe(1);
    expect((await findGarbage(options())).leftovers).toEqual([]);
  });
});
