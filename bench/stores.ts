// The same index in each store: `node scripts/bench.mjs stores DATASET`, a folder in the BEIR layout (musique-100). It is
// indexed once, in Lance, and copied with `winnow copy` to SQLite and to a collection of a real Chroma server, which needs
// a chroma command (see `npm run chroma:up -- --install`) and is left out where there is none. Prints paired differences
// of recall from Lance with their intervals, how many of the nearest chunks each store finds, and latency as ratios to
// Lance, question by question in turn. Fails where a difference is larger than 0.01.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findChromaCommand } from "../scripts/chroma/find.mjs";
import { CORPUS_FILE, corpusSource } from "../src/eval/corpus-source.ts";
import { loadDataset } from "../src/eval/dataset.ts";
import { evaluate } from "../src/eval/run-evaluation.ts";
import { compareEvaluations } from "../src/features/compare-evaluations.ts";
import { copyCorpus } from "../src/features/copy-corpus.ts";
import { findDocuments } from "../src/features/find-documents.ts";
import { indexCorpus } from "../src/features/index-corpus.ts";
import { defaultParts } from "../src/features/indexing/default-parts.ts";
import { queryEmbedder } from "../src/features/indexing/embedders.ts";
import { markdownTable } from "../src/features/report-table.ts";
import { connectChroma } from "../src/retrieval/chroma/connection.ts";
import { type LocalServer, launchServer } from "../src/retrieval/chroma/server/launch.ts";
import { CORPUS_FOLDER_NAME } from "../src/retrieval/corpus/layout.ts";
import { type OpenCorpusOptions, openCorpus } from "../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader, FindMode } from "../src/retrieval/corpus-reader.ts";
import { ChromaReader } from "../src/retrieval/store/chroma/chroma-reader.ts";
import { lanceStore } from "../src/retrieval/store/lance/lance-store.ts";

const MODES: readonly FindMode[] = ["dense", "hybrid", "lexical"];
const METRICS = ["recall@2", "recall@5", "recall@10", "recall@30"];
const LIST = 30;
const ROUNDS = 3;
/** A store may differ from Lance by so much recall, at any cut-off. */
const DIFFERENCE_MAX = 0.01;
const COLLECTION = "bench-stores";

const [folder = ""] = process.argv.slice(2);
const { signal } = new AbortController();
const dataset = await loadDataset(folder, signal);
const base = await mkdtemp(join(tmpdir(), "winnow-stores-"));
const scope = { workingFolder: base, known: {} };
const indexOf = (name: string): string => join(base, name, CORPUS_FOLDER_NAME);
const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function copied(to: string, chunks: number): Promise<void> {
  const environment = process.env;
  const { seconds, chunks: found } = await copyCorpus({
    from: "lance",
    to,
    store: "sqlite",
    scope,
    environment,
    signal,
  });
  if (found !== chunks) throw new Error(`${to} holds ${found} chunks of ${chunks}.`);
  console.log(`copied to ${to.replace(/:\d+\//, ":PORT/")}: ${found} chunks, ${seconds.toFixed(1)} s`);
}

function open(name: string, more: OpenCorpusOptions = {}): Promise<CorpusReader> {
  return openCorpus(indexOf(name), { embedQuery: queryEmbedder(), ...more });
}

/** The words of the index in Lance, the vectors of the collection that it was copied to. */
async function openOnServer(address: string): Promise<CorpusReader> {
  const collection = await (await connectChroma({ address })).collection(COLLECTION);
  const openStore: OpenCorpusOptions["openStore"] = (layout, { embedder }) => {
    const vectorDimension = embedder?.dimension ?? 0;
    const words = lanceStore({ folder: layout.storeFolder, vectorDimension });
    return {
      ...words,
      openReader: async (at) =>
        new ChromaReader({
          ...{ words: await words.openReader(at), vectorDimension, cloud: false },
          open: async () => ({ collection, cloud: false }),
        }),
    };
  };
  return open("lance", { openStore });
}

/** Evaluates one-shot queries, and resolves with the folder of the evaluation. */
async function measured(name: string, corpus: CorpusReader, mode: FindMode): Promise<string> {
  const none = { pruned: [], turns: 0, toolCalls: 1, promptTokens: 0, completionTokens: 0, seconds: 0 };
  const evaluations = join(base, "evaluations");
  const { id, result } = evaluate({
    ...{ dataset, folder: evaluations, k: LIST, signal, profile: "none" },
    ...{ id: `${name}-${mode}`, policy: `find:${mode}`, retrieval: `${mode} ${name}` },
    async system({ text }) {
      const found = await findDocuments([corpus], { text, mode, documentsMax: LIST, signal });
      const documents = found.documents.map((document) => document.id.slice(CORPUS_FILE.length + 1));
      return { documents, seen: documents, ...none, stopReason: "finished" };
    },
  });
  const { failed } = await result;
  if (failed > 0) throw new Error(`${failed} questions failed: ${name} ${mode}`);
  return join(evaluations, id);
}

/** How many of the chunks nearest by Lance's exact search a corpus finds, at most `LIST` for each question. */
async function shareOfNearest(exact: CorpusReader, corpus: CorpusReader): Promise<number> {
  let [found, wanted] = [0, 0];
  for (const { text } of dataset.queries) {
    const [a, b] = await Promise.all(
      [exact, corpus].map((one) => one.find({ text, mode: "dense", chunksMax: LIST, signal })),
    );
    const ids = new Set(b?.hits.map(({ chunk }) => chunk.id));
    wanted += a?.hits.length ?? 0;
    found += a?.hits.filter(({ chunk }) => ids.has(chunk.id)).length ?? 0;
  }
  return found / wanted;
}

/** Median milliseconds of each store for one kind of query, all stores by turns. */
async function latencies(corpora: ReadonlyMap<string, CorpusReader>, mode: FindMode): Promise<Map<string, number>> {
  const times = new Map([...corpora.keys()].map((name) => [name, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { text } of dataset.queries) {
      for (const [name, corpus] of corpora) {
        const start = performance.now();
        await corpus.find({ text, mode, chunksMax: LIST, signal });
        // The first round warms caches and the compiler.
        if (round > 0) times.get(name)?.push(performance.now() - start);
      }
    }
  }
  return new Map([...times].map(([name, own]) => [name, median(own)]));
}

async function recallTable(corpora: ReadonlyMap<string, CorpusReader>): Promise<{ table: string; worst: number }> {
  const rows: string[][] = [];
  let worst = 0;
  for (const mode of MODES) {
    const names = [...corpora.keys()];
    const evaluations: string[] = [];
    for (const [name, corpus] of corpora) evaluations.push(await measured(name, corpus, mode));
    const compared = await compareEvaluations({ evaluations, cacheFolder: base, workingFolder: base });
    const [lance] = compared.evaluations;
    rows.push([`find:${mode}`, "lance", ...METRICS.map((metric) => (lance?.means[metric]?.mean ?? 0).toFixed(3))]);
    for (const [i, { metrics }] of compared.comparisons.entries()) {
      const cells = METRICS.map((metric) => {
        const { difference = Number.NaN, low = 0, high = 0 } = metrics[metric] ?? {};
        worst = Math.max(worst, Math.abs(difference));
        return `${signed(difference)} [${signed(low)}, ${signed(high)}]`;
      });
      rows.push(["", `${names[i + 1]} − lance`, ...cells]);
    }
  }
  return { table: markdownTable([["", "store", ...METRICS], ...rows]), worst };
}

async function latencyTable(corpora: ReadonlyMap<string, CorpusReader>): Promise<string> {
  const names = [...corpora.keys()];
  const rows: string[][] = [];
  for (const mode of MODES) {
    const times = await latencies(corpora, mode);
    const floor = times.get("lance") ?? Number.NaN;
    const cells = names.map(
      (name) => `${(times.get(name) ?? 0).toFixed(1)} (${((times.get(name) ?? 0) / floor).toFixed(2)})`,
    );
    rows.push([mode, ...cells]);
  }
  return markdownTable([["p50 ms (ratio to lance)", ...names], ...rows]);
}

const executable = findChromaCommand(process.cwd(), process.env);
let server: LocalServer | undefined;
try {
  const paths = [join(base, "lance", CORPUS_FILE)];
  const parts = { ...defaultParts, createSource: async () => corpusSource(dataset.corpusFile) };
  const { chunks } = await indexCorpus({ folder: indexOf("lance"), paths, parts, store: "lance", signal });
  await copied("sqlite", chunks);
  const corpora = new Map([
    ["lance", await open("lance")],
    ["sqlite", await open("sqlite")],
  ]);
  if (executable === undefined) console.log("Chroma is left out: there is no chroma command, see npm run chroma:up.");
  else {
    await mkdir(join(base, "data"));
    const environment = { ...process.env, WINNOW_CHROMA: executable };
    server = await launchServer({ executable, folder: join(base, "data"), logFile: join(base, "log"), environment });
    await copied(`chroma:${server.address}/${COLLECTION}`, chunks);
    corpora.set("chroma", await openOnServer(server.address));
  }
  const { table, worst } = await recallTable(corpora);
  console.log(
    `\n${dataset.name}: ${dataset.queries.length} questions, ${chunks} chunks, lists of ${LIST}\n\n${table}\n`,
  );
  const [exact] = corpora.values();
  for (const [name, corpus] of corpora) {
    if (exact === undefined || corpus === exact) continue;
    console.log(`${name} finds ${(await shareOfNearest(exact, corpus)).toFixed(4)} of the ${LIST} nearest chunks.`);
  }
  console.log(`\n${await latencyTable(corpora)}`);
  console.log(`\nlargest difference of recall: ${worst.toFixed(4)}, allowed ${DIFFERENCE_MAX}`);
  if (!(worst <= DIFFERENCE_MAX)) process.exitCode = 1;
  for (const corpus of corpora.values()) await corpus.close();
} finally {
  await server?.close();
  await rm(base, { recursive: true, force: true });
}
