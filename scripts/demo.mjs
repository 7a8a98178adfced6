// `npm run demo`: builds if needed, indexes the documentation that some of our devDependencies ship, and asks the
// question of examples/demo/question.txt. Offline, without a key or a model.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { layOut } from "./demo/corpus.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const demo = join(root, "examples", "demo");
const docs = join(demo, "docs");
const corpus = join(demo, ".winnow");
const cli = join(root, "dist", "cli.js");

/** Runs a script of ours on this terminal; ends the demo with its exit code when it fails. @param {readonly string[]} args */
function runOrEnd(args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** @param {readonly string[]} args */
function winnow(args) {
  const shown = args.map((arg) => (/^[\w./-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(" ");
  console.log(`\n$ winnow ${shown}\n`);
  runOrEnd([cli, ...args]);
}

try {
  runOrEnd([join(root, "scripts", "build.mjs"), "--js-only"]);
  const count = layOut(root, docs);
  console.log(`${count} Markdown files of packages that this checkout has installed lie in ${relative(root, docs)}.`);
  winnow(["index", relative(root, docs), "--corpus", relative(root, corpus)]);
  const question = readFileSync(join(demo, "question.txt"), "utf8").trim();
  winnow(["search", question, "--corpus", relative(root, corpus)]);
  console.log(`\nYour turn: node dist/cli.js search "…" --corpus ${relative(root, corpus)}`);
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
