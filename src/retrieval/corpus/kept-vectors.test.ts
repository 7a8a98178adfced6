import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type KeptHeader, KeptVectors, readKeptHeader, textKey } from "./kept-vectors.ts";

const numRuns = 30 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const header: KeptHeader = { embedder: { name: "e:m", dimension: 3 }, table: "chunks-2-aa" };
const later: KeptHeader = { ...header, table: "chunks-4-bb" };
const OTHER_TABLE = "chunks-1";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-kept-"));
  path = join(folder, "kept");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const vectorOf = (i: number) => Float32Array.of(i, Math.fround(i / 7), -0);
const batch = (from: number, to: number) =>
  new Map(Array.from({ length: to - from }, (_, i) => [textKey(`text ${from + i}`), vectorOf(from + i)]));

/** Keeps these batches in one run, and ends it. */
async function keep(...batches: readonly Map<string, Float32Array>[]): Promise<void> {
  const kept = await KeptVectors.open(path, header, OTHER_TABLE);
  for (const one of batches) await kept.append(one);
  await kept.close();
}

/** What a later run finds. */
async function found(wanted: KeptHeader = later, ended = OTHER_TABLE) {
  const kept = await KeptVectors.open(path, wanted, ended);
  const { table, earlier } = kept;
  const vectors = await kept.read(batch(0, 40).keys());
  await kept.close();
  return { table, earlier, vectors };
}

describe("kept vectors", () => {
  test("a later run reads them to the last bit, under the table of the first", async () => {
    await keep(batch(0, 5), batch(5, 12), new Map());
    expect(await found()).toEqual({ table: header.table, earlier: 12, vectors: batch(0, 12) });
    expect(await readKeptHeader(path)).toEqual({ format: "kept-vectors/1", ...header });
    const kept = await KeptVectors.open(path, later, OTHER_TABLE);
    await kept.append(batch(12, 14));
    expect([...batch(11, 13).keys()].map((key) => kept.isEarlier(key))).toEqual([true, false]);
    expect(kept.isEarlier(textKey("unknown"))).toBe(false);
    await kept.close();
    expect((await found()).earlier).toBe(14);
  });

  test.each([
    ["another embedder", { ...later, embedder: { name: "e:n", dimension: 3 } }, OTHER_TABLE],
    ["another dimension", { ...later, embedder: { name: "e:m", dimension: 4 } }, OTHER_TABLE],
    ["a run that has ended", later, header.table],
  ])("%s begins anew", async (_name, wanted, ended) => {
    await keep(batch(0, 5));
    expect(await found(wanted, ended)).toEqual({ table: later.table, earlier: 0, vectors: new Map() });
    expect((await readKeptHeader(path))?.embedder).toEqual(wanted.embedder);
    expect((await stat(path)).size).toBeLessThan(200);
  });

  test.each(["", "{", "no header\n", '{"format":"kept-vectors/2"}\n', `${"x".repeat(9_000)}\n`])(
    "a file that begins otherwise is replaced: %#",
    async (text) => {
      await writeFile(path, text);
      expect(await readKeptHeader(path)).toBeUndefined();
      await keep(batch(0, 2));
      expect((await found()).vectors).toEqual(batch(0, 2));
    },
  );

  test("where nothing is kept there is nobody to ask for", async () => {
    expect(await readKeptHeader(path)).toBeUndefined();
  });

  test("torn off or damaged anywhere, what stands before it is kept, and nothing wrong is read", async () => {
    await keep(batch(0, 40));
    const whole = await readFile(path);
    const first = whole.indexOf(10) + 1;
    const record = (whole.length - first) / 40;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: first, max: whole.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        async (at, byte, tear) => {
          const damaged = Buffer.from(whole);
          const harmless = !tear && damaged[at] === byte;
          damaged[at] = byte;
          await writeFile(path, damaged);
          if (tear) await truncate(path, at);
          const good = harmless ? 40 : Math.floor((at - first) / record);
          expect(await found()).toEqual({ table: header.table, earlier: good, vectors: batch(0, good) });
          await keep(batch(good, 40));
          expect(await readFile(path)).toEqual(whole);
        },
      ),
      { numRuns, seed: 11 },
    );
  });
});
