import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Measurements } from "../../bench/search-quality/measurements.ts";
import { allSets, chosenSets, contentDigest, type QualitySet } from "../../bench/search-quality/sets.ts";
import { ONE_SHOT, readWeights, settingsText, UNCUT } from "../../bench/search-quality/systems.ts";
import { tunedOn } from "../../bench/search-quality/tuned-on.ts";

const { signal } = new AbortController();
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-quality-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeSet(name: string, corpus: boolean): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  if (corpus) {
    const rows = ["river water flows", "mountain stone", "river stone bridge"];
    const lines = rows.map((text, i) => JSON.stringify({ _id: `d${i}`, text }));
    await writeFile(join(path, "corpus.jsonl"), `${lines.join("\n")}\n`);
  }
  await writeFile(join(path, "queries.jsonl"), '{"_id":"q1","text":"river water"}\n{"_id":"q2","text":"stone"}\n');
  await writeFile(join(path, "qrels.tsv"), "query-id\tcorpus-id\tscore\nq1\td0\t2\nq2\td1\t1\nq2\td2\t1\n");
  return path;
}

const options = (folders: readonly string[]) => ({
  root: process.cwd(),
  cacheFolder: join(folder, "cache"),
  folders,
  hasWorlds: true,
  signal,
});

test("every folder is a set of its kind, beside the documentation and the worlds", async () => {
  const sets = await allSets(options([await writeSet("tiny-12", true)]));
  expect(sets.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    "tiny-12 tiny",
    "documentation documentation",
    "world-9001 world",
    "world-9001-single-hop world",
    "world-9102 world",
    "world-9102-single-hop world",
  ]);
  const groups = sets[1]?.groups ?? [];
  expect(groups.map(({ name }) => name)).toEqual(["dev", "held-out"]);
  expect(groups.reduce((sum, { questions }) => sum + questions.size, 0)).toBe(85);
  expect((await allSets({ ...options([]), hasWorlds: false })).map(({ name }) => name)).toEqual(["documentation"]);
  expect(chosenSets(sets, "world-9102,tiny-12").map(({ name }) => name)).toEqual(["world-9102", "tiny-12"]);
  expect(() => chosenSets(sets, "tiny")).toThrow(/no set "tiny"; sets: tiny-12, documentation/);
  await expect(allSets(options([folder]))).rejects.toThrow(/no dataset in the BEIR layout/);
  const twin = await writeSet(join("other", "tiny-12"), true);
  await expect(allSets(options([join(folder, "tiny-12"), twin]))).rejects.toThrow(/Two sets are named tiny-12/);
  expect(sets.map(tunedOn)).not.toContain("");
});

test("another corpus or other labels are other content, another place is not", async () => {
  const [whole, part] = [await writeSet("whole", true), await writeSet(join("whole", "part"), false)];
  const digests = [await contentDigest(whole), await contentDigest(part)];
  expect(await contentDigest(await writeSet(join("elsewhere", "whole"), true))).toBe(digests[0]);
  await writeFile(join(whole, "corpus.jsonl"), '{"_id":"d0","text":"x"}\n');
  expect(await contentDigest(whole)).not.toBe(digests[0]);
  expect(await contentDigest(part)).not.toBe(digests[1]);
});

test("weights are read by kind, and refused where no set is of it", async () => {
  const kinds = new Set(["tiny", "world"]);
  expect(await readWeights(undefined, kinds)).toEqual(new Map());
  await expect(readWeights(folder, kinds)).rejects.toThrow(/holds no weights/);
  await writeFile(join(folder, "world.json"), '{"direct":1}');
  expect(await readWeights(folder, kinds)).toEqual(new Map([["world", { direct: 1 }]]));
  await writeFile(join(folder, "other.json"), "{}");
  await expect(readWeights(folder, kinds)).rejects.toThrow(/other\.json: no set is of this kind; kinds: tiny, world/);
});

test("what decides a figure is told apart, the name that a report shows is not", () => {
  const all = [
    ...ONE_SHOT,
    UNCUT,
    { ...UNCUT, weights: { features: [], trees: [], liftMin: 1, firstLiftMin: 1 } },
    { ...UNCUT, window: 4_096 },
  ];
  expect(new Set(all.map(settingsText)).size).toBeGreaterThanOrEqual(all.length - 1);
  expect(settingsText({ ...UNCUT, name: "another" })).toBe(settingsText(UNCUT));
});

test("what was measured is used again, what is missing or to be repeated is measured", async () => {
  const path = await writeSet("tiny-2", true);
  const set: QualitySet = { name: "tiny-2", kind: "tiny", title: "tiny", layOut: async () => path };
  const lexical = { name: "find:lexical", policy: "find:lexical" };
  const open = (more: { readonly again?: readonly string[]; readonly limit?: number } = {}) =>
    new Measurements({ root: process.cwd(), cacheFolder: join(folder, "cache"), again: [], signal, ...more });
  const first = open();
  expect(await first.has(set, lexical)).toBe(false);
  const measured = await first.measure(set, lexical);
  expect(measured.outcomes.get("q1")?.scores.ndcgAt).toEqual({ "10": 1 });
  expect(measured.outcomes.size).toBe(2);
  const second = open();
  expect(await second.has(set, lexical)).toBe(true);
  expect(await second.measure(set, lexical)).toEqual(measured);
  expect([await open({ limit: 1 }).has(set, lexical), second.outdated.size]).toEqual([false, 0]);
  expect((await open({ limit: 1 }).measure(set, lexical)).outcomes.size).toBe(1);
  const repeating = open({ again: ["find"] });
  expect(await repeating.has(set, lexical)).toBe(false);
  const repeated = await repeating.measure(set, lexical);
  expect(repeated.header.startedAt).toBeGreaterThan(measured.header.startedAt);
  expect(await repeating.measure(set, lexical)).toEqual(repeated);
  expect(await open({ again: ["rules"] }).measure(set, lexical)).toEqual(repeated);
});
