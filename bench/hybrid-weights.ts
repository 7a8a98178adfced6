// What the dense half of a hybrid search should weigh: recall of hybrid at several weights against lexical alone, as
// paired differences with 95 % bootstrap intervals: `node scripts/bench.mjs hybrid-weights DATASET… [-- K:WEIGHT…]`. A
// dataset is a folder in the BEIR layout; its index is built in a temporary folder. Prints Markdown.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { corpusSource } from "../src/eval/corpus-source.ts";
import { type Dataset, loadDataset } from "../src/eval/dataset.ts";
import { recallAt } from "../src/eval/metrics.ts";
import { meanIntervals } from "../src/eval/resample.ts";
import { type FindDocumentsOptions, findDocuments } from "../src/features/find-documents.ts";
import { indexCorpus } from "../src/features/index-corpus.ts";
import { defaultParts } from "../src/features/indexing/default-parts.ts";
import { queryModels } from "../src/features/indexing/embedders.ts";
import { openCorpus } from "../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../src/retrieval/corpus-reader.ts";

const CUT_OFFS = [2, 5, 10, 30];
const DOCUMENTS_MAX = 30;
const args = process.argv.slice(2);
const split = args.includes("--") ? args.indexOf("--") : args.length;
const folders = args.slice(0, split).map((folder) => resolve(folder));
const given = args.slice(split + 1).map((pair) => pair.split(":").map(Number));
const settings =
  given.length > 0 ? given : [5, 60].flatMap((k) => [0.02, 0.1, 0.2, 0.5, 1].map((weight) => [k, weight]));
if (folders.length === 0) throw new Error("usage: hybrid-weights DATASET… [-- K:WEIGHT…]");

/** Recall at each cut-off, question by question. */
type Columns = readonly (readonly number[])[];

async function measure(dataset: Dataset, corpus: CorpusReader, how: Partial<FindDocumentsOptions>): Promise<Columns> {
  const columns = CUT_OFFS.map((): number[] => []);
  for (const query of dataset.queries) {
    const found = await findDocuments([corpus], {
      text: query.text,
      mode: "hybrid",
      documentsMax: DOCUMENTS_MAX,
      ...how,
    });
    // A list of words only would be measured as one of both.
    const failure = found.notices.find(({ code }) => code === "lexical_only");
    if (failure !== undefined) throw new Error(failure.message);
    const list = found.documents.map(({ id }) => id.slice(id.indexOf("#") + 1));
    const { gold } = query;
    for (const [i, cutOff] of CUT_OFFS.entries()) columns[i]?.push(recallAt(list, gold, cutOff));
  }
  return columns;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

function cells(columns: Columns, baseline: Columns): string {
  const differences = columns.map((column, i) => column.map((value, j) => value - (baseline[i]?.[j] ?? 0)));
  const intervals = meanIntervals(differences);
  return columns
    .map((column, i) => {
      const { low = 0, high = 0 } = intervals[i] ?? {};
      return `${mean(column).toFixed(3)} (${signed(mean(differences[i] ?? []))}; ${signed(low)} to ${signed(high)})`;
    })
    .join(" | ");
}

async function report(folder: string): Promise<void> {
  const base = await mkdtemp(join(tmpdir(), "winnow-weights-"));
  const signal = new AbortController().signal;
  try {
    const dataset = await loadDataset(folder, signal);
    const parts = { ...defaultParts, createSource: async () => corpusSource(dataset.corpusFile) };
    const index = join(base, ".winnow");
    const { chunks } = await indexCorpus({ folder: index, paths: [dataset.corpusFile], parts, signal });
    const corpus = await openCorpus(index, queryModels());
    console.log(`\n${basename(folder)}: ${dataset.queries.length} questions, ${chunks} chunks\n`);
    console.log(`| | ${CUT_OFFS.map((cutOff) => `recall@${cutOff}`).join(" | ")} |`);
    console.log(`|---|${"---|".repeat(CUT_OFFS.length)}`);
    const lexical = await measure(dataset, corpus, { mode: "lexical" });
    console.log(`| lexical | ${lexical.map((column) => mean(column).toFixed(3)).join(" | ")} |`);
    console.log(`| dense | ${cells(await measure(dataset, corpus, { mode: "dense" }), lexical)} |`);
    for (const [k = 3, denseWeight = 1] of settings) {
      const columns = await measure(dataset, corpus, {
        fusion: { k, lexicalWeight: 1, denseWeight, absentRank: null },
      });
      console.log(`| k ${k}, dense ${denseWeight} | ${cells(columns, lexical)} |`);
    }
    await corpus.close();
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

for (const folder of folders) await report(folder);
