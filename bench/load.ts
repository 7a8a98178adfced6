// What one machine sustains, and what becomes of ten times as much: `node scripts/bench.mjs load [--target find|scripted|
// rules|http-find|http-search] [--mode hybrid|lexical] [--chunks N] [--clients N] [--seconds N] [--p99 MS] [--times
// 1,2,10] [--questions N] [--processes N] [--rss-max MIB] [-- SERVE-OPTIONS…]`. The http targets need `npm run build`.
//
// First every question is asked at rest, then `--clients` ask one after the other (a closed loop), beside Lance asked
// bare in the same way, which is the floor. From there the largest rate is looked for at which the 99th percentile stays
// below `--p99` and the queue does not grow, and so many times of it are sent for `--seconds` each, whatever becomes of
// them (an open loop). Fails when a request ends in neither an answer nor a named error, when an answer differs from
// that at rest, when a refusal does not say that one may come again, or when memory passes `--rss-max`.
//
// With `--processes N` instead: the closed loop in one process and in N at once over the same corpus folder.
// The corpus is a synthetic world, made once, in node_modules/.cache/winnow/load.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type LoadCorpus, loadCorpus } from "./load/corpus.ts";
import { bareStore } from "./load/floor.ts";
import { answersAtRest, closedLoop, type Known, type Load, openLoop, percentile } from "./load/generate.ts";
import { faults, perSecond, table } from "./load/report.ts";
import { sustainableRate } from "./load/sustain.ts";
import { openTarget, TARGETS, type Target, type TargetName, type TargetOptions } from "./load/targets.ts";

/** Turns of the closed loop and the floor. */
const FLOOR_TURNS = 3;
/** Comparisons of one process with several. */
const ROUNDS = 3;
const CACHE = resolve("node_modules", ".cache", "winnow", "load");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    target: { type: "string", default: "find" },
    mode: { type: "string", default: "hybrid" },
    chunks: { type: "string", default: "4800" },
    clients: { type: "string", default: String(2 * availableParallelism()) },
    seconds: { type: "string", default: "15" },
    p99: { type: "string", default: "250" },
    times: { type: "string", default: "1,2,10" },
    questions: { type: "string", default: "200" },
    processes: { type: "string" },
    "rss-max": { type: "string", default: "1500" },
    /** A process of `--processes`: prints what it did. */
    worker: { type: "boolean", default: false },
  },
});
const target = oneOf(values.target, TARGETS);
const mode = oneOf(values.mode, ["hybrid", "lexical"] as const);
const [clients, seconds] = [Number(values.clients), Number(values.seconds)];

function oneOf<Name extends string>(given: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === given);
  if (name === undefined) throw new Error(`"${given}" is none of ${names.join(", ")}.`);
  return name;
}

/** Opens a target, hands it over, and leaves nothing behind. */
async function using<T>(name: TargetName, corpus: LoadCorpus, work: (opened: Target) => Promise<T>): Promise<T> {
  const runsFolder = await mkdtemp(join(tmpdir(), "winnow-load-"));
  const options: TargetOptions = { corpus, mode, serve: positionals, runsFolder };
  try {
    const opened = await openTarget(name, options);
    try {
      return await work(opened);
    } finally {
      await opened.close();
    }
  } finally {
    await rm(runsFolder, { recursive: true, force: true });
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The closed loop and the floor by turns, so that a slow stretch of the machine meets both. */
async function besideTheFloor(
  opened: Target,
  known: Known,
  corpus: LoadCorpus,
): Promise<Record<"closed" | "floor", Load[]>> {
  const bare = await bareStore(corpus, mode);
  const loads: Record<"closed" | "floor", Load[]> = { closed: [], floor: [] };
  try {
    await closedLoop(bare, new Map(), { clients: 2, seconds: 1 });
    for (let turn = 0; turn < FLOOR_TURNS; turn++) {
      // Ours first: what the bare store takes of memory in this process stays taken.
      loads.closed.push(await closedLoop(opened, known, { clients, seconds: seconds / FLOOR_TURNS }));
      loads.floor.push(await closedLoop(bare, new Map(), { clients, seconds: seconds / FLOOR_TURNS }));
    }
    return loads;
  } finally {
    await bare.close();
  }
}

/** Loads of so many times the sustainable rate, which is looked for first. */
async function timesTheSustainable(opened: Target, known: Known, capacity: number): Promise<[string, Load][]> {
  const times = values.times.split(",").filter((text) => text !== "");
  if (times.length === 0) return [];
  const bound = { p99Ms: Number(values.p99), seconds: Math.max(2, seconds / 2) };
  const sustained = await sustainableRate(opened, known, capacity, bound);
  if (sustained === undefined) throw new Error(`No rate keeps the 99th percentile below ${bound.p99Ms} ms.`);
  const rows: [string, Load][] = [[`the most with p99 below ${bound.p99Ms} ms`, sustained]];
  for (const factor of times.map(Number)) {
    const rate = factor * (sustained.rate ?? 0);
    console.error(`  ${factor} times as many, ${rate.toFixed(1)} a second, for ${seconds} s`);
    rows.push([`${factor} times that`, await openLoop(opened, known, { rate, seconds })]);
  }
  return rows;
}

async function measure(corpus: LoadCorpus): Promise<void> {
  await using(target, corpus, async (opened) => {
    console.error(`${opened.name}: asking ${values.questions} questions at rest`);
    const known = await answersAtRest(opened, Math.min(Number(values.questions), corpus.questions.length));
    const { closed, floor } = await besideTheFloor(opened, known, corpus);
    const [capacity, bare] = [closed, floor].map((loads) => mean(loads.map(perSecond))) as [number, number];
    const rows: [string, Load][] = closed.map((load) => [`${clients} clients`, load]);
    rows.push(...(await timesTheSustainable(opened, known, capacity)));
    console.log(`${opened.name}; ${values.chunks} chunks\n`);
    console.log(table([...rows, ...floor.map((load): [string, Load] => [`Lance itself, ${clients} clients`, load])]));
    console.log(
      `\nWith ${clients} clients ${capacity.toFixed(1)} ${opened.unit} a second; Lance itself, by turns in the same run, ${bare.toFixed(1)} queries; ratio ${(capacity / bare).toFixed(2)}. Load average ${loadavg()[0]?.toFixed(0)} on ${availableParallelism()} cores.`,
    );
    const found = rows.flatMap(([name, load]) => faults(name, load, Number(values["rss-max"])));
    for (const fault of found) console.error(`load: ${fault}`);
    if (found.length > 0) process.exitCode = 1;
  });
}

interface Worked {
  readonly perSecond: number;
  readonly p99: number;
  /** Processor time of an answer. */
  readonly cpuMs: number;
  readonly faults: readonly string[];
}

/** One process of several: says when it is ready, begins when it is told, prints what it did. */
async function work(corpus: LoadCorpus): Promise<void> {
  await using(target, corpus, async (opened) => {
    const known = await answersAtRest(opened, Math.min(Number(values.questions), corpus.questions.length));
    console.log("ready");
    await new Promise((told) => process.stdin.once("data", told));
    const load = await closedLoop(opened, known, { clients, seconds });
    const worked: Worked = {
      perSecond: perSecond(load),
      p99: percentile(load.latencies, 0.99),
      cpuMs: load.cpuMs / load.latencies.length,
      faults: faults("closed loop", load, Number(values["rss-max"])),
    };
    console.log(JSON.stringify(worked));
  });
  process.stdin.destroy();
}

/** The closed loop in so many processes, begun together. */
async function inProcesses(count: number): Promise<Worked[]> {
  const [script = ""] = process.argv.slice(1);
  const children = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, [script, "--worker", ...process.argv.slice(2)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  await Promise.all(children.map(({ lines }) => lines.next()));
  for (const { child } of children) child.stdin.write("go\n");
  return Promise.all(children.map(async ({ lines }) => JSON.parse((await lines.next()).value)));
}

/** One process and several by turns, so that a slow stretch of the machine meets both. */
async function compareProcesses(count: number): Promise<void> {
  const rates: { readonly one: number; readonly several: number }[] = [];
  console.log(
    "| round | one process, a second | p99 ms | CPU ms an answer | several, a second in all | p99 ms | CPU ms an answer | ratio |\n|---|---|---|---|---|---|---|---|",
  );
  for (let round = 1; round <= ROUNDS; round++) {
    const [[one], several] = [await inProcesses(1), await inProcesses(count)];
    if (one === undefined) throw new Error("A process ended early.");
    const all: Worked = {
      perSecond: several.reduce((total, each) => total + each.perSecond, 0),
      p99: Math.max(...several.map(({ p99 }) => p99)),
      cpuMs: mean(several.map(({ cpuMs }) => cpuMs)),
      faults: several.flatMap((each) => each.faults),
    };
    rates.push({ one: one.perSecond, several: all.perSecond });
    const cells = ({ perSecond: rate, p99, cpuMs }: Worked): string =>
      `${rate.toFixed(1)} | ${p99.toFixed(0)} | ${cpuMs.toFixed(1)}`;
    console.log(`| ${round} | ${cells(one)} | ${cells(all)} | ${(all.perSecond / one.perSecond).toFixed(2)} |`);
    for (const fault of [...one.faults, ...all.faults]) {
      console.error(`load: ${fault}`);
      process.exitCode = 1;
    }
  }
  const ratio = percentile(
    rates.map(({ one, several }) => several / one),
    0.5,
  );
  console.log(
    `\n${count} processes do ${ratio.toFixed(2)} times as much as one (median of ${ROUNDS} rounds), ${clients} clients each.`,
  );
}

const corpus = await loadCorpus(CACHE, Number(values.chunks));
if (values.worker) await work(corpus);
else if (values.processes !== undefined) await compareProcesses(Number(values.processes));
else await measure(corpus);
