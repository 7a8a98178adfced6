// A long watch: files change, come, move and go from another process while others search: `node scripts/bench.mjs watch
// [--files 10000] [--minutes 10] [--rate 5] [--folder DIR]`. Measures how long a change takes to be found, memory and
// disk over time, and queries under change against the same queries at rest in the same run.
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runWatchLoad } from "../test/support/watch-load.ts";
import { type Role, runRole } from "../test/support/watch-roles.ts";

const ROLE = "--role";
/** At rest, before anything changes. */
const REST_SHARE = 0.1;

const at = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Sample {
  readonly second: number;
  readonly value: number;
}

/** The samples of the first, second or last third of the time. */
function third(samples: readonly Sample[], which: 0 | 1 | 2): readonly number[] {
  const part = (samples.at(-1)?.second ?? 0) / 3;
  return samples
    .filter(({ second }) => second >= which * part && second <= (which + 1) * part)
    .map(({ value }) => value);
}

/** Least squares: how much `value` grows in a minute. */
function perMinute(samples: readonly Sample[]): number {
  const n = samples.length;
  const meanX = samples.reduce((sum, { second }) => sum + second, 0) / n;
  const meanY = samples.reduce((sum, { value }) => sum + value, 0) / n;
  const over = samples.reduce((sum, { second, value }) => sum + (second - meanX) * (value - meanY), 0);
  const under = samples.reduce((sum, { second }) => sum + (second - meanX) ** 2, 0);
  return (60 * over) / under;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      files: { type: "string", default: "10000" },
      minutes: { type: "string", default: "10" },
      rate: { type: "string", default: "5" },
      folder: { type: "string" },
    },
  });
  const seconds = 60 * Number(values.minutes);
  const folder = await mkdtemp(join(values.folder ?? tmpdir(), "winnow-watch-"));
  try {
    const report = await runWatchLoad({
      program: process.argv[1] ?? "",
      programArgs: [ROLE],
      folder,
      files: Number(values.files),
      seconds,
      perSecond: Number(values.rate),
      restSeconds: Math.max(10, REST_SHARE * seconds),
      say: (line) => process.stderr.write(`${line}\n`),
    });
    const later = report.rssMB.filter(({ second }) => second > seconds / 3);
    const disk = report.diskMB.map(({ value }) => value);
    const rss = later.map(({ value }) => value);
    const row = (name: string, numbers: readonly number[]) =>
      `| ${name} | ${[0.5, 0.95, 0.99, 1].map((share) => `${at(numbers, share).toFixed(0)} ms`).join(" | ")} | ${numbers.length} |`;
    const ratio = (of: { readonly rest: readonly number[]; readonly load: readonly number[] }) =>
      `${(at(of.load, 0.5) / at(of.rest, 0.5)).toFixed(2)} at the median, ${(at(of.load, 0.99) / at(of.rest, 0.99)).toFixed(2)} at p99`;
    console.log(`${values.files} files, ${values.minutes} minutes, ${values.rate} changes a second: ${report.operations} changes, ${report.refreshes} refreshes

| | p50 | p95 | p99 | max | count |
|---|---|---|---|---|---|
${row("from the end of a write to its being found", report.staleMs)}
${row("find, at rest", report.findMs.rest)}
${row("find, under change", report.findMs.load)}
${row("search by rules, at rest", report.searchMs.rest)}
${row("search by rules, under change", report.searchMs.load)}

find under change takes ${ratio(report.findMs)} of what it takes at rest; search ${ratio(report.searchMs)}
memory: ${(mean(third(report.rssMB, 2)) / mean(third(report.rssMB, 1))).toFixed(3)} times in the last third of the time what it is in the second; last two thirds: ${Math.min(...rss).toFixed(0)} to ${Math.max(...rss).toFixed(0)} MB, slope ${perMinute(later).toFixed(2)} MB a minute
disk: ${disk[0]?.toFixed(0)} MB at first, ${Math.max(...disk).toFixed(0)} at most, ${disk.at(-1)?.toFixed(0)} at the end; slope in the last two thirds ${perMinute(report.diskMB.filter(({ second }) => second > seconds / 3)).toFixed(2)} MB a minute
changed again before it was found: ${report.superseded}; never found: ${report.lost.length}; errors: ${report.errors.length}; exit ${report.exitCode}
against an index built of the same files now: ${report.differences.length} documents differ; the same ten results in the same order for ${report.sameOrder.toFixed(3)} of the questions, of the ten ${report.sameResults.toFixed(3)} shared; load of the machine ${loadavg()[1]?.toFixed(1)}`);
    for (const line of [...report.lost, ...report.errors, ...report.differences].slice(0, 20)) console.log(line);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [first, role, folder = "", ...rest] = process.argv.slice(2);
if (first === ROLE) await runRole(role as Role, folder, rest);
else await main();
