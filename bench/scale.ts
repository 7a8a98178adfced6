// Winnow at 100,000 and a million chunks: `node scripts/bench.mjs scale [--chunks N] [--words N] [--queries N] [--fresh]
// [--alone]`.
// Made once, in node_modules/.cache/winnow/scale: files of so many words a chunk, their index, and the floor of indexing,
// the same rows added and indexed by the bare store. Then queries: ours in each mode, with and without 500 excluded
// chunks, at 1, 2 and 8 clients, beside a bare FTS5 table with vectors in memory, and up to `CHROMA_CHUNKS_MAX` chunks a
// real Chroma server, which needs a chroma command (see `npm run chroma:up -- --install`). Every stage runs in a process
// of its own, so that what it holds in memory is its own. `--alone` leaves the peers out, which at a million chunks take
// longer to fill than all the rest.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { findChromaCommand } from "../scripts/chroma/find.mjs";
import { indexCorpus } from "../src/features/index-corpus.ts";
import { markdownTable, type Table } from "../src/features/report-table.ts";
import { CORPUS_FOLDER_NAME, corpusLayout } from "../src/retrieval/corpus/layout.ts";
import { readManifest } from "../src/retrieval/corpus/manifest.ts";
import { type Built, buildBare, buildCorpus, peakBytes, sizeOf } from "./scale/build.ts";
import { latencies, makeQueries, percentile, type Query, SEEN, throughput } from "./scale/measure.ts";
import { type Opened, openChromaPeer, openOurs, openSqlitePeer, type System } from "./scale/systems.ts";
import { writeTexts } from "./scale/texts.ts";

const CLIENTS = [1, 2, 8];
/** Adding to Chroma is slow, a few hundred rows a second. */
const CHROMA_CHUNKS_MAX = 24_000;
/** Sections of up to so many words are cut at a quarter of the usual size, so that each is a chunk. */
const SHORT_WORDS = 100;
const REFRESHES = 3;
/** Queries of the process that shows what a reader takes in memory. */
const READER_QUERIES = 50;

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "100000" },
    words: { type: "string", default: "330" },
    queries: { type: "string", default: "150" },
    fresh: { type: "boolean", default: false },
    alone: { type: "boolean", default: false },
    stage: { type: "string", default: "all" },
  },
});
const [chunks, words, queriesTotal] = [Number(values.chunks), Number(values.words), Number(values.queries)];
const base = resolve("node_modules", ".cache", "winnow", "scale", `${chunks}x${words}`);
const files = join(base, "files");
const corpus = join(base, CORPUS_FOLDER_NAME);
const targetTokens = words <= SHORT_WORDS ? 128 : 512;

/** What a stage printed, run in a process of its own; kept for the next time. */
async function inChild<T>(stage: string, keep: boolean): Promise<T> {
  const file = join(base, `${stage}.json`);
  if (keep && existsSync(file)) return JSON.parse(await readFile(file, "utf8"));
  const [script = "", ...args] = process.argv.slice(1);
  const child = spawnSync(process.execPath, ["--expose-gc", script, ...args, "--stage", stage], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (child.status !== 0) throw new Error(`The stage ${stage} failed.`);
  await writeFile(file, child.stdout);
  return JSON.parse(child.stdout);
}

interface Refreshed {
  readonly seconds: readonly number[];
  readonly cpuSeconds: readonly number[];
}

/** One file changes, and the index takes it in. */
async function refreshes(): Promise<Refreshed> {
  const done = { seconds: [] as number[], cpuSeconds: [] as number[] };
  for (let i = 0; i < REFRESHES; i++) {
    await appendFile(join(files, "0000", `${i}.md`), "\nOne more line of text.\n");
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    await indexCorpus({ folder: corpus, paths: [] });
    const { user, system } = process.cpuUsage(cpu);
    done.seconds.push((performance.now() - start) / 1_000);
    done.cpuSeconds.push((user + system) / 1e6);
  }
  return done;
}

interface Reader {
  readonly firstMs: number;
  readonly peakBytes: number;
}

/** What a process that only searches takes: until its first answer, and in memory after some more. */
async function reader(): Promise<Reader> {
  const start = performance.now();
  const { systems, close } = await openOurs(corpus);
  const hybrid = systems.at(-1) as System;
  let firstMs = Number.NaN;
  for (const { text } of await makeQueries(1, hybrid.ask)) {
    firstMs = performance.now() - start;
    await hybrid.ask(text, new Set());
  }
  await makeQueries(READER_QUERIES, hybrid.ask);
  await close();
  return { firstMs, peakBytes: peakBytes() };
}

interface Measured {
  readonly chunks: number;
  readonly fill: Readonly<Record<string, number | undefined>>;
  readonly free: readonly (readonly [string, readonly number[]])[];
  readonly seen: readonly (readonly [string, readonly number[]])[];
  /** Queries a second and p99 by system, for each number of clients. */
  readonly rates: readonly {
    readonly name: string;
    readonly clients: number;
    readonly perSecond: number;
    readonly p99: number;
  }[];
}

async function measure(): Promise<Measured> {
  const held = (await readManifest(corpusLayout(corpus)))?.manifest.chunks ?? 0;
  const ours = await openOurs(corpus);
  const chroma = held <= CHROMA_CHUNKS_MAX ? findChromaCommand(process.cwd(), process.env) : undefined;
  const peers: Opened[] = [];
  if (!values.alone) peers.push(await openSqlitePeer(corpus, join(base, "fts5.sqlite"), held));
  if (!values.alone && chroma !== undefined) peers.push(await openChromaPeer(corpus, base, chroma));
  try {
    const systems = [...ours.systems, ...peers.flatMap((peer) => peer.systems)];
    const hybrid = ours.systems.at(-1) as System;
    const queries: readonly Query[] = await makeQueries(queriesTotal, hybrid.ask);
    const free = await latencies(systems, queries, false);
    const seen = await latencies(systems, queries, true);
    const rates: Measured["rates"][number][] = [];
    for (const clients of CLIENTS) {
      for (const system of systems) {
        const { perSecond, times } = await throughput(system, queries, clients);
        rates.push({ name: system.name, clients, perSecond, p99: percentile(times, 0.99) });
      }
    }
    const fill = Object.fromEntries(peers.map((peer) => [peer.systems[0]?.name ?? "", peer.fillSeconds]));
    return { chunks: held, fill, free: [...free], seen: [...seen], rates };
  } finally {
    for (const opened of [ours, ...peers]) await opened.close();
  }
}

const ratio = (part: number, whole: number): string => (part / whole).toFixed(2);
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString("en-US")} MB`;

function printBuilt(built: Built, bare: Built | undefined, refreshed: Refreshed): void {
  const perSecond = (of: Built): string => Math.round(of.chunks / of.seconds).toLocaleString("en-US");
  const line = (name: string, of: Built): readonly string[] => [
    name,
    of.seconds.toFixed(1),
    perSecond(of),
    of.cpuSeconds.toFixed(1),
    megabytes(of.peakBytes),
    megabytes(of.diskBytes),
  ];
  const over = (of: Built): readonly string[] => [
    "ratio",
    ratio(built.seconds, of.seconds),
    "",
    ratio(built.cpuSeconds, of.cpuSeconds),
    ratio(built.peakBytes, of.peakBytes),
    ratio(built.diskBytes, of.diskBytes),
  ];
  const table: Table = [
    ["", "seconds", "chunks a second", "CPU seconds", "peak memory", "on disk"],
    line("files → chunks → vectors → index", built),
    ...(bare === undefined ? [] : [line("floor: the bare store, same rows", bare), over(bare)]),
  ];
  console.log(`\n${built.chunks} chunks of ${words} words\n\n${markdownTable(table)}\n`);
  const parts = Object.entries(built.profile).sort(([, a], [, b]) => b - a);
  console.log(
    markdownTable([
      ["where the time went", "seconds", "share"],
      ...parts.map(([name, seconds]) => [name, seconds.toFixed(1), `${Math.round((100 * seconds) / built.seconds)} %`]),
    ]),
  );
  const each = refreshed.seconds.map(
    (seconds, i) => `${seconds.toFixed(2)} s (${refreshed.cpuSeconds[i]?.toFixed(2)} s of CPU)`,
  );
  console.log(`\nOne file of ${Math.round(built.chunks / 8)} changes, ${REFRESHES} times: ${each.join(", ")}`);
}

const PEER_OF: Readonly<Record<string, string>> = {
  FTS5: "lexical",
  "brute force": "dense",
  Chroma: "dense",
  "FTS5 + brute force": "hybrid",
};

function printMeasured({ free, seen, rates, fill }: Measured): void {
  const of = (list: Measured["free"], name: string, share: number): number =>
    percentile(new Map(list).get(name) ?? [], share);
  const head = ["", "p50 ms", "p99 ms", "p50 over ours", `${SEEN} seen, p50`, "p99", "over none"];
  const rows = free.map(([name]) => {
    const own = PEER_OF[name];
    const [p50, seen50] = [of(free, name, 0.5), of(seen, name, 0.5)];
    const over = own === undefined ? "" : ratio(p50, of(free, own, 0.5));
    return [
      name,
      p50.toFixed(1),
      of(free, name, 0.99).toFixed(1),
      over,
      seen50.toFixed(1),
      of(seen, name, 0.99).toFixed(1),
      ratio(seen50, p50),
    ];
  });
  console.log(`\n${markdownTable([head, ...rows])}\n`);
  for (const [label, list] of [
    ["", free],
    [` with ${SEEN} seen`, seen],
  ] as const) {
    const slower = (share: number) => Math.max(of(list, "lexical", share), of(list, "dense", share));
    console.log(
      `hybrid over its slower half${label}: ${ratio(of(list, "hybrid", 0.5), slower(0.5))} at p50, ${ratio(of(list, "hybrid", 0.99), slower(0.99))} at p99`,
    );
  }
  const names = [...new Set(rates.map(({ name }) => name))];
  const rate = (name: string, clients: number): string => {
    const found = rates.find((entry) => entry.name === name && entry.clients === clients);
    return `${found?.perSecond.toFixed(1)} (${found?.p99.toFixed(0)})`;
  };
  const table = [
    ["queries a second (p99 ms)", ...CLIENTS.map((n) => `${n} clients`)],
    ...names.map((name) => [name, ...CLIENTS.map((n) => rate(name, n))]),
  ];
  console.log(`\n${markdownTable(table)}`);
  for (const [name, seconds] of Object.entries(fill))
    if (seconds !== undefined) console.log(`\nfilling ${name}: ${seconds.toFixed(1)} s`);
}

async function all(): Promise<void> {
  if (values.fresh) await rm(base, { recursive: true, force: true });
  await mkdir(base, { recursive: true });
  await inChild("texts", true);
  const built = await inChild<Built>("index", true);
  const bare = values.alone ? undefined : await inChild<Built>("bare", true);
  const refreshed = await inChild<Refreshed>("refresh", true);
  const searching = await inChild<Reader>("reader", false);
  const measured = await inChild<Measured>("measure", false);
  printBuilt(built, bare, refreshed);
  console.log(`\n${queriesTotal} queries for 30 chunks each`);
  printMeasured(measured);
  console.log(
    `\nA process that only searches: ${searching.firstMs.toFixed(0)} ms to its first answer, at most ${megabytes(searching.peakBytes)} in memory; the index now takes ${megabytes(await sizeOf(corpus))} on disk.`,
  );
}

const stages: Readonly<Record<string, () => Promise<unknown>>> = {
  texts: async () => {
    await rm(files, { recursive: true, force: true });
    return writeTexts(files, chunks, words).then(() => ({ chunks, words }));
  },
  index: () => buildCorpus(files, corpus, targetTokens),
  bare: () => buildBare(corpus, join(base, "bare")),
  refresh: refreshes,
  reader,
  measure,
};

const stage = stages[values.stage];
if (stage === undefined) await all();
else console.log(JSON.stringify(await stage()));
