import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findGarbage, removeGarbage } from "../../src/features/collect-garbage.ts";
import { indexCorpus } from "../../src/features/index-corpus.ts";
import { openCorpus } from "../../src/retrieval/corpus/open-corpus.ts";
import { bundleChild } from "../support/bundle-child.ts";

const KILLS = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const RUNS = 300;
const DAY_MS = 86_400_000;

/** Removes all runs and all leftovers; says when it begins to. */
const CODE = `
  import { writeSync } from "node:fs";
  import { findGarbage, removeGarbage } from "./src/features/collect-garbage.ts";
  const [folder, runsFolder] = process.argv.slice(2);
  const now = () => Date.now() + 2 * ${DAY_MS};
  const options = { places: [{ name: "notes", folder, runsFolder }], retention: { keep: 0 }, now };
  const garbage = await findGarbage(options);
  writeSync(1, "begin\\n");
  await removeGarbage(garbage, options);
`;

let base: string;
let folder: string;
let runsFolder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-gc-kill-"));
  folder = join(base, ".winnow");
  runsFolder = join(folder, "runs");
  await mkdir(runsFolder, { recursive: true });
});
afterEach(() => rm(base, { recursive: true, force: true }));

/** Records of runs, and files as a killed writer leaves them. */
async function leave(): Promise<readonly string[]> {
  const paths: string[] = [];
  for (let i = 0; i < RUNS; i++) {
    const segment = join(folder, "grep", String(1_000 + i));
    await mkdir(segment);
    await writeFile(join(segment, "part"), "x");
    await writeFile(join(runsFolder, `run-${i}.jsonl`), "damaged\n");
    paths.push(segment, join(runsFolder, `run-${i}.jsonl`));
  }
  return paths;
}

async function found(): Promise<number> {
  const corpus = await openCorpus(folder);
  const { hits } = await corpus.find({ text: "apple", mode: "lexical", chunksMax: 5 });
  await corpus.close();
  return hits.length;
}

test(`${KILLS} times kill -9 in the middle of winnow gc: the index is sound, and the rest goes with the next call`, async () => {
  await mkdir(join(base, "notes"));
  await writeFile(join(base, "notes", "a.md"), "# A\n\napple\n");
  await indexCorpus({ folder, paths: [join(base, "notes")], embedder: { spec: "none" } });
  const child = await bundleChild("gc-child", CODE);
  try {
    let cut = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const paths = await leave();
      const killed = spawn(process.execPath, [child.script, folder, runsFolder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const closed = new Promise((resolve) => killed.once("close", resolve));
      await new Promise((resolve) => killed.stdout.once("data", resolve));
      await sleep((kill * 37) % 90);
      killed.kill("SIGKILL");
      await closed;
      if (paths.some((path) => existsSync(path))) cut++;
      expect(await found()).toBe(1);
      const now = () => Date.now() + 2 * DAY_MS;
      const options = { places: [{ name: "notes", folder, runsFolder }], retention: { keep: 0 }, now };
      await removeGarbage(await findGarbage(options), options);
      expect(await readdir(runsFolder)).toEqual([]);
      expect(paths.filter((path) => existsSync(path))).toEqual([]);
      expect(await found()).toBe(1);
    }
    expect(cut).toBeGreaterThan(0);
  } finally {
    await child.remove();
  }
}, 300_000);
