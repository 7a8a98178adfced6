import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { STORE_KINDS } from "../../../src/retrieval/corpus/manifest.ts";
import { index } from "../../support/faults/actions.ts";
import { nameOf } from "../../support/faults/files.ts";
import { type Ended, type FaultProgram, faultProgram } from "../../support/faults/program.ts";

/** Generations that are written while others read; Lance cleans up what is older than a second. */
const GENERATIONS = Number(process.env["WINNOW_TEST_SCALE"] ?? 1) >= 20 ? 20 : 4;
const DOCUMENTS = 12;
const READERS = 2;
const ROUNDS_AT_REST = 20;

let work: string;
let program: FaultProgram;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "winnow-readers-"));
  program = await faultProgram("readers", `import "./test/support/faults/child.ts";`);
}, 60_000);
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await program.remove();
});

/** One generation is one commit: all files are read at once. */
async function writeGeneration(base: string, generation: number, store: (typeof STORE_KINDS)[number]): Promise<void> {
  for (let i = 0; i < DOCUMENTS; i++)
    await writeFile(join(base, nameOf(i)), `generation${generation} common of ${i}\n`);
  await index(base, () => {}, { store, commitIntervalMs: 3_600_000 });
}

const numberIn = ({ lines }: Ended, name: string): number =>
  Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? 0);

test.each(STORE_KINDS)(
  "readers of other processes, while %s is written, compacted and cleaned up: no error, no mixed answer",
  async (store) => {
    const base = await mkdtemp(join(work, store));
    await writeGeneration(base, 0, store);
    const read = (rounds: number) =>
      Promise.all(
        Array.from({ length: READERS }, () =>
          program.run(["read", base, String(DOCUMENTS), String(rounds)], { under: base }),
        ),
      );
    const rested = await read(ROUNDS_AT_REST);
    const ready = async () => (await readdir(base)).filter((name) => name.startsWith("ready-")).length;
    const meanwhile = read(Number.MAX_SAFE_INTEGER);
    while ((await ready()) < 2 * READERS) await sleep(20);
    for (let generation = 1; generation <= GENERATIONS; generation++) await writeGeneration(base, generation, store);
    await writeFile(join(base, "stop"), "");
    const ended = await meanwhile;
    for (const reader of [...rested, ...ended]) {
      expect(
        reader.lines.filter((line) => /^(mixed|failed)/.test(line)),
        reader.stderr,
      ).toEqual([]);
      expect(reader.lines).toContain("ended");
      expect(numberIn(reader, "queries")).toBeGreaterThan(0);
    }
    for (const reader of ended) expect(numberIn(reader, "generations")).toBeGreaterThan(1);
    const median = (readers: readonly Ended[]) => Math.max(...readers.map((reader) => numberIn(reader, "median")));
    const queries = ended.reduce((sum, reader) => sum + numberIn(reader, "queries"), 0);
    const ratio = (median(ended) / median(rested)).toFixed(1);
    console.log(
      `${store}: ${queries} rounds over ${GENERATIONS} generations; the median query took ${ratio} times as long as at rest`,
    );
  },
);
