import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRecord } from "../../../src/record/reader.ts";
import { STORE_KINDS } from "../../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import { index } from "../../support/faults/actions.ts";
import { FILES, nameOf, writeFiles } from "../../support/faults/files.ts";
import { leftovers, observe, observeReader } from "../../support/faults/observe.ts";
import { type FaultProgram, faultProgram } from "../../support/faults/program.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const JUMPS = [
  ["back by an hour", -HOUR_MS],
  ["forward by a year", YEAR_MS],
] as const;

let work: string;
let program: FaultProgram;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "winnow-clock-"));
  program = await faultProgram("clock", `import "./test/support/faults/child.ts";`);
}, 60_000);
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await program.remove();
});

/** A module that sets the clock of a process by so much, once the time was asked for so often. */
const jumping = (byMs: number, afterCalls: number): string =>
  `data:text/javascript,${encodeURIComponent(
    `const now = Date.now; let calls = 0; const at = () => now() + (++calls > ${afterCalls} ? ${byMs} : 0);
     Date.now = at;
     globalThis.Date = new Proxy(Date, { construct: (target, args) => new target(...(args.length ? args : [at()])) });`,
  )}`;

const folderOf = (base: string): string => join(base, ".winnow");

describe.each(JUMPS)("a clock that is set %s", (name, byMs) => {
  test.each(STORE_KINDS)("between two commits to %s: both are there, and what is in use stays", async (store) => {
    const base = join(work, `${store}${byMs}`);
    await writeFiles(base, 0);
    await index(base, () => {}, { store });
    const reader = await openCorpus(folderOf(base));
    const before = await observeReader(reader);
    await writeFiles(base, 1);
    await index(base, () => {}, { now: () => Date.now() + byMs });
    const after = await observe(folderOf(base));
    expect(after).not.toEqual(before);
    expect(await observeReader(reader)).toEqual(after);
    await writeFile(join(base, nameOf(0)), "own7x0 common\n");
    await index(base);
    expect((await observeReader(reader)).found.get("own7x0")).toHaveLength(1);
    await reader.close();
    for (const years of [2, 3]) await index(base, () => {}, { now: () => Date.now() + years * YEAR_MS });
    expect((await leftovers(folderOf(base))).filter((path) => !/^(_indices|data)\//.test(path))).toEqual([]);
  });

  test("in the middle of indexing and of a run: both end as ever, and nothing takes longer or less than it does", async () => {
    const base = join(work, `run${byMs}`);
    await writeFiles(base, 0);
    const imports = [jumping(byMs, 5)];
    const built = await program.run(["index", base, "sqlite"], { under: base }, { imports });
    expect(built.lines, built.stderr).toContain("ended");
    expect((await observe(folderOf(base)))?.documents.size).toBe(FILES);
    for (const afterCalls of [2, 8, 20]) {
      const ended = await program.run(["search", base, "1"], { under: base }, { imports: [jumping(byMs, afterCalls)] });
      expect(ended.lines, `${name}: ${ended.stderr}`).toContain("ended");
      const run = ended.lines.find((line) => line.startsWith("result "))?.slice(7) ?? "";
      const end = (await readRecord(join(folderOf(base), "runs", `${run}.jsonl`))).events.at(-1);
      if (end?.type !== "end") throw new Error("The run has no end.");
      expect(end.stopReason).toBe("finished");
      expect(end.usage.seconds).toBeGreaterThanOrEqual(0);
      expect(end.usage.seconds).toBeLessThan(120);
    }
  });
});

describe("the times of files", () => {
  const text = (word: string): string => `own${word}x1 common\n`;
  const [one, other] = [text("1"), text("2")];

  test.each([
    ["in the future", 60_000],
    ["in the past", -60_000],
    ["as it was", 0],
  ])("changed content of the same size is read again when the time is set to %s", async (_, shiftMs) => {
    const base = join(work, `times${shiftMs}`);
    const file = join(base, "a.md");
    await mkdir(base);
    await writeFile(file, one);
    // Whole seconds, which every file system keeps as they are.
    const old = new Date(Math.floor(Date.now() / 1_000 - 24 * 3_600) * 1_000);
    await utimes(file, old, old);
    await index(base, () => {}, { store: "sqlite" });
    await writeFile(file, other);
    const time = new Date(old.getTime() + shiftMs);
    await utimes(file, time, time);
    expect((await stat(file)).mtimeMs).toBe(time.getTime());
    expect(await index(base)).toMatchObject({ changed: 1 });
    expect((await observe(folderOf(base)))?.documents.get("a.md")).toBe(other);
  });

  test("a file whose time is a year ahead is looked at again every time, and read again when it has changed", async () => {
    const base = join(work, "ahead");
    const file = join(base, "a.md");
    await mkdir(base);
    await writeFile(file, one);
    const ahead = new Date(Date.now() + YEAR_MS);
    await utimes(file, ahead, ahead);
    await index(base, () => {}, { store: "sqlite" });
    expect(await index(base)).toMatchObject({ changed: 0, unchanged: 1 });
    await writeFile(file, other);
    await utimes(file, ahead, ahead);
    expect(await index(base)).toMatchObject({ changed: 1 });
  });
});
