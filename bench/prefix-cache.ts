// What editing the context costs a server that caches prefixes: prompt tokens that no cache can reuse, per question, for
// each way of pruning and for batched edits, on recorded runs over a fresh synthetic world:
// `node scripts/bench.mjs prefix-cache [--chunks N] [--seed N] [--window N] [--limit N] [--fresh]`. No model: `rules`,
// lists of 30. Runs are kept in node_modules/.cache/winnow/prefix-cache and used again unless `--fresh` is given.
// The cache is an ideal one that keeps the last prompt in blocks of 16 tokens; what the model wrote is not in it.
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { rulesPolicy } from "../src/agent/policies/rules/rules.ts";
import { DEFAULT_RULES } from "../src/agent/policies/rules/settings.ts";
import type { Policy } from "../src/agent/policy.ts";
import type { Profile } from "../src/agent/profiles/profile.ts";
import { Trajectory } from "../src/agent/trajectory.ts";
import { seededRandom } from "../src/core/clock.ts";
import { CORPUS_FILE } from "../src/eval/corpus-source.ts";
import type { DatasetQuery } from "../src/eval/dataset.ts";
import { readEvaluation } from "../src/eval/evaluation-files.ts";
import { meanIntervals } from "../src/eval/resample.ts";
import { evaluateDataset } from "../src/features/evaluate-dataset.ts";
import { markdownTable } from "../src/features/report-table.ts";
import { writeWorld } from "../src/features/synthetic-world.ts";
import { type RunRecord, readRecord } from "../src/record/reader.ts";

const LIST = 30;
const RESAMPLES = 2_000;

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "2400" },
    seed: { type: "string", default: "31337" },
    window: { type: "string", default: "16384" },
    limit: { type: "string" },
    fresh: { type: "boolean", default: false },
  },
});
const { signal } = new AbortController();

/** One question under one system. */
interface Measured {
  readonly recall: number;
  readonly turns: number;
  readonly edits: number;
  readonly prompt: number;
  readonly uncached: number;
  /** After each decision: uncached prompt tokens so far, and the share of gold documents that had been seen before it. */
  readonly path: readonly { readonly uncached: number; readonly recall: number }[];
}

interface System {
  readonly name: string;
  readonly pruning: Profile["pruning"];
  /** `Profile.pruneBatchShare`. */
  readonly batch?: number;
}

const SYSTEMS: readonly System[] = [
  { name: "none", pruning: "none" },
  { name: "oldest", pruning: "oldest" },
  { name: "oldest, batches of 1/4", pruning: "oldest", batch: 1 / 4 },
  { name: "self-edit", pruning: "self-edit" },
  { name: "self-edit, batches of 1/8", pruning: "self-edit", batch: 1 / 8 },
  { name: "self-edit, batches of 1/4", pruning: "self-edit", batch: 1 / 4 },
];

const uncutRules = (): Policy => rulesPolicy({ ...DEFAULT_RULES, cut: false });

/** Place of self-edit without batches. */
const PLAIN = 3;

function measureRun({ events }: RunRecord, query: DatasetQuery, recall: number): Measured {
  const trajectory = new Trajectory();
  const path: { uncached: number; recall: number }[] = [];
  let uncached = 0;
  let edits = 0;
  // What the next prompt can reuse stands in the last budget event; before the first there is nothing.
  let reusable = 0;
  for (const event of events) {
    if (event.type === "decision") {
      uncached += event.promptTokens - reusable;
      const seen = new Set(
        trajectory.seenDocuments().map((id) => id.slice(id.indexOf(`${CORPUS_FILE}#`) + CORPUS_FILE.length + 1)),
      );
      path.push({ uncached, recall: [...query.gold.keys()].filter((id) => seen.has(id)).length / query.gold.size });
    } else if (event.type === "budget") reusable = event.reusableTokens;
    else if (event.type === "edit" && event.pruned.length > 0) edits++;
    trajectory.apply(event);
  }
  const end = events.at(-1);
  if (end?.type !== "end") throw new Error("A run did not end.");
  const { promptTokens, reusableTokens, turns } = end.usage;
  // The two accounts differ only where a turn needed several answers.
  return { recall, turns, edits, prompt: promptTokens, uncached: promptTokens - reusableTokens, path };
}

async function measure(dataset: string, cacheFolder: string, system: System): Promise<Measured[]> {
  const started = await evaluateDataset({
    dataset,
    cacheFolder,
    policy: "rules:uncut",
    createPolicy: uncutRules,
    resume: `${system.name.replace(/[^a-z0-9]+/g, "-")}-${values.limit ?? "all"}`,
    profile: "chat",
    contextTokens: Number(values.window),
    pruning: system.pruning,
    ...(system.batch === undefined ? {} : { pruneBatchShare: system.batch }),
    k: LIST,
    concurrency: 2,
    seed: 0,
    signal,
    ...(values.limit && { limit: Number(values.limit) }),
  });
  const row = await started.evaluation.result;
  await started.close();
  if (row.failed > 0) throw new Error(`${row.failed} questions failed under ${system.name}.`);
  const outcomes = (await readEvaluation(started.folder))?.outcomes;
  const runsFolder = join(dirname(dirname(started.folder)), "runs");
  const byText = new Map<string, RunRecord>();
  for (const file of await readdir(runsFolder)) {
    const record = await readRecord(join(runsFolder, file));
    const profile = record.header.profile as Pick<Profile, "pruning" | "pruneBatchShare">;
    const isOurs = profile.pruning === system.pruning && profile.pruneBatchShare === system.batch;
    // A run that was cut off has been repeated.
    if (isOurs && record.events.at(-1)?.type === "end") byText.set(record.header.query, record);
  }
  return started.dataset.queries.map((query) => {
    const record = byText.get(query.text);
    if (record === undefined) throw new Error(`There is no record of question ${query.id}.`);
    return measureRun(record, query, outcomes?.get(query.id)?.scores.recallAt["30"] ?? 0);
  });
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

/** Mean recall on the way and mean uncached tokens when every run is stopped after so many decisions. */
function curve(runs: readonly Measured[]): { readonly uncached: number; readonly recall: number }[] {
  const longest = Math.max(...runs.map(({ path }) => path.length));
  return Array.from({ length: longest }, (_, t) => {
    const points = runs.map(({ path }) => path[Math.min(t, path.length - 1)] ?? { uncached: 0, recall: 0 });
    return { uncached: mean(points.map((each) => each.uncached)), recall: mean(points.map((each) => each.recall)) };
  });
}

/** Uncached tokens at which a curve reaches a recall, between two decisions in proportion. */
function uncachedAt(points: ReturnType<typeof curve>, recall: number): number {
  const at = points.findIndex((point) => point.recall >= recall - 1e-12);
  const [above, below] = [points[at], points[at - 1]];
  if (above === undefined) return Number.NaN;
  if (below === undefined || above.recall === below.recall) return above.uncached;
  const share = (recall - below.recall) / (above.recall - below.recall);
  return below.uncached + share * (above.uncached - below.uncached);
}

/** For each system the uncached tokens at the recall that all of them reach. */
function atEqualRecall(systems: readonly (readonly Measured[])[]): {
  readonly recall: number;
  readonly tokens: number[];
} {
  const curves = systems.map(curve);
  const recall = Math.min(...curves.map((points) => points.at(-1)?.recall ?? 0));
  return { recall, tokens: curves.map((points) => uncachedAt(points, recall)) };
}

/** Percentile bootstrap over questions, all systems drawn together; the level of recall is found anew each time. */
function ratioIntervals(systems: readonly (readonly Measured[])[]): { readonly low: number; readonly high: number }[] {
  const random = seededRandom(0);
  const questions = systems[0]?.length ?? 0;
  const ratios = systems.map(() => [] as number[]);
  for (let b = 0; b < RESAMPLES; b++) {
    const drawn = Array.from({ length: questions }, () => Math.floor(random() * questions));
    const { tokens } = atEqualRecall(systems.map((runs) => drawn.flatMap((i) => runs[i] ?? [])));
    for (const [i, each] of tokens.entries()) ratios[i]?.push(each / (tokens[0] ?? 1));
  }
  return ratios.map((each) => {
    const sorted = each.sort((a, b) => a - b);
    const rank = Math.floor((RESAMPLES + 1) * 0.025);
    return { low: sorted[rank - 1] ?? 0, high: sorted[RESAMPLES - rank] ?? 0 };
  });
}

const thousands = (value: number): string => Math.round(value).toLocaleString("en-US");
const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

function paired(runs: readonly Measured[], baseline: readonly Measured[], of: (each: Measured) => number): string[] {
  const column = runs.map((each, i) => of(each) - of(baseline[i] ?? each));
  const [interval] = meanIntervals([column]);
  return [signed(mean(column)), `[${signed(interval?.low ?? 0)}, ${signed(interval?.high ?? 0)}]`];
}

/** Each system's cost at the recall that the weakest of them ends with, against the first. */
function printEqualRecall(systems: readonly System[], measured: readonly (readonly Measured[])[]): void {
  const { recall, tokens } = atEqualRecall(measured);
  const intervals = ratioIntervals(measured);
  const rows = systems.map(({ name }, i) => {
    const each = tokens[i] ?? Number.NaN;
    const { low = 0, high = 0 } = intervals[i] ?? {};
    const interval = i === 0 ? "" : ` [${low.toFixed(2)}, ${high.toFixed(2)}]`;
    return [name, thousands(each), `${(each / (tokens[0] ?? 1)).toFixed(2)}${interval}`];
  });
  console.log(`\nRuns stopped where ${recall.toFixed(3)} of the gold documents have been seen, on average:\n`);
  console.log(markdownTable([["", "uncached tokens a question", `as a multiple of ${systems[0]?.name}`], ...rows]));
}

const folder = resolve("node_modules", ".cache", "winnow", "prefix-cache");
const dataset = join(folder, `world-${values.seed}-${values.chunks}-${values.window}`);
if (values.fresh) await rm(folder, { recursive: true, force: true });
if (!existsSync(dataset)) {
  await writeWorld({ folder: dataset, chunks: Number(values.chunks), seed: Number(values.seed), signal });
}
const measured: Measured[][] = [];
for (const system of SYSTEMS) {
  measured.push(await measure(dataset, join(folder, "datasets"), system));
  process.stderr.write(`${system.name}: ${thousands(mean((measured.at(-1) ?? []).map((each) => each.uncached)))}\n`);
}
const [baseline = []] = measured;
const rows = measured.map((runs, i) => {
  const of = (name: "recall" | "turns" | "edits" | "prompt" | "uncached") => mean(runs.map((each) => each[name]));
  return [
    SYSTEMS[i]?.name ?? "",
    of("recall").toFixed(3),
    i === 0 ? "" : paired(runs, baseline, (each) => each.recall).join(" "),
    i === PLAIN ? "" : paired(runs, measured[PLAIN] ?? [], (each) => each.recall).join(" "),
    of("turns").toFixed(1),
    of("edits").toFixed(1),
    thousands(of("prompt")),
    thousands(of("uncached")),
    `${((1 - of("uncached") / of("prompt")) * 100).toFixed(0)} %`,
  ];
});
const header = [
  "",
  "recall@30",
  "less none, paired",
  "less self-edit, paired",
  "turns",
  "edits",
  "prompt tokens",
  "uncached",
  "reusable",
];
console.log(`${baseline.length} questions, ${values.chunks} chunks, seed ${values.seed}, window ${values.window}.\n`);
console.log(markdownTable([header, ...rows]));
printEqualRecall(SYSTEMS, measured);
printEqualRecall(SYSTEMS.slice(1), measured.slice(1));
printEqualRecall(SYSTEMS.slice(PLAIN), measured.slice(PLAIN));
