import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ERROR_CODES, WinnowError } from "../../../src/core/errors.ts";
import { STORE_KINDS } from "../../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import { index } from "../../support/faults/actions.ts";
import { FILES, nameOf, writeFiles } from "../../support/faults/files.ts";
import { observe } from "../../support/faults/observe.ts";
import { type FaultProgram, faultProgram, inParallel, spread } from "../../support/faults/program.ts";

const POINTS = Number(process.env["WINNOW_TEST_SCALE"] ?? 1) >= 20 ? 8 : 2;
const AT_ONCE = 3;
const CODES = ["EACCES", "EMFILE", "EIO", "EROFS"] as const;

let work: string;
let program: FaultProgram;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "winnow-system-"));
  program = await faultProgram("system", `import "./test/support/faults/child.ts";`);
}, 60_000);
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await program.remove();
});

const folderOf = (base: string): string => join(base, ".winnow");

describe.each(STORE_KINDS)("an error of the system while a refresh writes to %s", (store) => {
  test("is explained with what to do, and the same command completes once it is gone", async () => {
    const from = join(work, store);
    await writeFiles(from, 0);
    await index(from, () => {}, { store });
    await writeFiles(from, 1);
    await cp(from, `${from}-clean`, { recursive: true, preserveTimestamps: true });
    await index(`${from}-clean`);
    const wanted = await observe(folderOf(`${from}-clean`));
    const { points = 0 } = await program.run(["index", `${from}-clean`], { under: `${from}-clean` });
    expect(points).toBeGreaterThan(5);
    const cases = CODES.flatMap((code) => spread(points, POINTS).map((at) => ({ code, at })));
    await inParallel(cases, AT_ONCE, async ({ code, at }) => {
      const base = `${from}-${code}-${at}`;
      await cp(from, base, { recursive: true, preserveTimestamps: true });
      const ended = await program.run(["index", base], { under: base, how: "fail", at, code });
      const where = `${code} at point ${at} of ${points}: ${ended.stderr}`;
      const failed = ended.lines.find((line) => line.startsWith("failed "));
      if (failed === undefined) expect(ended.lines, where).toContain("ended");
      else {
        const error = JSON.parse(failed.slice("failed ".length));
        expect(Object.keys(ERROR_CODES), where).toContain(error.code);
        expect(error, where).toMatchObject({ code: expect.not.stringMatching("internal"), hint: expect.any(String) });
      }
      await index(base);
      expect(await observe(folderOf(base)), where).toEqual(wanted);
      await rm(base, { recursive: true });
    });
  });

  test("a folder that goes away under a reader and a writer is explained, and found again when it is back", async () => {
    const base = join(work, `${store}-gone`);
    await writeFiles(base, 0);
    await index(base, () => {}, { store });
    const reader = await openCorpus(folderOf(base));
    const query = { text: "common", mode: "lexical", chunksMax: 50 } as const;
    expect((await reader.find(query)).hits).toHaveLength(FILES);
    await rename(folderOf(base), `${base}-away`);
    const failed = await reader.find(query).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(WinnowError.isInstance(failed)).toBe(true);
    expect(failed).toMatchObject({ code: expect.stringMatching(/^corpus_/), hint: expect.any(String) });
    await rename(`${base}-away`, folderOf(base));
    expect((await reader.find(query)).hits).toHaveLength(FILES);
    await reader.close();
    let commits = 0;
    await writeFiles(base, 1);
    const written = await index(base, () => {
      // Gone once something is committed.
      if (++commits === 1) void rm(folderOf(base), { recursive: true, force: true }).catch(() => undefined);
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (written !== undefined) expect(WinnowError.isInstance(written), String(written)).toBe(true);
    await rm(folderOf(base), { recursive: true, force: true });
    await index(base, () => {}, { store });
    expect(await observe(folderOf(base))).toBeDefined();
  });
});

test("files that vanish and change while they are read are what they were, what they are, or gone", async () => {
  const base = join(work, "changing");
  await writeFiles(base, 0);
  const at = async (round: number): Promise<void> => {
    for (let i = 0; i < FILES; i++) {
      if ((i + round) % 3 === 0) await rm(join(base, nameOf(i)), { force: true });
      else await writeFile(join(base, nameOf(i)), `own${round}x${i} common\n${"more ".repeat(round * 50)}\n`);
    }
  };
  let stop = false;
  const changing = (async () => {
    for (let round = 1; !stop; round++) await at(round);
  })();
  try {
    for (let refresh = 0; refresh < 5; refresh++) {
      await index(base, () => {}, { store: "sqlite" });
      for (const text of (await observe(folderOf(base)))?.documents.values() ?? []) {
        expect(new Set(text.match(/own[0-9]+x/g) ?? []).size).toBeLessThanOrEqual(1);
      }
    }
  } finally {
    stop = true;
    await changing;
  }
  await at(1_000);
  await index(base);
  const words = [...((await observe(folderOf(base)))?.documents.values() ?? [])].map((text) => text.slice(0, 8));
  expect(new Set(words)).toEqual(new Set(["own1000x"]));
});
