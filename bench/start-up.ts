// Start-up of the built command as ratios to floors in the same run: `--help` to `node -e 0`, and `find` to a bare
// script that only opens the store and asks it once: `node scripts/bench.mjs start-up CORPUS_FOLDER [RUNS]`.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, runs = "15"] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: start-up CORPUS_FOLDER [RUNS]");
const cli = "dist/cli.js";
const manifest: { body: { store: { table: string; version: number } } } = JSON.parse(
  readFileSync(join(folder, "manifest.json"), "utf8"),
);
const { table, version } = manifest.body.store;
const bare = `
const { connect, MatchQuery } = await import("@lancedb/lancedb");
const connection = await connect(${JSON.stringify(join(folder, "lance"))});
const table = await connection.openTable(${JSON.stringify(table)});
await table.checkout(${version});
const rows = await table.query().fullTextSearch(new MatchQuery("connection", "terms")).limit(30).toArray();
if (rows.length === 0) process.exit(1);
`;

const commands: Readonly<Record<string, readonly string[]>> = {
  "node -e 0": ["-e", "0"],
  "winnow --help": [cli, "--help"],
  "bare open and query": ["--input-type=module", "-e", bare],
  "winnow find": [cli, "find", "connection", "--corpus", folder, "--json"],
  "winnow search (rules)": [cli, "search", "connection pool", "--corpus", folder, "--json", "--no-record"],
};
const times = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
for (let i = 0; i <= Number(runs); i++) {
  for (const [name, args] of Object.entries(commands)) {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${name} failed: ${stderr}`);
    // The first round warms the file cache.
    if (i > 0) times.get(name)?.push(performance.now() - start);
  }
}
const median = (name: string): number => {
  const sorted = [...(times.get(name) ?? [])].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
const ratio = (name: string, floor: string): string => `${(median(name) / median(floor)).toFixed(2)} times ${floor}`;
for (const name of Object.keys(commands)) console.log(`${name.padEnd(24)} median ${median(name).toFixed(0)} ms`);
console.log(`winnow --help is ${ratio("winnow --help", "node -e 0")}`);
console.log(`winnow find is ${ratio("winnow find", "bare open and query")}`);
