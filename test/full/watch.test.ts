import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { indexCorpus, lookAtCorpus } from "../../src/features/index-corpus.ts";
import { watchCorpus } from "../../src/features/watch-corpus.ts";
import { openCorpus } from "../../src/retrieval/corpus/open-corpus.ts";
import { bundleChild, type Child } from "../support/bundle-child.ts";
import { runWatchLoad } from "../support/watch-load.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

const FILES = 300;
const SECONDS = 25;
const PER_SECOND = 8;
/** From the end of a write to its being found: the least that can be asked of any machine. */
const STALE_MS_MAX = 20_000;
/** And as a multiple of a find at rest in the same run, at the median. */
const STALE_FINDS_MAX = 120;
/** Memory of the last third of the time over that of the third before it. */
const GROWTH_MAX = 1.2;
/** An index under change may hold what was replaced within ten seconds and what a tidying every thirty leaves. */
const DISK_MB_MAX = 120;

/** Of the first ten results, those that a fresh build gives as well: removed rows count in the statistics for a while. */
const SHARED_MIN = 0.97;

const COMMITS = 50 * scale;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-long-watch-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

describe("a watch under change, with searches from other processes", () => {
  let program: Child;
  beforeAll(async () => {
    program = await bundleChild(
      "watch-roles",
      `import { runRole } from "./test/support/watch-roles.ts";
       const [role, folder, ...rest] = process.argv.slice(2);
       await runRole(role, folder, rest);`,
    );
  });
  afterAll(() => program.remove());

  test("finds every change soon, grows neither in memory nor on disk, and ends with the documents of a fresh build", async () => {
    const report = await runWatchLoad({
      program: program.script,
      folder,
      files: FILES,
      seconds: SECONDS,
      perSecond: PER_SECOND,
      restSeconds: 5,
    });
    expect(report.errors).toEqual([]);
    expect(report.lost).toEqual([]);
    expect(report.differences).toEqual([]);
    expect(report.sameResults).toBeGreaterThan(SHARED_MIN);
    expect(report.exitCode).toBe(0);
    expect(report.operations).toBeGreaterThan((SECONDS * PER_SECOND) / 2);
    expect(report.staleMs.length).toBeGreaterThan(10);
    expect(report.refreshes).toBeGreaterThan(3);
    expect(Math.max(...report.staleMs)).toBeLessThan(STALE_MS_MAX);
    expect(median(report.staleMs)).toBeLessThan(STALE_FINDS_MAX * median(report.findMs.rest));
    expect(Math.max(...report.diskMB.map(({ value }) => value))).toBeLessThan(DISK_MB_MAX);
    const third = (from: number) =>
      report.rssMB.filter(({ second }) => second >= (from * SECONDS) / 3 && second < ((from + 1) * SECONDS) / 3);
    const [middle, last] = [third(1), third(2)].map((samples) => mean(samples.map(({ value }) => value)));
    if (report.rssMB.length > 0) expect(last ?? 0).toBeLessThan(GROWTH_MAX * (middle ?? 0));
  });
});

async function bytesIn(place: string): Promise<number> {
  const entries = await readdir(place, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(file.parentPath, file.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

test(`${COMMITS} small commits leave the index as large as a few do`, async () => {
  const notes = join(folder, "notes");
  const index = join(folder, ".winnow");
  await mkdir(notes);
  const put = (i: number, text: string) => writeFile(join(notes, `n${i}.md`), `# N${i}\n\n${text}\n`);
  for (let i = 0; i < 50; i++) await put(i, "first ".repeat(100));
  await indexCorpus({ folder: index, paths: [notes], embedder: { spec: "none" } });
  const sizes: number[] = [];
  const generations: number[] = [];
  const startMs = Date.now();
  for (let commit = 0; commit < COMMITS; commit++) {
    const i = commit % 50;
    await put(i, `state${commit} `.repeat(100));
    const look = { within: [`notes/n${i}.md`], leave: commit % 50 === 49 ? "tidy" : "fresh" } as const;
    const { generation, changed } = await lookAtCorpus({ folder: index, paths: [] }, {}, look);
    expect(changed).toBe(1);
    generations.push(generation);
    if (commit % 10 === 9) sizes.push(await bytesIn(index));
  }
  expect(generations.at(-1)).toBeGreaterThanOrEqual(COMMITS);
  const tookMs = Date.now() - startMs;
  // What was replaced within the retention stays, so only a run that is longer than that shows whether the rest goes.
  if (tookMs > 40_000) {
    const half = Math.floor(sizes.length / 2);
    expect(Math.max(...sizes.slice(half))).toBeLessThan(1.5 * Math.max(...sizes.slice(0, half)));
  }
  // Once nobody can be at it any more, all of it goes with the next tidying.
  await sleep(11_500);
  await put(0, "last");
  await lookAtCorpus({ folder: index, paths: [] }, {}, { within: ["notes/n0.md"], leave: "tidy" });
  const fresh = join(folder, ".winnow", "corpora", "fresh");
  const after = await bytesIn(index);
  await indexCorpus({ folder: fresh, paths: [notes], embedder: { spec: "none" } });
  expect(after).toBeLessThan(6 * (await bytesIn(fresh)));
}, 600_000);

test("thousands of files that change at once, as with another branch, are all taken up", async () => {
  const notes = join(folder, "notes");
  const index = join(folder, ".winnow");
  const files = 2_500;
  for (let i = 0; i < 50; i++) await mkdir(join(notes, `p${i}`), { recursive: true });
  const place = (i: number) => join(notes, `p${i % 50}`, `n${i}.md`);
  const write = (i: number, text: string) => writeFile(place(i), `# N${i}\n\n${text}${i}x\n`);
  await Promise.all(Array.from({ length: files }, (_, i) => write(i, "before")));
  const controller = new AbortController();
  const options = { folder: index, paths: [notes], embedder: { spec: "none" }, signal: controller.signal };
  let refreshes = 0;
  const watching = (async () => {
    for await (const event of watchCorpus(options)) if (event.type === "refreshed") refreshes++;
  })();
  while (refreshes === 0) await sleep(50);
  await Promise.all(Array.from({ length: files / 5 }, (_, i) => rm(place(5 * i))));
  await rename(join(notes, "p1"), join(notes, "other"));
  await Promise.all(
    Array.from({ length: files }, (_, i) => (i % 5 === 0 || i % 50 === 1 ? undefined : write(i, "after"))),
  );
  const corpus = await openCorpus(index);
  const isDone = async () => {
    const items = await corpus.items();
    const grep = await corpus.grep({ pattern: "before[0-9]+x", chunksMax: 1_000 });
    const gone = items.filter(({ key }) => key.startsWith("notes/p1/")).length;
    // Of the folder that was moved the content is what it was.
    return items.length === (files * 4) / 5 && gone === 0 && grep.documentsTotal === files / 50;
  };
  const startMs = Date.now();
  while (!(await isDone())) {
    expect(Date.now() - startMs).toBeLessThan(120_000);
    await sleep(200);
  }
  // A handful of refreshes, not one a file.
  expect(refreshes).toBeLessThan(60);
  controller.abort();
  await watching;
  await corpus.close();
}, 300_000);
