// The report of search quality on real documentation, to docs/reports/docs-quality.md:
// `node scripts/bench.mjs docs-quality FOLDER`, where FOLDER is what the docs-dataset benchmark has written.
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compareEvaluations } from "../src/features/compare-evaluations.ts";
import { evaluateDataset } from "../src/features/evaluate-dataset.ts";
import { markdownTable } from "../src/features/report-table.ts";
import { differencesTable, estimate, METRICS } from "./support/quality-tables.ts";

const SYSTEMS = ["find:hybrid", "find:lexical", "find:dense", "find:hybrid+prf", "rules:uncut", "rules"];
const EXTRA = ["listLength", "f1", "trajectoryRecall", "promptTokens"];
const HALVES = { dev: "The half that was tuned on", "held-out": "The half that was not looked at before" };
const LIST = 30;
const OUT = "docs/reports/docs-quality.md";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Give the folder that docs-dataset has written.");
const cacheFolder = resolve("node_modules", ".cache", "winnow", "docs-quality");
const { signal } = new AbortController();

async function measure(dataset: string, policy: string): Promise<string> {
  const shared = { dataset, cacheFolder, policy, profile: "chat", k: LIST, concurrency: 2, seed: 0, signal };
  const started = await evaluateDataset(shared);
  const row = await started.evaluation.result;
  await started.close();
  if (row.failed > 0) throw new Error(`${row.failed} questions failed: ${policy} on ${dataset}`);
  process.stderr.write(`${row.recallAt["5"].toFixed(3)} ${policy} ${dataset}\n`);
  return row.evaluation;
}

async function section(half: keyof typeof HALVES): Promise<string> {
  const ids: string[] = [];
  for (const policy of SYSTEMS) ids.push(await measure(join(folder ?? "", half), policy));
  const comparison = await compareEvaluations({ evaluations: ids, cacheFolder, workingFolder: cacheFolder });
  const rows = comparison.evaluations.map(({ means }, i) => [
    SYSTEMS[i] ?? "",
    ...METRICS.map((metric) => estimate(means[metric])),
    ...EXTRA.map((metric) => means[metric]?.mean.toFixed(metric === "promptTokens" ? 0 : 2) ?? ""),
  ]);
  return `## ${HALVES[half]}: ${comparison.questions} questions

${markdownTable([["", ...METRICS, ...EXTRA], ...rows])}

Less \`${SYSTEMS[0]}\`, paired:

${differencesTable(SYSTEMS, comparison)}`;
}

const report = `# Search quality on real documentation

Made by \`node scripts/bench.mjs docs-dataset OUT\` and \`node scripts/bench.mjs docs-quality OUT\`. Means with 95 % percentile bootstrap intervals over questions (10,000 resamples, seed 0); differences are paired by question; lists of ${LIST}. What the questions are and how they were labelled: [examples/demo/questions](../../examples/demo/questions/README.md).

${await section("dev")}

${await section("held-out")}
`;
await writeFile(OUT, report);
process.stderr.write(`${OUT}\n`);
