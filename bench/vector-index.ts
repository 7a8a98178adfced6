// What an index of the vectors saves and loses, on real text: `node scripts/bench.mjs vector-index FOLDER… [--words N]
// [--pieces N] [--queries N]`. Takes pieces of so many words from all the documentation in the folders, makes their
// vectors with the built-in embedder, asks for the 90 nearest to strings of words that stand in them, and compares each
// setting of an index with the search that reads every vector: time, by turns, and how many of the nearest it finds, with
// and without the 500 nearest excluded. Fails where an index that is searched in all its partitions misses any.
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Index, Table as LanceTable } from "@lancedb/lancedb";
import type { Table as ArrowTable } from "apache-arrow";
import { seededRandom } from "../src/core/clock.ts";
import { markdownTable } from "../src/features/report-table.ts";
import { loadStaticEmbedder } from "../src/models/static-embedder.ts";
import { chunkSchema, numbers, texts, toTable } from "../src/retrieval/store/lance/lance-rows.ts";
import { loadLance } from "../src/retrieval/store/lance/load-lance.ts";
import { sqlIn } from "../src/retrieval/store/lance/sql.ts";
import { EVERY_PARTITION } from "../src/retrieval/store/lance/vector-index.ts";
import type { StoreRow } from "../src/retrieval/store/store.ts";
import { sizeOf } from "./scale/build.ts";
import { percentile } from "./scale/measure.ts";
import { realPieces } from "./scale/real-text.ts";

/** Candidates of a search of ten documents. */
const NEAREST = 90;
const SEEN = 500;
const CUTS = [10, 30, 90];
const PIECES_PER_BATCH = 4_096;
const PARTITION_ROWS = 4_096;
/** Share of the pieces that a query is taken from, until there are enough. */
const QUERY_SHARE = 0.01;
const QUERY_WORDS_MIN = 5;
const QUERY_WORDS_MAX = 12;
/** Distances are of single precision. */
const SAME_DISTANCE = 1e-5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    words: { type: "string", default: "330" },
    pieces: { type: "string", default: "1000000" },
    queries: { type: "string", default: "60" },
  },
});
const [words, piecesMax, queriesMax] = [Number(values.words), Number(values.pieces), Number(values.queries)];
const folder = resolve("node_modules", ".cache", "winnow", "vector-index");

interface Asked {
  readonly vector: Float32Array;
  /** Distances of the nearest, and without the `SEEN` nearest. */
  readonly nearest: readonly number[];
  readonly behind: readonly number[];
  /** Leaves the nearest out. */
  readonly where: string;
}

/** What a setting changes about a query. */
interface Setting {
  readonly name: string;
  readonly probes: number;
  readonly refine?: number;
}

function storeRow(id: string, vector: Float32Array): StoreRow {
  const place = { index: 0, count: 1, start: 0, end: 0, line: 1, tokens: 0, headings: [], metadata: {} };
  return { chunk: { ...place, id, documentId: id, text: "", title: "", uri: "" }, item: id, terms: [], vector };
}

/** The table of all pieces, and the strings that it is asked for. */
async function load(): Promise<{
  readonly table: LanceTable;
  readonly rows: number;
  readonly queries: readonly string[];
}> {
  const embedder = await loadStaticEmbedder();
  const { connect, Index } = await loadLance();
  const database = await connect(folder);
  const table = await database.createEmptyTable("pieces", await chunkSchema(embedder.dimension), { mode: "overwrite" });
  const random = seededRandom(5);
  const queries: string[] = [];
  let [held, rows]: [string[], number] = [[], 0];
  const flush = async (): Promise<void> => {
    const vectors = await embedder.embed(held);
    await table.add(
      await toTable(
        vectors.map((vector, i) => storeRow(`p${rows + i}`, vector)),
        embedder.dimension,
      ),
    );
    rows += held.length;
    held = [];
  };
  for await (const piece of realPieces(positionals, words)) {
    held.push(piece);
    if (queries.length < queriesMax && random() < QUERY_SHARE) queries.push(excerptOf(piece, random));
    if (held.length === PIECES_PER_BATCH) await flush();
    if (rows + held.length >= piecesMax) break;
  }
  if (held.length > 0) await flush();
  await table.optimize();
  await table.createIndex("id", { config: Index.btree() });
  return { table, rows, queries };
}

function excerptOf(piece: string, random: () => number): string {
  const all = piece.split(" ");
  const count = QUERY_WORDS_MIN + Math.floor(random() * (QUERY_WORDS_MAX - QUERY_WORDS_MIN + 1));
  const start = Math.floor(random() * Math.max(1, all.length - count));
  return all.slice(start, start + count).join(" ");
}

function search(
  table: LanceTable,
  vector: Float32Array,
  limit: number,
  setting: Setting | undefined,
  where?: string,
): Promise<ArrowTable> {
  const query = table.query().nearestTo(vector).distanceType("cosine").select(["id", "_distance"]).limit(limit);
  if (setting === undefined) query.bypassVectorIndex();
  else query.nprobes(setting.probes);
  if (setting?.refine !== undefined) query.refineFactor(setting.refine);
  if (where !== undefined) query.where(where);
  return query.toArrow();
}

async function askAll(table: LanceTable, queries: readonly string[]): Promise<readonly Asked[]> {
  const vectors = await (await loadStaticEmbedder()).embed(queries);
  const asked: Asked[] = [];
  for (const vector of vectors) {
    const found = await search(table, vector, SEEN, undefined);
    const where = `NOT (${sqlIn("id", texts(found, "id"))})`;
    const behind = numbers(await search(table, vector, NEAREST, undefined, where), "_distance");
    asked.push({ vector, nearest: numbers(found, "_distance"), behind, where });
  }
  return asked;
}

/** How many of the best `cut` are among the best found; what is as near counts. */
function recall(found: readonly number[], exact: readonly number[], cut: number): number {
  const far = (exact[cut - 1] ?? Number.POSITIVE_INFINITY) + SAME_DISTANCE;
  return found.slice(0, cut).filter((distance) => distance <= far).length / Math.min(cut, exact.length);
}

const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;

async function timed(
  work: () => Promise<ArrowTable>,
): Promise<{ readonly ms: number; readonly distances: readonly number[] }> {
  const start = performance.now();
  const table = await work();
  return { ms: performance.now() - start, distances: numbers(table, "_distance") };
}

/** A row of the report. */
async function measure(table: LanceTable, asked: readonly Asked[], setting: Setting): Promise<readonly string[]> {
  const times = { plain: [] as number[], own: [] as number[], seen: [] as number[] };
  const found = CUTS.map(() => [] as number[]);
  const behind: number[] = [];
  for (const { vector, nearest, where, behind: exact } of asked) {
    times.plain.push((await timed(() => search(table, vector, NEAREST, undefined))).ms);
    const own = await timed(() => search(table, vector, NEAREST, setting));
    times.own.push(own.ms);
    for (const [i, cut] of CUTS.entries()) found[i]?.push(recall(own.distances, nearest, cut));
    const rest = await timed(() => search(table, vector, NEAREST, setting, where));
    times.seen.push(rest.ms);
    behind.push(recall(rest.distances, exact, 30));
  }
  const worst = Math.min(...(found[1] ?? []));
  if (setting.probes === EVERY_PARTITION && setting.refine === undefined && Math.min(worst, ...behind) < 1) {
    throw new Error(`${setting.name} misses some of the nearest.`);
  }
  const p50 = percentile(times.own, 0.5);
  const cells = [
    p50.toFixed(1),
    (p50 / percentile(times.plain, 0.5)).toFixed(2),
    ...found.map((list) => mean(list).toFixed(3)),
  ];
  return [setting.name, ...cells, worst.toFixed(2), percentile(times.seen, 0.5).toFixed(1), mean(behind).toFixed(3)];
}

const HEAD = [
  "",
  "p50 ms",
  "over no index",
  ...CUTS.map((cut) => `recall@${cut}`),
  "worst @30",
  `${SEEN} seen, p50 ms`,
  "recall@30",
];

async function report(): Promise<void> {
  if (positionals.length === 0) throw new Error("Name folders of documentation, e.g. /usr/share/doc.");
  await mkdir(folder, { recursive: true });
  const { table, rows, queries } = await load();
  const asked = await askAll(table, queries);
  const { Index: make } = await loadLance();
  const partitions = Math.ceil(rows / PARTITION_ROWS);
  const share = (part: number): Setting => ({
    name: `${Math.ceil(part * partitions)} of ${partitions} partitions`,
    probes: Math.ceil(part * partitions),
  });
  const every: Setting = { name: `all ${partitions} partitions`, probes: EVERY_PARTITION };
  const kinds: readonly (readonly [string, Index, readonly Setting[]])[] = [
    [
      "IVF_FLAT",
      make.ivfFlat({ numPartitions: partitions, distanceType: "cosine" }),
      [every, share(0.4), share(0.2), share(0.1)],
    ],
    [
      "IVF_RQ",
      make.ivfRq({ numPartitions: partitions, distanceType: "cosine" }),
      [4, 10].map((refine) => ({ ...every, name: `all, the best ${refine} times over compared exactly`, refine })),
    ],
  ];
  console.log(`${rows} pieces of ${words} words, ${asked.length} queries`);
  for (const [kind, config, settings] of kinds) {
    const [before, start, cpu] = [await sizeOf(folder), performance.now(), process.cpuUsage()];
    await table.createIndex("vector", { config, name: "vectors", replace: true });
    const { user, system } = process.cpuUsage(cpu);
    const megabytes = ((await sizeOf(folder)) - before) / 1e6;
    console.log(
      `\n${kind}: made in ${((performance.now() - start) / 1_000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of CPU, ${megabytes.toFixed(0)} MB\n`,
    );
    const lines: (readonly string[])[] = [];
    for (const setting of settings) lines.push(await measure(table, asked, setting));
    console.log(markdownTable([HEAD, ...lines]));
  }
  table.close();
}

try {
  await report();
} finally {
  await rm(join(folder, "pieces.lance"), { recursive: true, force: true });
}
