// How the halves of a hybrid search should be joined: recall and nDCG of several settings against lexical alone, as paired
// differences with 95 % bootstrap intervals: `node scripts/bench.mjs hybrid-fusion DATASET… [-- SETTING…]`. A setting is
// `ranks:K:DENSE` or `scores:DENSE:INTERACTION` (0: no second stage). A dataset is a folder in the BEIR layout; its index is
// built in a temporary folder. Prints Markdown.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { corpusSource } from "../src/eval/corpus-source.ts";
import { type Dataset, loadDataset } from "../src/eval/dataset.ts";
import { ndcgAt, recallAt } from "../src/eval/metrics.ts";
import { meanIntervals } from "../src/eval/resample.ts";
import { type FindDocumentsOptions, findDocuments } from "../src/features/find-documents.ts";
import { indexCorpus } from "../src/features/index-corpus.ts";
import { defaultParts } from "../src/features/indexing/default-parts.ts";
import { queryModels } from "../src/features/indexing/embedders.ts";
import { openCorpus } from "../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../src/retrieval/corpus-reader.ts";
import { DEFAULT_FUSION, type FusionSettings, fusionName } from "../src/retrieval/find/fusion-settings.ts";

const CUT_OFFS = [2, 5, 10, 30];
const NDCG = 10;
const DOCUMENTS_MAX = 30;
const args = process.argv.slice(2);
const split = args.includes("--") ? args.indexOf("--") : args.length;
const folders = args.slice(0, split).map((folder) => resolve(folder));
const given = args.slice(split + 1);
const settings = (given.length > 0 ? given : ["ranks:60:1", "ranks:3:0.15", "scores:0.25:0", "scores:0.25:0.25"]).map(
  settingOf,
);
if (folders.length === 0)
  throw new Error("usage: hybrid-fusion DATASET… [-- ranks:K:DENSE|scores:DENSE:INTERACTION …]");

function settingOf(text: string): FusionSettings {
  const [kind, ...numbers] = text.split(":");
  const [first = Number.NaN, second = Number.NaN] = numbers.map(Number);
  if (!Number.isFinite(first) || !Number.isFinite(second)) throw new Error(`Not a setting: ${text}`);
  if (kind === "ranks") return { k: first, lexicalWeight: 1, denseWeight: second, absentRank: null };
  if (kind !== "scores") throw new Error(`Not a setting: ${text}`);
  const { pool, interaction } = DEFAULT_FUSION;
  const candidates = interaction?.candidates ?? 60;
  return { denseShare: first, pool, interaction: second === 0 ? null : { share: second, candidates } };
}

/** Recall at each cut-off, then nDCG@10, question by question. */
type Columns = readonly (readonly number[])[];

async function measure(dataset: Dataset, corpus: CorpusReader, how: Partial<FindDocumentsOptions>): Promise<Columns> {
  const columns = [...CUT_OFFS, NDCG].map((): number[] => []);
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
    columns[CUT_OFFS.length]?.push(ndcgAt(list, gold, NDCG));
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
    console.log(`| | ${CUT_OFFS.map((cutOff) => `recall@${cutOff}`).join(" | ")} | nDCG@${NDCG} |`);
    console.log(`|---|${"---|".repeat(CUT_OFFS.length + 1)}`);
    const lexical = await measure(dataset, corpus, { mode: "lexical" });
    console.log(`| lexical | ${lexical.map((column) => mean(column).toFixed(3)).join(" | ")} |`);
    console.log(`| dense | ${cells(await measure(dataset, corpus, { mode: "dense" }), lexical)} |`);
    for (const fusion of settings) {
      console.log(`| ${fusionName(fusion)} | ${cells(await measure(dataset, corpus, { fusion }), lexical)} |`);
    }
    await corpus.close();
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

for (const folder of folders) await report(folder);
