import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRecord } from "../../../src/record/reader.ts";
import { STORE_KINDS } from "../../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import { attach, copy, index, reembedTo, search } from "../../support/faults/actions.ts";
import { writeFiles } from "../../support/faults/files.ts";
import { observe } from "../../support/faults/observe.ts";
import { type Ended, type FaultProgram, faultProgram, inParallel, spread } from "../../support/faults/program.ts";
import { realDisk, smallDisk } from "../../support/faults/small-disk.ts";

/** Points of each action, and sizes of each disk. */
const POINTS = Number(process.env["WINNOW_TEST_SCALE"] ?? 1) >= 20 ? 12 : 4;
const AT_ONCE = 3;
const DISK_BYTES = 64 * 2 ** 20;

let work: string;
let program: FaultProgram;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "winnow-disk-full-"));
  program = await faultProgram("disk-full", `import "./test/support/faults/child.ts";`);
}, 60_000);
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await program.remove();
});

/** Either there was room for all that mattered, or the failure says that there was not, and what to do. */
function expectExplained({ lines, code, stderr }: Ended, where: string): boolean {
  const failed = lines.find((line) => line.startsWith("failed "));
  if (failed === undefined) {
    expect({ lines, code, stderr }, where).toMatchObject({ lines: expect.arrayContaining(["ended"]), code: 0 });
    return false;
  }
  const { code: error, message, hint } = JSON.parse(failed.slice("failed ".length));
  expect({ error, hint, code }, `${where}: ${message}`).toEqual({
    error: "disk_full",
    hint: expect.stringMatching(/[Ff]ree some space/),
    code: 1,
  });
  expect(message, where).not.toMatch(/panic|\.rs\b|cargo/i);
  return true;
}

interface Action {
  readonly name: string;
  readonly args: readonly string[];
  prepare(base: string): Promise<void>;
  /** The same command, with room; and what must hold then. */
  again(base: string): Promise<unknown>;
  see(base: string): Promise<unknown>;
}

const corpus = (base: string) => observe(join(base, ".winnow"));
const built = (store: (typeof STORE_KINDS)[number]) => async (base: string) => {
  await writeFiles(base, 0);
  await index(base, () => {}, { store });
};

const ACTIONS: readonly Action[] = [
  ...STORE_KINDS.flatMap((store): Action[] => [
    {
      ...{ name: `index ${store}`, args: ["index", store], see: corpus },
      prepare: (base) => writeFiles(base, 0),
      again: (base) => index(base, () => {}, { store }),
    },
    {
      ...{ name: `refresh ${store}`, args: ["index", store], see: corpus },
      async prepare(base) {
        await built(store)(base);
        await writeFiles(base, 1);
      },
      again: (base) => index(base),
    },
    {
      ...{ name: `copy to ${store}`, args: ["copy", "there", store], prepare: built("sqlite") },
      again: (base) => copy(base, "there", store).catch((error) => expect(error.code).toBe("invalid_argument")),
      see: (base) => observe(join(base, "there", ".winnow")),
    },
    {
      ...{ name: `reembed ${store}`, args: ["reembed", "second"], prepare: built(store), see: corpus },
      again: (base) => reembedTo(base, "second"),
    },
  ]),
  {
    ...{ name: "attach", args: ["attach", "1"], prepare: async (base) => void (await attach(base, 0)) },
    again: (base) => attach(base, 1),
    async see(base) {
      const words = await openCorpus(join(base, "words"));
      const { hits } = await words.find({ text: "common", mode: "lexical", chunksMax: 100 });
      await words.close();
      return new Map(hits.map(({ chunk }) => [chunk.id, chunk.text]));
    },
  },
];

describe.each(ACTIONS)("a full disk during $name", ({ name, args, prepare, again, see }) => {
  let from: string;
  let wanted: unknown;
  const [action = "", ...rest] = args;
  beforeAll(async () => {
    from = join(work, name.replaceAll(" ", "-"));
    await mkdir(from, { recursive: true });
    await prepare(from);
    await cp(from, `${from}-clean`, { recursive: true, preserveTimestamps: true });
    await again(`${from}-clean`);
    wanted = await see(`${from}-clean`);
    expect(wanted).toBeDefined();
  });

  test("that is feigned at a point: said, nothing lost, and the same command completes with room", async () => {
    const counted = `${from}-counted`;
    await cp(from, counted, { recursive: true, preserveTimestamps: true });
    const { points = 0 } = await program.run([action, counted, ...rest], { under: counted });
    expect(points).toBeGreaterThan(5);
    let failures = 0;
    await inParallel(spread(points, POINTS), AT_ONCE, async (at) => {
      const base = `${from}-${at}`;
      await cp(from, base, { recursive: true, preserveTimestamps: true });
      const ended = await program.run([action, base, ...rest], { under: base, how: "full", at });
      const where = `${name}, point ${at} of ${points}`;
      if (expectExplained(ended, where)) failures++;
      await again(base);
      expect(await see(base), where).toEqual(wanted);
      await rm(base, { recursive: true });
    });
    expect(failures).toBeGreaterThan(0);
  });

  realDisk.test("that is real: said, nothing lost, and the same command completes with room", async () => {
    const disk = smallDisk(DISK_BYTES);
    try {
      const base = join(disk.folder, "base");
      const before = await disk.free();
      await cp(`${from}-clean`, base, { recursive: true, preserveTimestamps: true });
      const needed = before - (await disk.free());
      let failures = 0;
      for (let part = 0; part < POINTS; part++) {
        await rm(base, { recursive: true });
        await cp(from, base, { recursive: true, preserveTimestamps: true });
        await disk.leave(Math.round((needed * part) / POINTS));
        const ended = await program.run([action, base, ...rest], { under: base });
        const where = `${name}, ${part} of ${POINTS} parts of ${needed} bytes free`;
        if (expectExplained(ended, where)) failures++;
        await disk.leave(DISK_BYTES);
        await again(base);
        expect(await see(base), where).toEqual(wanted);
      }
      expect(failures).toBeGreaterThan(0);
    } finally {
      disk.remove();
    }
  });
});

describe("a full disk during a run", () => {
  test.each([
    ["alone", 1],
    ["of three rollouts", 3],
  ] as const)("%s: what was told of is on record, and it says why it ended", async (_, rollouts) => {
    const base = join(work, `run-${rollouts}`);
    await built("sqlite")(base);
    const under = join(base, ".winnow", "runs");
    const args = ["search", base, String(rollouts)];
    const { points = 0 } = await program.run(args, { under });
    await inParallel(spread(points, POINTS), AT_ONCE, async (at) => {
      const ended = await program.run(args, { under, how: "full", at });
      expectExplained(ended, `run, point ${at} of ${points}`);
      const told = ended.lines.flatMap((line) => (line.startsWith("event ") ? [line.split(" ")] : []));
      for (const [, run, seq] of told) {
        expect((await readRecord(join(under, `${run}.jsonl`))).events.length).toBeGreaterThanOrEqual(Number(seq));
      }
    });
    await search(base, rollouts);
    expect((await readdir(under)).every((name) => name.endsWith(".jsonl"))).toBe(true);
  });
});
