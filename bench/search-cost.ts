// What `winnow search` without a model takes over `winnow find`, as whole processes of the built command, one after the
// other for each question: `node scripts/bench.mjs search-cost DATASET [--questions N]`. DATASET is a folder in the BEIR
// layout. Needs `npm run build`. Prints medians, their ratio, when the first hits of a search stood on the screen, and how
// many turns the searches took.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { corpusSource } from "../src/eval/corpus-source.ts";
import { loadDataset } from "../src/eval/dataset.ts";
import { indexCorpus } from "../src/features/index-corpus.ts";
import { defaultParts } from "../src/features/indexing/default-parts.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { questions: { type: "string", default: "41" } },
});
const [given] = positionals;
if (given === undefined) throw new Error("usage: search-cost DATASET [--questions N]");
const signal = new AbortController().signal;
const dataset = await loadDataset(resolve(given), signal);
const base = await mkdtemp(join(tmpdir(), "winnow-search-cost-"));
const index = join(base, ".winnow");

interface Timed {
  readonly ms: number;
  /** Until the first hits stood on the screen; undefined where nothing said so. */
  readonly firstMs: number | undefined;
  readonly output: string;
}

/** Runs the command to its end. Its talk goes to stderr, where a search tells of its first hits as they come. */
function run(...args: readonly string[]): Promise<Timed> {
  const start = performance.now();
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ["dist/cli.js", ...args], { env: { ...process.env, NO_COLOR: "1" } });
    let output = "";
    let talk = "";
    let firstMs: number | undefined;
    child.stdout.on("data", (part: Buffer) => {
      output += part.toString();
    });
    child.stderr.on("data", (part: Buffer) => {
      talk += part.toString();
      if (/\d+ new chunks?/.test(talk)) firstMs ??= performance.now() - start;
    });
    child.on("error", fail);
    child.on("close", (code) => {
      if (code === 0 || code === 3) done({ ms: performance.now() - start, firstMs, output });
      else fail(new Error(`${args[0]} failed: ${talk}`));
    });
  });
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

try {
  const parts = { ...defaultParts, createSource: async () => corpusSource(dataset.corpusFile) };
  const { chunks } = await indexCorpus({ folder: index, paths: [dataset.corpusFile], parts, signal });
  const finds: number[] = [];
  const searches: Timed[] = [];
  const turns: number[] = [];
  for (const [i, { text }] of dataset.queries.slice(0, Number(values.questions) + 1).entries()) {
    const scope = ["--corpus", index];
    const find = await run("find", text, ...scope, "--json");
    const told = await run("search", text, ...scope, "--policy", "rules", "--no-record");
    const search = await run("search", text, ...scope, "--policy", "rules", "--no-record", "--json");
    // The first round warms the file cache.
    if (i === 0) continue;
    finds.push(find.ms);
    searches.push({ ...search, firstMs: told.firstMs });
    turns.push((JSON.parse(search.output) as { usage: { turns: number } }).usage.turns);
  }
  const times = searches.map(({ ms }) => ms);
  const ratios = times.map((ms, i) => ms / (finds[i] ?? Number.NaN));
  const firsts = searches.flatMap(({ firstMs }) => firstMs ?? []);
  const share = (turnsMax: number): string =>
    `${Math.round((100 * turns.filter((count) => count <= turnsMax).length) / turns.length)} %`;
  console.log(`${dataset.name}: ${finds.length} questions, ${chunks} chunks`);
  console.log(`find     median ${median(finds).toFixed(0)} ms`);
  console.log(
    `search   median ${median(times).toFixed(0)} ms, ${median(ratios).toFixed(2)} times the find (median of pairs)`,
  );
  console.log(
    `first hits on the screen: median ${median(firsts).toFixed(0)} ms, in ${firsts.length} of ${times.length} runs`,
  );
  console.log(`turns    median ${median(turns)}, at most 2 in ${share(2)} of the runs, at most 3 in ${share(3)}`);
} finally {
  await rm(base, { recursive: true, force: true });
}
