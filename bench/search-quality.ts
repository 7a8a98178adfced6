// The report of search quality, from the datasets to docs/reports/search-quality.md:
// `node scripts/bench.mjs search-quality DATA_FOLDER… [--out FILE] [--sets A,B] [--no-world] [--weights FOLDER] [--parts]
// [--windows] [--fresh] [--again POLICY,…] [--limit N]`. Every DATA_FOLDER is a dataset in the BEIR layout and one set,
// named by its folder; the questions over the documentation and two synthetic worlds are made here.
//
// What was measured is kept in node_modules/.cache/winnow/search-quality and used again; `--again find,rules` measures
// the policies that begin so anew, `--fresh` everything (of all sets, or of those of `--sets`). `--weights` names a folder
// of KIND.json, weights of `rules` fitted without that kind of set. `--parts` and `--windows` measure what each part of
// `rules` earns, and each way of pruning in several windows; once measured, their sections stay without the options.
// Indexes are kept too, by corpus and embedder: where chunking or analysis changed, only `--fresh` without `--sets` builds
// them anew. `--limit` asks the first questions of every set only, to try the command.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Measurements } from "./search-quality/measurements.ts";
import { partsSection, partsTasks } from "./search-quality/parts.ts";
import { reportText } from "./search-quality/report.ts";
import { reportSet, type SetReport } from "./search-quality/set-section.ts";
import { allSets, chosenSets, type QualitySet } from "./search-quality/sets.ts";
import { createPolicyOf, fittedWithout, readWeights, type System } from "./search-quality/systems.ts";
import { windowsSection, windowsTasks } from "./search-quality/windows.ts";

const CACHE = resolve("node_modules", ".cache", "winnow", "search-quality");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: "docs/reports/search-quality.md" },
    sets: { type: "string" },
    "no-world": { type: "boolean", default: false },
    weights: { type: "string" },
    parts: { type: "boolean", default: false },
    windows: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    again: { type: "string" },
    limit: { type: "string" },
  },
});

const limit = values.limit === undefined ? undefined : Number(values.limit);
if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
  throw new Error("--limit takes a number of questions.");
const { signal } = new AbortController();
const root = process.cwd();
if (values.fresh && values.sets === undefined) await rm(CACHE, { recursive: true, force: true });
await mkdir(CACHE, { recursive: true });
const known = await allSets({ root, cacheFolder: CACHE, folders: positionals, hasWorlds: !values["no-world"], signal });
const sets = chosenSets(known, values.sets);
const weights = await readWeights(values.weights, new Set(known.map(({ kind }) => kind)));
// What is wrong with weights shows before anything is measured.
for (const [kind, each] of weights) createPolicyOf(fittedWithout(kind, each))?.();
const measurements = new Measurements({
  root,
  cacheFolder: CACHE,
  again: values.fresh ? [""] : (values.again?.split(",") ?? []),
  signal,
  ...(limit !== undefined && { limit }),
});

const reports: SetReport[] = [];
for (const [i, set] of sets.entries()) {
  process.stderr.write(`set ${i + 1} of ${sets.length}: ${set.name}\n`);
  reports.push(await reportSet(set, measurements, weights.get(set.kind)));
}

const parts = partsTasks(sets);
const windows = windowsTasks(sets);
const [[windowsSet] = []] = windows;
const hasParts = await isWanted("parts", values.parts, parts);
const hasWindows = await isWanted("windows", values.windows, windows);
const more = [
  ...(hasParts ? [await partsSection(sets, measurements)] : []),
  ...(hasWindows && windowsSet !== undefined ? [await windowsSection(windowsSet, measurements)] : []),
];

/** Whether a section is asked for, or measured already. */
async function isWanted(
  name: string,
  isAsked: boolean,
  tasks: readonly (readonly [QualitySet, System])[],
): Promise<boolean> {
  if (tasks.length === 0) return false;
  if (isAsked) return true;
  for (const [set, system] of tasks) {
    if (await measurements.has(set, system)) continue;
    process.stderr.write(`the section of ${name} is left out: not measured; --${name} measures it\n`);
    return false;
  }
  return true;
}

const command = [
  "node scripts/bench.mjs search-quality",
  ...positionals.map((folder) => `FOLDER/${basename(resolve(folder))}`),
  ...(values.sets === undefined ? [] : [`--sets ${values.sets}`]),
  ...(values["no-world"] ? ["--no-world"] : []),
  ...(values.weights === undefined ? [] : ["--weights WEIGHTS"]),
  ...(hasParts ? ["--parts"] : []),
  ...(hasWindows ? ["--windows"] : []),
  ...(limit === undefined ? [] : [`--limit ${limit}`]),
].join(" ");
const report = reportText({
  command,
  sets,
  reports,
  more,
  outdated: measurements.outdated,
  ...(limit !== undefined && { limit }),
});
await mkdir(dirname(resolve(values.out)), { recursive: true });
await writeFile(values.out, report);
process.stderr.write(`${values.out}\n`);
