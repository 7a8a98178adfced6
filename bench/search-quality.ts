// The report of search quality, from the datasets to docs/reports/search-quality.md:
// `node scripts/bench.mjs search-quality DATASET [--chunks N] [--seed N] [--out FILE] [--fresh] [--windows]`. DATASET is a folder in the
// BEIR layout (musique-100); the synthetic world is made here. What was measured before is kept in
// node_modules/.cache/winnow/search-quality and used again unless `--fresh` is given; one run takes about half an hour.
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { rulesPolicy } from "../src/agent/policies/rules/rules.ts";
import { DEFAULT_RULES, type RulesSettings } from "../src/agent/policies/rules/settings.ts";
import type { Profile } from "../src/agent/profiles/profile.ts";
import type { Comparison } from "../src/eval/compare.ts";
import { readEvaluation } from "../src/eval/evaluation-files.ts";
import { compareEvaluations } from "../src/features/compare-evaluations.ts";
import { evaluateDataset } from "../src/features/evaluate-dataset.ts";
import { markdownTable } from "../src/features/report-table.ts";
import { writeWorld } from "../src/features/synthetic-world.ts";
import type { FindMode } from "../src/retrieval/corpus-reader.ts";
import { differencesTable, estimate, interval, METRICS, number } from "./support/quality-tables.ts";

const CACHE = resolve("node_modules", ".cache", "winnow", "search-quality");
const LIST = 30;
const WINDOWS = [32_768, 16_384, 8_192, 4_096];
/** Questions that are asked in wide windows, where a run takes longest. */
const VARIANT = { limit: 100 };
const WIDEST = 32_768;
/** Windows from here are wide, in tokens. */
const WIDE = 16_384;
const PRUNINGS: readonly Profile["pruning"][] = ["none", "oldest", "self-edit"];
const ONE_SHOT = ["find:lexical", "find:dense", "find:hybrid", "find:hybrid+prf"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    chunks: { type: "string", default: "4800" },
    seed: { type: "string", default: "9001" },
    out: { type: "string", default: "docs/reports/search-quality.md" },
    fresh: { type: "boolean", default: false },
    windows: { type: "boolean", default: false },
  },
});
const [musique = ""] = positionals;
if (!existsSync(musique)) throw new Error("Give the folder of a dataset in the BEIR layout.");
const { signal } = new AbortController();

interface System {
  readonly policy: string;
  readonly settings?: Partial<RulesSettings>;
  readonly mode?: FindMode;
  readonly window?: number;
  readonly pruning?: Profile["pruning"];
  /** First questions only. */
  readonly limit?: number;
}

const stateFile = join(CACHE, "measured.json");
if (values.fresh) await rm(CACHE, { recursive: true, force: true });
await mkdir(CACHE, { recursive: true });
/** Ids of evaluations by what they measure; read anew each time, since another process may measure another part. */
async function readMeasured(): Promise<Record<string, string>> {
  return existsSync(stateFile) ? JSON.parse(await readFile(stateFile, "utf8")) : {};
}

async function measure(dataset: string, system: System): Promise<string> {
  const name = `${dataset} ${JSON.stringify(system)}`;
  const known = (await readMeasured())[name];
  if (known !== undefined) return known;
  const { policy, settings, mode, window, pruning, limit } = system;
  const started = await evaluateDataset({
    dataset,
    cacheFolder: join(CACHE, "datasets"),
    policy,
    profile: "chat",
    k: LIST,
    concurrency: 2,
    seed: 0,
    signal,
    ...(policy.startsWith("rules") && {
      createPolicy: () => rulesPolicy({ ...DEFAULT_RULES, cut: policy === "rules", ...settings }),
    }),
    ...(mode && { mode }),
    ...(window && { contextTokens: window }),
    ...(pruning && { pruning }),
    ...(limit && { limit }),
  });
  const row = await started.evaluation.result;
  await started.close();
  if (row.failed > 0) throw new Error(`${row.failed} questions failed: ${name}`);
  process.stderr.write(`${row.recallAt["5"].toFixed(3)} ${row.recallAt["30"].toFixed(3)} ${name}\n`);
  await writeFile(stateFile, JSON.stringify({ ...(await readMeasured()), [name]: row.evaluation }, null, 1));
  return row.evaluation;
}

function compared(ids: readonly string[], at?: "shortest"): Promise<Comparison> {
  const options = { evaluations: ids, cacheFolder: join(CACHE, "datasets"), workingFolder: CACHE };
  return compareEvaluations({ ...options, ...(at && { at }) });
}

/** Documents pruned and turns taken, means over the questions that were compared. */
async function workOf(
  comparison: Comparison,
): Promise<Map<string, { readonly prunes: number; readonly turns: number }>> {
  const work = new Map<string, { prunes: number; turns: number }>();
  for (const dataset of await readdir(join(CACHE, "datasets"))) {
    for (const { evaluation } of comparison.evaluations) {
      const stored = await readEvaluation(join(CACHE, "datasets", dataset, ".winnow", "evaluations", evaluation));
      const outcomes = [...(stored?.outcomes.values() ?? [])];
      if (outcomes.length === 0) continue;
      const mean = (of: (outcome: (typeof outcomes)[number]) => number): number =>
        outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
      work.set(evaluation, {
        prunes: mean(({ scores }) => scores.prunes),
        turns: mean(({ answer }) => answer?.turns ?? 0),
      });
    }
  }
  return work;
}

async function meansTable(
  names: readonly string[],
  comparison: Comparison,
  extra: readonly string[] = [],
): Promise<string> {
  const work = await workOf(comparison);
  const rows = comparison.evaluations.map(({ means, evaluation }, i) => [
    names[i] ?? "",
    ...METRICS.map((metric) => estimate(means[metric])),
    ...extra.map((metric) => means[metric]?.mean.toFixed(metric === "promptTokens" ? 0 : 2) ?? ""),
    (work.get(evaluation)?.prunes ?? 0).toFixed(1),
    (work.get(evaluation)?.turns ?? 0).toFixed(1),
  ]);
  return markdownTable([["", ...METRICS, ...extra, "documents pruned", "turns"], ...rows]);
}

async function systemsSection(title: string, dataset: string): Promise<string> {
  const names = [...ONE_SHOT, "rules:uncut", "rules"];
  const ids: string[] = [];
  for (const policy of names) ids.push(await measure(dataset, { policy, ...VARIANT }));
  const [lexical = "", dense = "", hybrid = "", prf = "", uncut = "", cut = ""] = ids;
  const all = await compared(ids);
  const against: string[] = [];
  for (const [name, id] of [
    ["find:lexical", lexical],
    ["find:dense", dense],
    ["find:hybrid", hybrid],
    ["find:hybrid+prf", prf],
  ] as const) {
    const { comparisons } = await compared([id, uncut]);
    const found = comparisons[0]?.metrics ?? {};
    against.push(`| ${[name, ...METRICS.map((metric) => interval(found[metric]))].join(" | ")} |`);
  }
  const short = await compared([hybrid, prf, cut], "shortest");
  const [, , own] = short.evaluations;
  const shortRows = [hybrid, prf].map(async (id, i) => {
    const { comparisons } = await compared([id, cut], "shortest");
    const found = comparisons[0]?.metrics ?? {};
    return [`rules − ${ONE_SHOT[i + 2]}`, ...["recall", "f1", "allGold"].map((each) => interval(found[each]))];
  });
  return `## ${title}

${await meansTable(names, all, ["listLength", "f1", "trajectoryRecall", "promptTokens"])}

\`rules:uncut\` less each one-shot system, paired, all lists of ${LIST}:

| | ${METRICS.join(" | ")} |
|---|${METRICS.map(() => "---:|").join("")}
${against.join("\n")}

\`rules\` with its own cut, every list cut to the shortest of the pair for each question (mean length ${own?.means["listLength"]?.mean.toFixed(1)}):

${markdownTable([["", "recall", "f1", "all gold"], ...(await Promise.all(shortRows))])}`;
}

async function guardSection(dataset: string): Promise<string> {
  const hybrid = await measure(dataset, { policy: "find:hybrid" });
  const parts: string[] = [];
  for (const policy of ["rules:uncut", "rules"]) {
    const comparison = await compared([hybrid, await measure(dataset, { policy, ...VARIANT })]);
    parts.push(
      `${comparison.questions} questions:`,
      await meansTable(["find:hybrid", policy], comparison, ["listLength", "f1"]),
      differencesTable(["", `${policy} − find:hybrid`], comparison),
    );
  }
  return `## One document answers: the guard\n\n${parts.join("\n\n")}`;
}

async function ablationSection(title: string, dataset: string): Promise<string> {
  const variants: readonly (readonly [string, System])[] = [
    ["rules:uncut", { policy: "rules:uncut" }],
    ["without bridging", { policy: "rules:uncut", settings: { bridge: false } }],
    ["without dense", { policy: "rules:uncut", mode: "lexical" }],
    ["without pruning", { policy: "rules:uncut", pruning: "none" }],
  ];
  const ids: string[] = [];
  for (const [, system] of variants) ids.push(await measure(dataset, { ...system, ...VARIANT }));
  const comparison = await compared(ids);
  const names = variants.map(([name]) => name);
  return `### ${title}, ${comparison.questions} questions

${await meansTable(names, comparison, ["promptTokens"])}

Less \`rules:uncut\`, paired (below zero: the part earns something):

${differencesTable(names, comparison)}`;
}

async function budgetSection(dataset: string): Promise<string> {
  const parts: string[] = [];
  const rows: string[][] = [];
  const paired: string[][] = [];
  for (const window of WINDOWS) {
    const ids: string[] = [];
    for (const pruning of PRUNINGS) {
      // The profile's own window and pruning are left unsaid, so that runs of the other tables are used again.
      const narrow = window === WIDEST ? {} : { window };
      const other = pruning === "self-edit" ? {} : { pruning };
      const some = window >= WIDE ? VARIANT : {};
      ids.push(await measure(dataset, { policy: "rules:uncut", ...narrow, ...other, ...some }));
    }
    const comparison = await compared(ids);
    const work = await workOf(comparison);
    for (const [i, { means, evaluation }] of comparison.evaluations.entries()) {
      rows.push([
        `${window.toLocaleString("en-US")} (${comparison.questions} questions)`,
        PRUNINGS[i] ?? "",
        ...METRICS.map((metric) => number(means[metric]?.mean ?? 0)),
        ...["trajectoryRecall"].map((metric) => number(means[metric]?.mean ?? 0)),
        (work.get(evaluation)?.prunes ?? 0).toFixed(1),
        (work.get(evaluation)?.turns ?? 0).toFixed(1),
        (means["promptTokens"]?.mean ?? 0).toFixed(0),
      ]);
    }
    const [none = "", oldest = "", own = ""] = ids;
    for (const [name, id] of [
      ["none", none],
      ["oldest", oldest],
    ] as const) {
      const found = (await compared([id, own])).comparisons[0]?.metrics ?? {};
      paired.push([window.toLocaleString("en-US"), name, ...METRICS.map((metric) => interval(found[metric]))]);
    }
  }
  parts.push(
    markdownTable([
      ["window", "pruning", ...METRICS, "trajectory recall", "documents pruned", "turns", "prompt tokens"],
      ...rows,
    ]),
    `Self-edit less each other way, paired:`,
    markdownTable([["window", "less", ...METRICS], ...paired]),
  );
  return parts.join("\n\n");
}

const world = join(CACHE, `world-${values.seed}-${values.chunks}`);
if (!existsSync(join(world, "queries.jsonl"))) {
  await rm(world, { recursive: true, force: true });
  await writeWorld({ folder: world, chunks: Number(values.chunks), seed: Number(values.seed), signal });
}
// The windows by themselves, beside a process that measures everything: half of the time on two cores.
if (values.windows) {
  await budgetSection(world);
  process.exit(0);
}
const name = basename(resolve(musique));
const report = `# Search quality

Made by \`node scripts/bench.mjs search-quality FOLDER/${name} --chunks ${values.chunks} --seed ${values.seed}\`. Means with 95 % percentile bootstrap intervals over questions (10,000 resamples, seed 0); differences are paired by question. No model is used anywhere. What was tuned on what is said in [measurements.md](../measurements.md): on ${name} the features of \`rules\` were chosen and their weights fitted, so its figures there are in-sample; the world of this report was made after the weights were fitted, and its first 100 questions helped to decide that one part goes.

${await systemsSection(name, musique)}

${await systemsSection(`Synthetic world, ${Number(values.chunks).toLocaleString("en-US")} chunks of 512 tokens, seed ${values.seed}`, world)}

${await guardSection(join(world, "single-hop"))}

## What each part earns

${await ablationSection(name, musique)}

${await ablationSection("Synthetic world", world)}

## The window, on the synthetic world

${await budgetSection(world)}
`;
await mkdir(dirname(resolve(values.out)), { recursive: true });
await writeFile(values.out, report);
process.stderr.write(`${values.out}\n`);
