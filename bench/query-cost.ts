// Latency of queries over synthetic chunks: hybrid against the slower of its two halves, and 500 excluded (seen) chunks
// against none, all in the same run, one query at a time: `node scripts/bench.mjs query-cost [CHUNKS…] [--queries N]
// [--store sqlite]`.
// Chunks have about 330 words of a Zipf vocabulary and random vectors of the built-in embedder's length. Indexes are
// built once, in node_modules/.cache/winnow/query-cost.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../src/core/clock.ts";
import type { Chunk } from "../src/core/types.ts";
import { loadEmbedder, STATIC_EMBEDDER } from "../src/features/indexing/embedders.ts";
import { chunkKey, type FindMode } from "../src/retrieval/corpus-reader.ts";
import { type FindSource, findChunks } from "../src/retrieval/find/find-chunks.ts";
import { analyzeText } from "../src/retrieval/lexical/analyze.ts";
import { lanceStore } from "../src/retrieval/store/lance/lance-store.ts";
import { sqliteStore } from "../src/retrieval/store/sqlite/sqlite-store.ts";
import type { Store, StoreRow, StoreVersion } from "../src/retrieval/store/store.ts";

const CACHE = resolve("node_modules", ".cache", "winnow", "query-cost");
const VOCABULARY = 60_000;
const WORDS_PER_CHUNK = 330;
const ROWS_PER_APPEND = 2_000;
const CHUNKS_PER_DOCUMENT = 8;
const SEEN = 500;
/** What a search of ten documents asks for. */
const CHUNKS_ASKED = 30;
const WARM_UP = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { queries: { type: "string", default: "100" }, store: { type: "string", default: "lance" } },
});
const queriesTotal = Number(values.queries);
const sizes = positionals.map(Number);
const openStore = values.store === "sqlite" ? sqliteStore : lanceStore;

const random = seededRandom(11);
/** Each word with its terms. Analysing every text would take most of the time of building, and give the same. */
const vocabulary = Array.from({ length: VOCABULARY }, (_, i) => {
  const word = `w${i.toString(36)}`;
  return { word, terms: analyzeText(word) };
});
/** Ranks of a Zipf distribution with exponent 1, by inversion: words of real text are spread about so. */
const draw = (words: number) =>
  Array.from({ length: words }, () => vocabulary[Math.floor(VOCABULARY ** random())] ?? { word: "w", terms: ["w"] });
const joined = (words: readonly { readonly word: string }[]): string => words.map(({ word }) => word).join(" ");

function row(i: number): StoreRow {
  const words = draw(WORDS_PER_CHUNK);
  const body = joined(words);
  const document = `d${Math.floor(i / CHUNKS_PER_DOCUMENT)}`;
  const index = i % CHUNKS_PER_DOCUMENT;
  const vector = Float32Array.from({ length: STATIC_EMBEDDER.dimension }, () => random() - 0.5);
  const chunk: Chunk = {
    id: `${document}#${index}`,
    documentId: document,
    index,
    count: CHUNKS_PER_DOCUMENT,
    start: index * body.length,
    end: (index + 1) * body.length,
    line: 1 + index,
    text: body,
    tokens: 512,
    title: document,
    headings: [],
    uri: `/${document}`,
    metadata: { path: document },
  };
  return { chunk, item: document, terms: words.flatMap(({ terms }) => terms), vector };
}

async function build(store: Store, chunks: number): Promise<StoreVersion> {
  const writer = await store.createWriter("chunks");
  for (let i = 0; i < chunks; i += ROWS_PER_APPEND) {
    await writer.append(Array.from({ length: Math.min(ROWS_PER_APPEND, chunks - i) }, (_, j) => row(i + j)));
    if (process.stderr.isTTY) process.stderr.write(`\rbuilding: ${i + ROWS_PER_APPEND} of ${chunks} chunks`);
  }
  await writer.optimize();
  const version = await writer.commit();
  await writer.cleanUp(0);
  await writer.close();
  if (process.stderr.isTTY) process.stderr.write("\n");
  return version;
}

async function open(chunks: number): Promise<{ readonly source: FindSource; readonly close: () => Promise<void> }> {
  const folder = join(CACHE, values.store === "sqlite" ? `sqlite-${chunks}` : String(chunks));
  const done = join(folder, "version.json");
  const store = openStore({ folder, vectorDimension: STATIC_EMBEDDER.dimension });
  if (!existsSync(done)) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await writeFile(done, JSON.stringify(await build(store, chunks)));
  }
  const version: StoreVersion = JSON.parse(await readFile(done, "utf8"));
  const reader = await store.openReader(version);
  const embedder = await loadEmbedder(STATIC_EMBEDDER);
  const embedQuery = async (query: string) => {
    await embedder.embed([query]);
    // The words are made up; a random direction asks the store for the same work.
    return Float32Array.from({ length: STATIC_EMBEDDER.dimension }, () => random() - 0.5);
  };
  const source = { corpus: "bench", store: reader, embedder: STATIC_EMBEDDER, embedQuery };
  const close = async (): Promise<void> => {
    await reader.close();
    await store.close();
  };
  return { source, close };
}

const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

const MODES: readonly FindMode[] = ["lexical", "dense", "hybrid"];
const VARIANTS = MODES.flatMap((mode) => [false, true].map((seen) => ({ mode, seen })));
const label = (mode: FindMode, seen: boolean): string => (seen ? `${mode}, ${SEEN} seen` : mode);

async function measure(source: FindSource): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = new Map<string, number[]>(VARIANTS.map(({ mode, seen }) => [label(mode, seen), []]));
  for (let i = -WARM_UP; i < queriesTotal; i++) {
    // Rare and common words, about as many as a question has.
    const query = joined(draw(6 + (Math.abs(i) % 5)));
    // What is excluded is what this query finds first: the worst case.
    const { hits } = await findChunks(source, { text: query, mode: "hybrid", chunksMax: SEEN });
    const exclude = new Set(hits.map(({ chunk }) => chunkKey("bench", chunk.id)));
    // Each variant comes first as often as the others, because the first one finds the caches cold.
    for (const j of VARIANTS.keys()) {
      const variant = VARIANTS[(Math.abs(i) + j) % VARIANTS.length];
      if (variant === undefined) continue;
      const { mode, seen } = variant;
      const start = performance.now();
      await findChunks(source, { text: query, mode, chunksMax: CHUNKS_ASKED, ...(seen && { exclude }) });
      if (i >= 0) times.get(label(mode, seen))?.push(performance.now() - start);
    }
  }
  return times;
}

function report(times: ReadonlyMap<string, readonly number[]>): void {
  const of = (mode: FindMode, seen: boolean, share: number): number =>
    percentile(times.get(label(mode, seen)) ?? [], share);
  const ratio = (part: number, whole: number): string => (part / whole).toFixed(2);
  console.log(`| query | p50 ms | p99 ms | ${SEEN} seen, p50 | ${SEEN} seen, p99 |\n|---|---|---|---|---|`);
  for (const mode of MODES) {
    const [p50, p99] = [of(mode, false, 0.5), of(mode, false, 0.99)];
    const [seen50, seen99] = [of(mode, true, 0.5), of(mode, true, 0.99)];
    const cells = [`${seen50.toFixed(1)} (${ratio(seen50, p50)})`, `${seen99.toFixed(1)} (${ratio(seen99, p99)})`];
    console.log(`| ${mode} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${cells.join(" | ")} |`);
  }
  const overSlower = (share: number, seen: boolean): string =>
    ratio(of("hybrid", seen, share), Math.max(of("lexical", seen, share), of("dense", seen, share)));
  console.log(`\nhybrid is ${overSlower(0.5, false)} times its slower half at p50, ${overSlower(0.99, false)} at p99`);
  console.log(`with ${SEEN} seen: ${overSlower(0.5, true)} at p50, ${overSlower(0.99, true)} at p99`);
}

for (const chunks of sizes.length > 0 ? sizes : [24_000]) {
  const { source, close } = await open(chunks);
  const times = await measure(source);
  await close();
  console.log(`\n${values.store}: ${chunks} chunks, ${queriesTotal} queries for ${CHUNKS_ASKED} chunks each\n`);
  report(times);
}
