// Whether it can be told from what one query finds that a corpus has no answer. Every question of the datasets is asked
// three times: of its corpus, of its corpus without the documents that answer it, and of the corpus of the next dataset;
// questions without a label once: `node scripts/bench.mjs abstention DATASET DATASET…`. Datasets are folders in the BEIR
// layout. Prints Markdown.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CORPUS_FILE, corpusSource } from "../src/eval/corpus-source.ts";
import { type Dataset, loadDataset } from "../src/eval/dataset.ts";
import { judgeAbsence } from "../src/features/absence.ts";
import { indexCorpus } from "../src/features/index-corpus.ts";
import { defaultParts } from "../src/features/indexing/default-parts.ts";
import { queryEmbedder } from "../src/features/indexing/embedders.ts";
import { markdownTable } from "../src/features/report-table.ts";
import { openCorpus } from "../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../src/retrieval/corpus-reader.ts";
import { coverageOf, questionWords } from "../src/retrieval/find/question-words.ts";
import { fitLogistic, logOdds, separation } from "./support/logistic.ts";

const STATES = ["held", "removed", "foreign", "unlabelled"] as const;
type State = (typeof STATES)[number];
/** Share of the answered questions of the other sets that a threshold may call unanswered. */
const FALSE_SHARES = [0, 0.01, 0.02];
const CHUNKS = 30;

interface Measured {
  readonly set: string;
  readonly state: State;
  /** Coverage and cosine. */
  readonly features: readonly number[];
  /** What the reader of the list is told, and whether the search concludes without a document. */
  readonly codes: readonly string[];
  readonly isAbsent: boolean;
}

interface Open {
  readonly dataset: Dataset;
  readonly corpus: CorpusReader;
}

const { signal } = new AbortController();
const folders = process.argv.slice(2).map((folder) => resolve(folder));
if (folders.length < 2) throw new Error("usage: abstention DATASET DATASET…");

async function openDataset(folder: string, base: string): Promise<Open> {
  const dataset = await loadDataset(folder, signal);
  const index = join(base, dataset.name, ".winnow");
  const parts = { ...defaultParts, createSource: async () => corpusSource(dataset.corpusFile) };
  await indexCorpus({ folder: index, paths: [join(base, dataset.name, CORPUS_FILE)], parts, signal });
  return { dataset, corpus: await openCorpus(index, { embedQuery: queryEmbedder() }) };
}

/** Questions of the dataset that no document is labelled for. */
async function unlabelled({ folder, queries }: Dataset): Promise<string[]> {
  const known = new Set(queries.map(({ text }) => text));
  const lines = (await readFile(join(folder, "queries.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => String(JSON.parse(line).text)).filter((text) => !known.has(text));
}

async function measure(set: string, state: State, corpus: CorpusReader, text: string, exclude: readonly string[]) {
  const scope = { where: [], excludeDocuments: new Set(exclude) };
  const { hits } = await corpus.find({ text, mode: "hybrid", chunksMax: CHUNKS, ...scope });
  const nearest = await corpus.find({ text, mode: "dense", chunksMax: 1, ...scope });
  const { notices, isAbsent } = await judgeAbsence([corpus], { text, mode: "hybrid", hits, ...scope });
  const features = [coverageOf(questionWords(text), hits), nearest.hits[0]?.score ?? 0];
  return { set, state, features, codes: notices.map(({ code }) => code), isAbsent } satisfies Measured;
}

const share = (count: number, of: number): string => (of === 0 ? "–" : `${((100 * count) / of).toFixed(1)} %`);
const below = (cases: readonly number[], threshold: number): number => cases.filter((odds) => odds < threshold).length;

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(at * sorted.length)] ?? Number.NEGATIVE_INFINITY;
}

function shippedRows(sets: readonly string[], measured: readonly Measured[]): string[][] {
  return sets.flatMap((set) =>
    STATES.flatMap((state) => {
      const cases = measured.filter((one) => one.set === set && one.state === state);
      if (cases.length === 0) return [];
      const saying = (...codes: readonly string[]) =>
        cases.filter((one) => codes.some((code) => one.codes.includes(code))).length;
      const absent = cases.filter(({ isAbsent }) => isAbsent).length;
      const counts = [saying("words_absent"), saying("weak_match", "nothing_near"), absent, saying("nothing_near")];
      return [[set, state, String(cases.length), ...counts.map((count) => share(count, cases.length))]];
    }),
  );
}

/** Each set judged by what is fitted on the others, with thresholds that the others' answered questions give. */
function leftOutRows(sets: readonly string[], measured: readonly Measured[], against: State): string[][] {
  return sets.map((set) => {
    const cases = measured.filter(({ state }) => state === "held" || state === against);
    const labelled = cases.map((one) => ({ ...one, isPositive: one.state === "held" }));
    const others = labelled.filter((one) => one.set !== set);
    const model = fitLogistic(others);
    const oddsOf = (isPositive: boolean, of: readonly (typeof labelled)[number][]) =>
      of.filter((one) => one.isPositive === isPositive).map(({ features }) => logOdds(model, features));
    const own = labelled.filter((one) => one.set === set);
    const [held, lacking, fitted] = [oddsOf(true, own), oddsOf(false, own), oddsOf(true, others)];
    const cells = FALSE_SHARES.map((at) => {
      const threshold = quantile(fitted, at);
      const [wrong, right] = [below(held, threshold), below(lacking, threshold)];
      return `${share(right, right + wrong)}, ${share(right, lacking.length)}, ${share(wrong, held.length)}`;
    });
    return [set, separation(held, lacking).toFixed(3), ...cells];
  });
}

const base = await mkdtemp(join(tmpdir(), "winnow-abstention-"));
try {
  const open: Open[] = [];
  for (const folder of folders) open.push(await openDataset(folder, base));
  const measured: Measured[] = [];
  for (const [i, { dataset, corpus }] of open.entries()) {
    const other = open[(i + 1) % open.length]?.corpus ?? corpus;
    const prefix = `${CORPUS_FILE}#`;
    for (const { text, gold } of dataset.queries) {
      const evidence = [...gold.keys()].map((id) => prefix + id);
      measured.push(await measure(dataset.name, "held", corpus, text, []));
      measured.push(await measure(dataset.name, "removed", corpus, text, evidence));
      measured.push(await measure(dataset.name, "foreign", other, text, []));
    }
    for (const text of await unlabelled(dataset)) {
      measured.push(await measure(dataset.name, "unlabelled", corpus, text, []));
    }
    process.stderr.write(`${dataset.name}\n`);
  }
  const sets = open.map(({ dataset }) => dataset.name);
  const shipped = [
    "set",
    "evidence",
    "questions",
    "words absent",
    "weak match",
    "rules abstains",
    "find lists nothing",
  ];
  console.log(`As shipped:\n\n${markdownTable([shipped, ...shippedRows(sets, measured)])}\n`);
  const fitted = fitLogistic(
    measured.flatMap(({ features, state }) =>
      state === "removed" || state === "unlabelled" ? [] : [{ features, isPositive: state === "held" }],
    ),
  );
  console.log(`Fit on all, held against foreign: ${JSON.stringify(fitted)}\n`);
  for (const against of ["foreign", "removed"] as const) {
    const head = ["set", "separation", ...FALSE_SHARES.map((at) => `${share(at, 1)} of the others' held`)];
    console.log(`Held against ${against}, fitted on the other sets; precision, recall, held that are lost:\n`);
    console.log(`${markdownTable([head, ...leftOutRows(sets, measured, against)])}\n`);
  }
  await Promise.all(open.map(({ corpus }) => corpus.close()));
} finally {
  await rm(base, { recursive: true, force: true });
}
