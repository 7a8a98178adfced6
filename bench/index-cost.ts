// What the vectors of the built-in embedder add to indexing: the same files with vectors and without, by turns, each in
// a process of its own, from an empty index to the last commit: `node scripts/bench.mjs index-cost [FOLDER] [RUNS]`.
// Without a folder: the demo's documentation, laid out anew.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { layOut } from "../scripts/demo/corpus.mjs";
import { indexCorpus } from "../src/features/index-corpus.ts";

const ONCE = "--once";
const EMBEDDERS = ["none", "static"] as const;
type Embedder = (typeof EMBEDDERS)[number];

interface Outcome {
  readonly ms: number;
  /** Of all threads, which other work on the machine disturbs less than it does the time. */
  readonly cpuMs: number;
  readonly documents: number;
  readonly chunks: number;
}

const args = process.argv.slice(2);
const [script = ""] = process.argv.slice(1);

/** The child's part: indexes once and prints the outcome. Nothing is loaded yet, as when a user gives the command. */
async function indexOnce(folder: string, docs: string, spec: string): Promise<Outcome> {
  const before = process.cpuUsage();
  const start = performance.now();
  const { documents, chunks } = await indexCorpus({ folder, paths: [docs], embedder: { spec } });
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000, documents, chunks };
}

async function inChild(base: string, docs: string, embedder: Embedder): Promise<Outcome> {
  const folder = join(base, embedder, ".winnow");
  await rm(folder, { recursive: true, force: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ONCE, folder, docs, embedder], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`indexing with ${embedder} failed: ${stderr}`);
  return JSON.parse(stdout);
}

async function bytesOf(docs: string): Promise<number> {
  const entries = await readdir(docs, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function compare(base: string, docs: string, runs: number): Promise<void> {
  const outcomes: Record<Embedder, Outcome[]> = { none: [], static: [] };
  for (let i = 0; i <= runs; i++) {
    // The one that comes first alternates, so that a slow stretch of the machine meets both.
    for (const embedder of i % 2 === 0 ? EMBEDDERS : [...EMBEDDERS].reverse()) {
      const outcome = await inChild(base, docs, embedder);
      // The first round warms the file cache.
      if (i > 0) outcomes[embedder].push(outcome);
    }
  }
  const [{ documents, chunks } = { documents: 0, chunks: 0 }] = outcomes.none;
  console.log(
    `${documents} documents, ${((await bytesOf(docs)) / 1e6).toFixed(1)} MB, ${chunks} chunks, ${runs} runs\n`,
  );
  console.log("| | without vectors, median s | with | with over without, pair by pair |\n|---|---|---|---|");
  for (const [name, key] of [
    ["time", "ms"],
    ["CPU time", "cpuMs"],
  ] as const) {
    const [without, withVectors] = [outcomes.none, outcomes.static].map((list) => list.map((outcome) => outcome[key]));
    if (without === undefined || withVectors === undefined) continue;
    const ratios = withVectors.map((ms, i) => ms / (without[i] ?? Number.NaN)).sort((x, y) => x - y);
    const range = `${median(ratios).toFixed(2)} (${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)})`;
    const seconds = [without, withVectors].map((list) => (median(list) / 1000).toFixed(2));
    console.log(`| ${name} | ${seconds.join(" | ")} | ${range} |`);
  }
}

if (args[0] === ONCE) {
  const [, folder = "", docs = "", spec = ""] = args;
  console.log(JSON.stringify(await indexOnce(folder, docs, spec)));
} else {
  const base = await mkdtemp(join(tmpdir(), "winnow-index-cost-"));
  try {
    const [given, runs = "9"] = args;
    const docs = given === undefined ? join(base, "docs") : resolve(given);
    if (given === undefined) layOut(process.cwd(), docs);
    await compare(base, docs, Number(runs));
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
