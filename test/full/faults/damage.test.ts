import { execFileSync } from "node:child_process";
import {
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/core/clock.ts";
import { WinnowError } from "../../../src/core/errors.ts";
import { corpusStatus } from "../../../src/features/corpus-status.ts";
import { openRecord } from "../../../src/features/open-record.ts";
import { listRuns } from "../../../src/features/runs.ts";
import { verifyCorpora } from "../../../src/features/verify-corpora.ts";
import { STORE_KINDS, type StoreKind } from "../../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import { index, search, settle } from "../../support/faults/actions.ts";
import { writeFiles } from "../../support/faults/files.ts";
import { filesBelow, type Observed, observe } from "../../support/faults/observe.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
/** Damages tried on each file of a kind that has many, and flipped bits in each file. */
const EACH = SCALE >= 20 ? 8 : 2;
/** Nothing that meets damage takes longer. */
const HANG_MS = 20_000;
const HUGE_BYTES = 3 * 2 ** 30;

type Damage = readonly [name: string, inflict: (path: string, random: () => number) => Promise<void>];

const flip: Damage[1] = async (path, random) => {
  const bytes = await readFile(path);
  const at = Math.floor(random() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  await writeFile(path, bytes);
};

const DAMAGES: readonly Damage[] = [
  ["missing", (path) => rm(path)],
  ["empty", (path) => truncate(path, 0)],
  ["cut", async (path, random) => truncate(path, Math.floor(random() * (await stat(path)).size))],
  ["a byte short", async (path) => truncate(path, (await stat(path)).size - 1)],
  ["a bit flipped", flip],
  ["another file", (path) => writeFile(path, "%PDF-1.7 this is of another program\n")],
  [
    "a folder",
    (path) =>
      rm(path)
        .then(() => mkdir(path))
        .then(() => writeFile(join(path, "x"), "x")),
  ],
  ["a pipe", async (path) => rm(path).then(() => void execFileSync("mkfifo", [path]))],
  ["a link to nothing", (path) => rm(path).then(() => symlink(`${path}-nowhere`, path))],
  ["a link to itself", (path) => rm(path).then(() => symlink(path, path))],
  [
    "a link to the same",
    async (path) => {
      await rename(path, `${path}.moved`);
      await symlink(`${path}.moved`, path);
    },
  ],
  ["huge", (path) => truncate(path, HUGE_BYTES)],
];

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "winnow-damage-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It hangs: ${what}`)), HANG_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** What a call gives, or its error; anything but a `WinnowError` that helps fails the test. */
async function outcome<T>(what: string, call: () => Promise<T>): Promise<T | WinnowError> {
  try {
    return await inTime(what, call());
  } catch (error) {
    if (!WinnowError.isInstance(error)) throw new Error(`${what}: ${String(error)}`, { cause: error });
    expect(error.message, what).not.toMatch(/panic|cargo|rustc|\.rs\b/);
    // A store that cannot tell damage from a failure names the command that can.
    expect(
      ["corpus_corrupt", "corpus_format", "corpus_not_found", "store_failed"],
      `${what}: ${error.message}`,
    ).toContain(error.code);
    expect(error.hint, `${what}: ${error.message}`).toMatch(
      error.code === "store_failed" ? /doctor --verify/ : /winnow index/,
    );
    return error;
  }
}

interface Tally {
  damages: number;
  /** By queries, by `winnow status`, by `winnow doctor --verify`. */
  atQueries: number;
  atVerify: number;
  readonly unnoticed: string[];
}

/** Inflicts damages on every file of a built corpus; all must be noticed by one who looks, and repaired by a rebuild. */
async function damageAll(store: StoreKind): Promise<Tally> {
  const from = join(work, store);
  await writeFiles(from, 0);
  await index(from, () => {}, { store });
  // What was replaced while it was built is of no use to anybody, and goes.
  await settle(from);
  const sound = await observe(join(from, ".winnow"));
  const random = seededRandom(store === "lance" ? 31 : 37);
  const tally: Tally = { damages: 0, atQueries: 0, atVerify: 0, unnoticed: [] };
  for (const path of await filesBelow(join(from, ".winnow"))) {
    const isOurs = !/^(lance|sqlite|grep)\//.test(path);
    if (path === ".gitignore" || /_refs|_transactions/.test(path)) continue;
    const chosen = DAMAGES.map((damage) => ({ damage, key: random() }))
      .sort((a, b) => a.key - b.key)
      .slice(0, isOurs && SCALE >= 20 ? DAMAGES.length : EACH);
    for (const { damage } of chosen) await damageOne(from, path, damage, random, sound, tally);
    await damageOne(from, path, ["a bit flipped", flip], random, sound, tally);
  }
  return tally;
}

async function damageOne(
  from: string,
  path: string,
  [name, inflict]: Damage,
  random: () => number,
  sound: Observed | undefined,
  tally: Tally,
): Promise<void> {
  const base = `${from}-damaged`;
  const folder = join(base, ".winnow");
  await rm(base, { recursive: true, force: true });
  await cp(from, base, { recursive: true, preserveTimestamps: true });
  const what = `${name} in place of ${path}`;
  const before = await stat(join(folder, path));
  await inflict(join(folder, path), random);
  const after = await stat(join(folder, path)).catch(() => undefined);
  // Lance looks for its newest version without that hint too.
  const isHint = path.endsWith("latest_version_hint.json");
  const isHarmless = isHint || name === "a link to the same" || (after?.size === before.size && before.size === 0);
  tally.damages++;
  const seen = await outcome(what, () => observe(folder));
  await outcome(what, () => corpusStatus({ name: "c", folder, runsFolder: join(folder, "runs") }));
  const checks = await inTime(what, verifyCorpora({ named: [folder], workingFolder: base, known: {} }));
  const isFound = checks.some(({ state }) => state !== "ok") || checks.length === 0;
  if (WinnowError.isInstance(seen) || seen === undefined) tally.atQueries++;
  else if (!isFound) expect(seen, what).toEqual(sound);
  if (isFound) tally.atVerify++;
  else if (!isHarmless) tally.unnoticed.push(what);
  if (isHarmless) expect(seen, what).toEqual(sound);
  // What a user would do: refresh, then what the hint says.
  await outcome(`${what}, refreshed`, () => index(base));
  await inTime(
    what,
    index(base, () => {}, { rebuild: true }),
  );
  expect(await observe(folder), `${what}, rebuilt`).toEqual(sound);
  const mended = await verifyCorpora({ named: [folder], workingFolder: base, known: {} });
  expect(
    mended.filter(({ state }) => state !== "ok"),
    `${what}, rebuilt`,
  ).toEqual([]);
  expect(await readdir(base), what).toEqual(await readdir(from));
}

describe("every file of an index, damaged in every way", () => {
  test.each(STORE_KINDS)(
    "in %s: explained by queries or noticed by a look, and repaired by a rebuild",
    async (store) => {
      const { unnoticed, damages, atQueries, atVerify } = await damageAll(store);
      console.log(`${store}: ${damages} damages, ${atQueries} noticed by queries, ${atVerify} by doctor --verify`);
      expect(unnoticed).toEqual([]);
      expect(atVerify).toBeGreaterThan(0.9 * (damages - unnoticed.length) - 10);
    },
  );
});

describe("a writer's lock", () => {
  test.each(DAMAGES)("that is %s does not stop the next writer for good", async (name, inflict) => {
    const base = join(work, `lock-${name.replaceAll(" ", "-")}`);
    await writeFiles(base, 0);
    await index(base, () => {}, { store: "sqlite" });
    const lock = join(base, ".winnow", "writer.lock");
    await writeFile(lock, JSON.stringify({ pid: 1, host: "x", since: "", processStart: null, nonce: "n" }));
    await inflict(lock, seededRandom(3)).catch(() => undefined);
    const minute = 60_000;
    const refused = await inTime(
      name,
      index(base, () => {}, { now: () => Date.now() + minute }).then(
        () => undefined,
        (error: WinnowError) => error,
      ),
    );
    if (refused !== undefined) expect(refused.hint, `${name}: ${refused.message}`).toMatch(/writer\.lock|Move|move/);
    expect(await observe(join(base, ".winnow"))).toBeDefined();
  });
});

describe("a record of a run", () => {
  test.each(DAMAGES)("that is %s is told apart, and the others are listed", async (name, inflict) => {
    const base = join(work, "records");
    const runs = join(base, ".winnow", "runs");
    if ((await stat(base).catch(() => undefined)) === undefined) {
      await writeFiles(base, 0);
      await index(base, () => {}, { store: "sqlite" });
    }
    const [kept, spoilt] = [await search(base, 1), await search(base, 1)];
    const path = join(runs, `${spoilt}.jsonl`);
    await inflict(path, seededRandom(5));
    const listed = await inTime(name, listRuns([runs], 100));
    expect(listed.runs.map(({ runId }) => runId)).toContain(kept);
    const scope = { named: [join(base, ".winnow")], workingFolder: base, known: {} };
    const opened = await inTime(
      name,
      openRecord(path, scope).then(
        ({ record }) => record,
        (error: unknown) => error,
      ),
    );
    if (WinnowError.isInstance(opened)) {
      expect(["record_corrupt", "run_not_found", "store_failed"], opened.message).toContain(opened.code);
      expect(opened.hint, opened.message).toBeDefined();
    } else expect(opened).toHaveProperty("events");
    await rm(path, { recursive: true, force: true });
    await rm(`${path}.moved`, { force: true });
    expect(basename(path)).toContain(spoilt);
  });
});

test("a reader that is open meets damage as an error, and answers again once it is mended", async () => {
  const base = join(work, "open-reader");
  await writeFiles(base, 0);
  await index(base, () => {}, { store: "sqlite" });
  const corpus = await openCorpus(join(base, ".winnow"));
  await corpus.info();
  const manifest = join(base, ".winnow", "manifest.json");
  const handle = await open(manifest, "r+");
  await handle.write("x", 0);
  await handle.close();
  await expect(corpus.find({ text: "common", mode: "lexical", chunksMax: 3 })).rejects.toMatchObject({
    code: "corpus_corrupt",
    message: expect.stringContaining("manifest.json"),
  });
  await index(base, () => {}, { rebuild: true });
  expect((await corpus.find({ text: "common", mode: "lexical", chunksMax: 3 })).hits).toHaveLength(3);
  await corpus.close();
});
