import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFolderSource } from "../../../src/retrieval/copy/folder-source.ts";
import { STORE_KINDS } from "../../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import { rowsIn } from "../../../src/testing/copy-fixture.ts";
import { attach, copy, embedderOf, index, LATER_MS, reembedTo } from "../../support/faults/actions.ts";
import { writeFiles } from "../../support/faults/files.ts";
import { leftovers, observe } from "../../support/faults/observe.ts";
import { type FaultProgram, faultProgram, inParallel, spread } from "../../support/faults/program.ts";

/** Points of each action. Half of them where it is done in two ways. */
const KILLS = Number(process.env["WINNOW_TEST_SCALE"] ?? 1) >= 20 ? 50 : 4;
const AT_ONCE = 3;

let work: string;
let program: FaultProgram;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "winnow-kill-stores-"));
  program = await faultProgram("kill-stores", `import "./test/support/faults/child.ts";`);
}, 60_000);
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await program.remove();
});

interface Killed {
  readonly base: string;
  readonly lines: readonly string[];
  readonly where: string;
}

/** Kills an action on copies of `from` at points spread over it, and lets `look` see what each left. */
async function kill(
  from: string,
  [action = "", ...rest]: readonly string[],
  count: number,
  look: (killed: Killed) => Promise<void>,
): Promise<void> {
  const copyOf = async (name: string): Promise<string> => {
    const base = `${from}-${action}-${name}`;
    await cp(from, base, { recursive: true, preserveTimestamps: true });
    return base;
  };
  const counted = await copyOf("counted");
  const { points = 0, lines } = await program.run([action, counted, ...rest], { under: counted, native: true });
  expect(lines).toContain("ended");
  expect(points).toBeGreaterThan(10);
  await rm(counted, { recursive: true });
  await inParallel(spread(points, count), AT_ONCE, async (at) => {
    const base = await copyOf(String(at));
    const ended = await program.run([action, base, ...rest], { under: base, how: "kill", at, native: true });
    const where = `${action} ${rest.join(" ")}, point ${at} of ${points}: ${ended.stderr}`;
    if (ended.signal !== "SIGKILL") expect(ended.lines, where).toContain("ended");
    await look({ base, lines: ended.lines, where });
    await rm(base, { recursive: true });
  });
}

const numbersOf = (lines: readonly string[], word: string): readonly number[] =>
  lines.flatMap((line) => (line.startsWith(`${word} `) ? [Number(line.slice(word.length + 1))] : []));

test("kill -9 while re-embedding: the old index or the new one, and no vector is made twice", async () => {
  const from = join(work, "reembed");
  await writeFiles(from, 0);
  await index(from, () => {}, { store: "lance" });
  const folder = (base: string): string => join(base, ".winnow");
  const seen = await observe(folder(from));
  const embedder = async (base: string): Promise<string | null> => {
    const corpus = await openCorpus(folder(base));
    const { embedder: name } = await corpus.info();
    await corpus.close();
    return name;
  };
  await kill(from, ["reembed", "second"], KILLS, async ({ base, lines, where }) => {
    expect(await observe(folder(base)), where).toEqual(seen);
    const name = await embedder(base);
    if (lines.includes("reembedded")) expect(name, where).toBe(embedderOf("second").name);
    const again: string[] = [];
    await reembedTo(base, "second", (line) => again.push(line));
    const made = Math.max(0, ...numbersOf(lines, "safe"));
    // One that had ended is done anew; one that had not makes only what was not safe.
    if (name === embedderOf("first").name && made > 0) expect(numbersOf(again, "asked"), where).toEqual([]);
    expect(await embedder(base)).toBe(embedderOf("second").name);
    expect(await observe(folder(base)), where).toEqual(seen);
    expect(
      (await leftovers(folder(base))).filter((path) => !path.startsWith("manifest/")),
      where,
    ).toEqual([]);
  });
});

test.each(STORE_KINDS)(
  "kill -9 while copying to %s: no half of it is a corpus, and the same command makes it whole",
  async (store) => {
    const from = join(work, `copy-${store}`);
    await writeFiles(from, 0);
    await index(from, () => {}, { store: "lance" });
    const target = (base: string): string => join(base, "there", ".winnow");
    const wanted = await observe(join(from, ".winnow"));
    const rows = await rowsIn(await openFolderSource(join(from, ".winnow")));
    await kill(from, ["copy", "there", store], KILLS / 2, async ({ base, lines, where }) => {
      const seen = await observe(target(base));
      if (lines.includes("copied")) expect(seen, where).toEqual(wanted);
      expect([undefined, wanted], where).toContainEqual(seen);
      await copy(base, "there", store).catch((error: unknown) =>
        // The whole copy stands already.
        expect({ error, seen }, where).toMatchObject({ error: { code: "invalid_argument" }, seen: wanted }),
      );
      expect(await observe(target(base)), where).toEqual(wanted);
      expect(await rowsIn(await openFolderSource(target(base))), where).toEqual(rows);
      expect(await leftovers(target(base)), where).toEqual([]);
      expect(await observe(join(base, ".winnow")), where).toEqual(wanted);
    });
  },
);

test.each([
  ["first", 0],
  ["renewed", 1],
] as const)("kill -9 while the words of an attached collection are built: %s", async (name, round) => {
  const from = join(work, `attach-${name}`);
  const words = (base: string): string => join(base, "words");
  const clean = join(work, `attach-${name}-clean`);
  await attach(clean, round);
  const wanted = await attachedTexts(words(clean));
  await mkdir(from);
  if (round > 0) await attach(from, 0);
  const before = round === 0 ? undefined : await attachedTexts(words(from));
  await kill(from, ["attach", String(round)], KILLS / 2, async ({ base, lines, where }) => {
    const seen = await attachedTexts(words(base));
    if (lines.includes("attached")) expect(seen, where).toEqual(wanted);
    for (const [id, text] of seen ?? []) expect([before?.get(id), wanted?.get(id)], where).toContain(text);
    for (const [id, text] of before ?? []) if (wanted?.get(id) === text) expect(seen?.get(id), where).toBe(text);
    await attach(base, round);
    expect(await attachedTexts(words(base)), where).toEqual(wanted);
    await attach(base, round, () => {}, { now: () => Date.now() + LATER_MS });
    // What Lance's own calls left goes with the next change, as with any index.
    expect(
      (await leftovers(words(base))).filter((path) => !/^(data|_indices)\//.test(path)),
      where,
    ).toEqual([]);
  });
});

/** The texts of an attached collection's own index, by record; undefined where there is none yet. */
async function attachedTexts(folder: string): Promise<ReadonlyMap<string, string> | undefined> {
  const corpus = await openCorpus(folder).catch((error: { code?: string }) => {
    expect(error.code).toBe("corpus_not_found");
    return undefined;
  });
  if (corpus === undefined) return undefined;
  const found = await corpus.find({ text: "common", mode: "lexical", chunksMax: 100 });
  const grepped = await corpus.grep({ pattern: "(early|later)[0-9]+", chunksMax: 100 });
  await corpus.close();
  const texts = new Map(found.hits.map(({ chunk }) => [chunk.id, chunk.text]));
  expect(new Map(grepped.hits.map(({ hit }) => [hit.chunk.id, hit.chunk.text]))).toEqual(texts);
  return texts;
}
