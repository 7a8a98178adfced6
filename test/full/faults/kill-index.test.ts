import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORE_KINDS } from "../../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import { forget, index, settle } from "../../support/faults/actions.ts";
import { FILES, nameOf, writeFiles } from "../../support/faults/files.ts";
import { leftovers, type Observed, observe, observeReader } from "../../support/faults/observe.ts";
import { type FaultProgram, faultProgram, inParallel, spread } from "../../support/faults/program.ts";

/** Points of each action in each store; all stores together make the number that is asked for. */
const KILLS = Number(process.env["WINNOW_TEST_SCALE"] ?? 1) >= 20 ? 30 : 3;
const AT_ONCE = 3;
/** What is left over is looked at behind one kill of so many, because that takes longer than the kill. */
const SETTLED_EVERY = 3;

let work: string;
let program: FaultProgram;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "winnow-kill-index-"));
  program = await faultProgram("kill-index", `import "./test/support/faults/child.ts";`);
}, 60_000);
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await program.remove();
});

const folderOf = (base: string): string => join(base, ".winnow");

/** Number of points of an action on a copy of `from`. */
async function pointsOf(from: string, args: readonly string[], native: boolean): Promise<number> {
  const base = `${from}-counted`;
  await cp(from, base, { recursive: true, preserveTimestamps: true });
  const { points = 0, lines } = await program.run([args[0] ?? "", base, ...args.slice(1)], { under: base, native });
  expect(lines).toContain("ended");
  await rm(base, { recursive: true });
  return points;
}

interface Killing {
  readonly from: string;
  readonly args: readonly string[];
  readonly store: (typeof STORE_KINDS)[number];
  /** What may be seen after the kill, and what must be seen in the end. */
  readonly check: (seen: Observed | undefined, acknowledged: readonly string[]) => void;
  readonly wanted: Observed | undefined;
  readonly again: (base: string) => Promise<unknown>;
}

/** Kills the action at points spread over all of it; a reader is open all the while where there is something to read. */
async function killEverywhere({ from, args, store, check, wanted, again }: Killing): Promise<void> {
  const native = store === "lance";
  const points = await pointsOf(from, args, native);
  expect(points).toBeGreaterThan(10);
  let reached = 0;
  await inParallel(spread(points, KILLS), AT_ONCE, async (at) => {
    const base = `${from}-${args[0]}-${at}`;
    await cp(from, base, { recursive: true, preserveTimestamps: true });
    const reader = (await observe(folderOf(base))) && (await openCorpus(folderOf(base)));
    const before = reader && (await observeReader(reader));
    const [action = "", ...rest] = args;
    const { signal, lines, stderr } = await program.run([action, base, ...rest], {
      under: base,
      how: "kill",
      at,
      native,
    });
    const where = `${action} in ${store}, point ${at} of ${points}${stderr && `: ${stderr}`}`;
    // How many points there are depends on timing a little: the last may not be reached.
    if (signal === "SIGKILL") reached++;
    else expect(lines, where).toContain("ended");
    const seen = await observe(folderOf(base));
    check(seen, lines);
    if (before !== undefined) expect(seen, where).toBeDefined();
    if (reader !== undefined) expect(await observeReader(reader), where).toEqual(seen);
    await again(base);
    expect(await observe(folderOf(base)), where).toEqual(wanted);
    if (reader !== undefined) expect(await observeReader(reader), where).toEqual(wanted);
    await reader?.close();
    if (at % SETTLED_EVERY === 0) {
      await settle(base);
      expect(await leftovers(folderOf(base)), where).toEqual([]);
    }
    await rm(base, { recursive: true });
  });
  expect(reached).toBeGreaterThan(0.8 * Math.min(points, KILLS));
}

const safe = (lines: readonly string[]): number =>
  Number(
    lines
      .filter((line) => line.startsWith("safe "))
      .at(-1)
      ?.slice(5) ?? 0,
  );

describe.each(STORE_KINDS)("kill -9 at every kind of point, with the index in %s", (store) => {
  let from: string;
  let first: Observed | undefined;
  beforeAll(async () => {
    from = join(work, store);
    await writeFiles(from, 0);
    await cp(from, `${from}-built`, { recursive: true });
    await index(`${from}-built`, () => {}, { store });
    first = await observe(folderOf(`${from}-built`));
    expect(first?.documents.size).toBe(FILES);
  });

  test("of a first build: what was acknowledged is there, and the same command completes it", async () => {
    await killEverywhere({
      ...{ from, args: ["index", store], store, wanted: first },
      check(seen, lines) {
        expect(seen?.documents.size ?? 0).toBeGreaterThanOrEqual(safe(lines));
        for (const [key, text] of seen?.documents ?? []) expect(text).toBe(first?.documents.get(key));
      },
      again: (base) => index(base, () => {}, { store }),
    });
  });

  test("of a refresh: every document is the old one or the new one, for readers that were there too", async () => {
    const built = `${from}-renewing`;
    await cp(`${from}-built`, built, { recursive: true, preserveTimestamps: true });
    await writeFiles(built, 1);
    await cp(built, `${built}-clean`, { recursive: true });
    await index(`${built}-clean`, () => {}, { store });
    const renewed = await observe(folderOf(`${built}-clean`));
    await killEverywhere({
      ...{ from: built, args: ["index", store], store, wanted: renewed },
      check(seen) {
        for (let i = 0; i < FILES; i++) {
          const allowed = [first?.documents.get(nameOf(i)), renewed?.documents.get(nameOf(i))];
          expect(allowed).toContain(seen?.documents.get(nameOf(i)));
        }
      },
      again: (base) => index(base),
    });
  });

  test("of forgetting: the file is there or gone, and gone when it is forgotten again", async () => {
    const name = nameOf(2);
    const built = `${from}-forgetting`;
    await cp(`${from}-built`, built, { recursive: true, preserveTimestamps: true });
    await cp(built, `${built}-clean`, { recursive: true, preserveTimestamps: true });
    await forget(`${built}-clean`, name);
    const without = await observe(folderOf(`${built}-clean`));
    expect(without?.documents.size).toBe(FILES - 1);
    await killEverywhere({
      ...{ from: built, args: ["forget", name], store, wanted: without },
      check(seen, lines) {
        expect([first, without]).toContainEqual(seen);
        if (lines.includes("forgotten")) expect(seen).toEqual(without);
      },
      again: (base) => forget(base, name).catch((error) => expect(error).toMatchObject({ code: "source_not_found" })),
    });
  });
});
