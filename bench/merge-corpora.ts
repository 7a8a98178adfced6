// What is lost when a collection is searched as four corpora instead of one, at several ways of joining their answers:
// `node scripts/bench.mjs merge-corpora DATASET… [-- K:WEIGHT…]`. A dataset is a folder in the BEIR layout; its documents
// are dealt out by hash, 60, 25, 10 and 5 %. Recall of hybrid search as paired differences to one index, with 95 %
// bootstrap intervals. Prints Markdown.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { corpusSource } from "../src/eval/corpus-source.ts";
import { type Dataset, loadDataset } from "../src/eval/dataset.ts";
import { recallAt } from "../src/eval/metrics.ts";
import { meanIntervals } from "../src/eval/resample.ts";
import { indexCorpus } from "../src/features/index-corpus.ts";
import { defaultParts } from "../src/features/indexing/default-parts.ts";
import { queryModels } from "../src/features/indexing/embedders.ts";
import { openCorpus } from "../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../src/retrieval/corpus-reader.ts";
import { DEFAULT_MERGE, findAcross, type MergeSettings } from "../src/retrieval/find/find-across.ts";
import { rankDocuments } from "../src/retrieval/find/rank-documents.ts";

const SHARES = [0.6, 0.25, 0.1, 0.05];
const CUT_OFFS = [2, 5, 10, 30];
const CHUNKS_MAX = 90;
const args = process.argv.slice(2);
const split = args.includes("--") ? args.indexOf("--") : args.length;
const folders = args.slice(0, split).map((folder) => resolve(folder));
const given = args.slice(split + 1).map((pair): MergeSettings => {
  const [k = DEFAULT_MERGE.k, wordsWeight = DEFAULT_MERGE.wordsWeight] = pair.split(":").map(Number);
  return { k, wordsWeight };
});
const settings = given.length > 0 ? given : [{ ...DEFAULT_MERGE, wordsWeight: 0 }, DEFAULT_MERGE];
if (folders.length === 0) throw new Error("usage: merge-corpora DATASET… [-- K:WEIGHT…]");

const signal = new AbortController().signal;

async function indexed(file: string, name: string, base: string): Promise<CorpusReader> {
  const parts = { ...defaultParts, createSource: async () => corpusSource(file) };
  const folder = join(base, name, ".winnow");
  await indexCorpus({ folder, paths: [file], parts, signal });
  return openCorpus(folder, { name, ...queryModels() });
}

/** Deals the lines of a collection out to files, by the hash of each. */
async function deal(file: string, base: string): Promise<readonly string[]> {
  const paths = SHARES.map((_, part) => join(base, `part-${part}.jsonl`));
  const outputs = paths.map((path) => createWriteStream(path));
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line.trim() === "") continue;
    let place = createHash("sha256").update(line).digest().readUInt32LE() / 2 ** 32;
    let part = 0;
    for (; part < SHARES.length - 1 && place >= (SHARES[part] ?? 1); part++) place -= SHARES[part] ?? 0;
    outputs[part]?.write(`${line}\n`);
  }
  await Promise.all(outputs.map((output) => new Promise<void>((done) => output.end(done))));
  return paths;
}

async function measure({ queries }: Dataset, corpora: readonly CorpusReader[], how: MergeSettings) {
  const columns = CUT_OFFS.map((): number[] => []);
  for (const { text, gold } of queries) {
    const ask = (corpus: CorpusReader) => corpus.find({ text, mode: "hybrid", chunksMax: CHUNKS_MAX });
    const { hits } = await findAcross(corpora, { text, mode: "hybrid" }, ask, how);
    const list = rankDocuments(hits).map(({ documentId }) => documentId.slice(documentId.indexOf("#") + 1));
    for (const [i, cutOff] of CUT_OFFS.entries()) columns[i]?.push(recallAt(list, gold, cutOff));
  }
  return columns;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

async function report(dataset: string): Promise<void> {
  const base = await mkdtemp(join(tmpdir(), "winnow-merge-"));
  try {
    const loaded = await loadDataset(dataset, signal);
    const whole = await indexed(loaded.corpusFile, "whole", base);
    const files = await deal(loaded.corpusFile, base);
    const parts: CorpusReader[] = [];
    for (const [i, file] of files.entries()) parts.push(await indexed(file, `part-${i}`, base));
    console.log(`\n${basename(dataset)}: ${loaded.queries.length} questions\n`);
    console.log(
      `| | ${CUT_OFFS.map((cutOff) => `recall@${cutOff}`).join(" | ")} |\n|---|${"---|".repeat(CUT_OFFS.length)}`,
    );
    const baseline = await measure(loaded, [whole], DEFAULT_MERGE);
    console.log(`| one index | ${baseline.map((column) => mean(column).toFixed(3)).join(" | ")} |`);
    for (const how of settings) {
      const columns = await measure(loaded, parts, how);
      const differences = columns.map((column, i) => column.map((value, j) => value - (baseline[i]?.[j] ?? 0)));
      const intervals = meanIntervals(differences);
      const cells = columns.map((column, i) => {
        const { low = 0, high = 0 } = intervals[i] ?? {};
        return `${mean(column).toFixed(3)} (${signed(mean(differences[i] ?? []))}; ${signed(low)} to ${signed(high)})`;
      });
      console.log(`| four, k ${how.k}, words ${how.wordsWeight} | ${cells.join(" | ")} |`);
    }
    await Promise.all([whole, ...parts].map((corpus) => corpus.close()));
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

for (const folder of folders) await report(folder);
