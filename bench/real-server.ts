// Evidence that the drivers of models work over real HTTP against a real (tiny, random, steered) gpt-oss model:
// `node scripts/bench.mjs real-server --python PYTHON [--out FOLDER] [--tarball FILE] [--minutes N]`. PYTHON has what
// python/serving/requirements.txt names. Packs the package, unpacks it elsewhere, and runs its command; what the records
// say is then held against the server's own log, and the segments against a forward pass of the model.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exportRollouts } from "../src/export/rollouts.ts";
import { tokenizerOf } from "../src/export/tokenizers.ts";
import type { DecisionEvent } from "../src/record/events.ts";
import { parseRecord, type RunRecord, readRecord } from "../src/record/reader.ts";
import { TokenChain } from "../src/record/token-chain.ts";
import { type CommandResult, runCommand } from "../test/support/command.ts";

const MODEL = "tiny-gpt-oss";
const WORLD = { chunks: 240, seed: 7 };
const SEGMENT_TOKENS_MAX = 32_768;
const READY_TIMEOUT_MS = 600_000;

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    tarball: { type: "string" },
    minutes: { type: "string", default: "600" },
    out: { type: "string", default: join("docs", "evidence", "real-server") },
  },
});
const root = process.cwd();
const serving = join(root, "python", "serving");
const out = resolve(values.out);

interface LogLine {
  readonly number: number;
  readonly endpoint: "chat" | "completions";
  readonly prompt_ids: readonly number[];
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
  readonly forced: readonly number[];
}

interface Case {
  readonly name: string;
  readonly server: "steered" | "unsteered";
  readonly driver: "harmony" | "openai-compatible";
  readonly profile: string;
  readonly context: number;
  readonly question: number;
  /** Further options of the command. */
  readonly more?: readonly string[];
  /** Default the profile's. */
  readonly history?: "sampled";
}

const raw = { server: "steered", driver: "harmony", profile: "context-1" } as const;
const chatRaw = { ...raw, driver: "openai-compatible", profile: "chat" } as const;
const CASES: readonly Case[] = [
  { ...raw, name: "context-1", context: 4_096, question: 0 },
  { ...raw, name: "context-1, history sampled", context: 4_096, question: 0, history: "sampled" },
  { ...chatRaw, name: "chat", context: 6_144, question: 0 },
  { ...raw, name: "no steering", server: "unsteered", context: 2_048, question: 0, more: ["--turns", "2"] },
  { ...raw, name: "context-1-report", profile: "context-1-report", context: 6_144, question: 3 },
  { ...raw, name: "context-1, two rollouts", context: 4_096, question: 4, more: ["--rollouts", "2"] },
  { ...chatRaw, name: "chat, another question", context: 8_192, question: 1 },
  { ...raw, name: "context-1, history sampled, another question", context: 8_192, question: 5, history: "sampled" },
  { ...raw, name: "context-1, 16k window", context: 16_384, question: 2 },
];

interface Served {
  readonly baseUrl: string;
  readonly weights: string;
  readonly parameters: number;
  readonly log: string;
}

function serve(steer: "full" | "none", folder: string, started: ChildProcess[]): Promise<Served> {
  const log = join(folder, `log-${steer}.jsonl`);
  writeFileSync(log, "");
  const args = [join(serving, "tiny_server.py"), "--steer", steer, "--log", log];
  const child = spawn(values.python, args, { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error("The server did not start in time.")), READY_TIMEOUT_MS);
    let said = "";
    child.on("exit", (code) => fail(new Error(`The server ended with ${code}.`)));
    child.stdout.on("data", (data) => {
      said += data;
      if (!said.includes("\n")) return;
      clearTimeout(timer);
      done({ ...JSON.parse(said), log });
    });
  });
}

function pack(folder: string): string {
  const stdio = ["ignore", "ignore", "inherit"] as const;
  execFileSync(process.execPath, [join(root, "scripts", "build.mjs")], { cwd: root, stdio: [...stdio] });
  const said = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root, encoding: "utf8" });
  return join(folder, JSON.parse(said)[0].filename);
}

/** The command of the packed tarball, in a folder that holds it and links to its production dependencies. */
function unpack(folder: string): { readonly cli: string; readonly sha256: string } {
  const tarball = values.tarball === undefined ? pack(folder) : resolve(values.tarball);
  execFileSync("tar", ["-xzf", tarball], { cwd: folder });
  const place = join(folder, "node_modules", "winnow-search");
  mkdirSync(dirname(place), { recursive: true });
  renameSync(join(folder, "package"), place);
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(place, "package.json"), "utf8"));
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const from = join(root, "node_modules", name);
    mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true });
    if (statSync(from, { throwIfNoEntry: false }) !== undefined) symlinkSync(from, join(folder, "node_modules", name));
  }
  return {
    cli: join(place, "dist", "cli.js"),
    sha256: createHash("sha256").update(readFileSync(tarball)).digest("hex"),
  };
}

/** The packed command, with its working folder as its home. */
const command = (cli: string, cwd: string, args: readonly string[]): Promise<CommandResult> =>
  runCommand(cli, args, { cwd, home: cwd });

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");

/** A small synthetic corpus as files, indexed by the packed command. Returns its questions. */
async function makeCorpus(cli: string, folder: string): Promise<string[]> {
  const { chunks, seed } = WORLD;
  const must = async (...args: string[]): Promise<void> => {
    const said = await command(cli, folder, args);
    if (said.code !== 0) throw new Error(`winnow ${args.join(" ")}: ${said.stderr}`);
  };
  await must("world", "world", "--chunks", String(chunks), "--seed", String(seed));
  mkdirSync(join(folder, "docs"));
  for (const line of linesOf(readFileSync(join(folder, "world", "corpus.jsonl"), "utf8"))) {
    const { _id, title, text } = JSON.parse(line);
    writeFileSync(join(folder, "docs", `${_id}.md`), `# ${title}\n\n${text}\n`);
  }
  await must("index", "docs");
  return linesOf(readFileSync(join(folder, "world", "queries.jsonl"), "utf8")).map((line) => JSON.parse(line).text);
}

const runsIn = (folder: string): string[] =>
  readdirSync(join(folder, ".winnow"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.startsWith("runs") && name.endsWith(".jsonl"))
    .map((name) => join(folder, ".winnow", name));

const decisionsOf = (record: RunRecord): DecisionEvent[] =>
  record.events.filter((event): event is DecisionEvent => event.type === "decision");

/** How many decisions of the records are, to the id, what the server logged; each of its lines counts for one. */
function heldAgainstLog(records: readonly RunRecord[], log: readonly LogLine[]) {
  const left = [...log];
  const found = { decisions: 0, promptIdsEqual: 0, idsEqual: 0, logprobsEqual: 0, requests: log.length };
  for (const record of records) {
    const chain = new TokenChain();
    for (const { tokens } of decisionsOf(record)) {
      if (tokens === undefined) continue;
      found.decisions++;
      const prompt = chain.unpack(tokens).join();
      const at = left.findIndex(
        (line) => line.prompt_ids.join() === prompt && line.ids.join() === tokens.completion.join(),
      );
      const [line] = at < 0 ? left.filter(({ prompt_ids }) => prompt_ids.join() === prompt) : left.splice(at, 1);
      if (line === undefined) continue;
      found.promptIdsEqual++;
      if (at < 0) continue;
      found.idsEqual++;
      if (line.logprobs.join() === tokens.logprobs?.join()) found.logprobsEqual++;
    }
  }
  return found;
}

/** The chat API says no ids: what can be held against the log is the number of requests and the usage of each. */
function chatAgainstLog(records: readonly RunRecord[], log: readonly LogLine[]) {
  const decisions = records.flatMap(decisionsOf);
  const usageEqual = decisions.filter(
    ({ usage }, i) =>
      usage?.promptTokens === log[i]?.prompt_ids.length && usage?.completionTokens === log[i]?.ids.length,
  );
  return { decisions: decisions.length, requests: log.length, usageEqual: usageEqual.length };
}

function summary(one: Case, said: CommandResult, records: readonly RunRecord[], log: readonly LogLine[]) {
  const result = JSON.parse(said.stdout);
  const decisions = records.flatMap(decisionsOf);
  const count = (names: readonly string[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  };
  const held = one.driver === "harmony" ? heldAgainstLog(records, log) : chatAgainstLog(records, log);
  const edits = records.flatMap(({ events }) => events.filter((event) => event.type === "edit"));
  return {
    ...one,
    through: "tarball",
    status: said.code,
    stopReason: result.stopReason,
    concluded: result.concluded,
    outcome: result.outcome,
    documents: result.documents.length,
    records: records.length,
    finishReasons: count(decisions.map(({ finishReason }) => finishReason)),
    tools: count(decisions.flatMap(({ calls }) => calls.map(({ tool }) => tool))),
    repairs: count(decisions.flatMap(({ repairs = [] }) => repairs.map(({ code }) => code))),
    prunedChunks: edits.reduce((sum, { pruned }) => sum + pruned.length, 0),
    promptTokens: log.reduce((sum, line) => sum + line.prompt_ids.length, 0),
    sampledTokens: log.reduce((sum, line) => sum + line.ids.length, 0),
    forcedTokens: log.reduce((sum, line) => sum + line.forced.length, 0),
    ...held,
  };
}

type Summary = ReturnType<typeof summary>;

async function runCases(
  cli: string,
  work: string,
  questions: readonly string[],
  servers: Readonly<Record<Case["server"], Served>>,
) {
  const begun = performance.now();
  const summaries: Summary[] = [];
  const trainable: RunRecord[] = [];
  const kept = new Map<string, { readonly file: string; readonly bytes: number }>();
  for (const one of CASES) {
    // A busy machine does what it can in the time; the results name what was left out.
    if (performance.now() - begun > Number(values.minutes) * 60_000) break;
    const { baseUrl, log } = servers[one.server];
    const logBefore = linesOf(readFileSync(log, "utf8")).length;
    const filesBefore = new Set(summaries.length === 0 ? [] : runsIn(work));
    const question = questions[one.question] ?? "";
    const policy = ["--policy", `${one.driver}:${MODEL}`, "--base-url", baseUrl];
    const options = ["--profile", one.profile, "--context", String(one.context), "--json", ...(one.more ?? [])];
    const history = one.history === undefined ? [] : ["--history", one.history];
    const said = await command(cli, work, ["search", question, ...policy, ...options, ...history]);
    if (said.stdout === "") throw new Error(`${one.name}: ${said.stderr}`);
    const lines = linesOf(readFileSync(log, "utf8")).slice(logBefore);
    const files = runsIn(work).filter((file) => !filesBefore.has(file));
    const records = await Promise.all(files.map(readRecord));
    const made = summary(
      one,
      said,
      records,
      lines.map((line) => JSON.parse(line)),
    );
    console.error(JSON.stringify(made));
    summaries.push(made);
    if (one.driver === "harmony") trainable.push(...records.filter((record) => decisionsOf(record).length > 0));
    const kind =
      one.server === "unsteered" ? "unsteered" : one.driver === "harmony" ? (one.history ?? "rerendered") : "chat";
    const [file] = files;
    const bytes = file === undefined ? 0 : statSync(file).size;
    if (file !== undefined && files.length === 1 && bytes < (kept.get(kind)?.bytes ?? 700_000))
      kept.set(kind, { file, bytes });
  }
  for (const [kind, { file }] of kept) {
    // Where the working folder lay says nothing to anybody.
    const text = readFileSync(file, "utf8").replaceAll(`${work}/`, "");
    writeFileSync(join(out, `record-${kind}.jsonl`), text);
    parseRecord(text, kind);
  }
  return { summaries, trainable };
}

function recompute(segments: readonly object[], folder: string): { readonly holds: boolean } {
  const file = join(folder, "segments.jsonl");
  writeFileSync(file, segments.map((segment) => `${JSON.stringify(segment)}\n`).join(""));
  const told = execFileSync(values.python, [join(serving, "recompute.py"), file, "--report-only"], {
    encoding: "utf8",
  });
  return JSON.parse(told);
}

/** What must hold of every case. */
function failuresOf(cases: readonly Summary[], segments: number, holds: boolean): string[] {
  const failed: string[] = [];
  for (const one of cases) {
    const equal =
      "promptIdsEqual" in one
        ? one.promptIdsEqual === one.decisions && one.idsEqual === one.decisions && one.logprobsEqual === one.decisions
        : one.usageEqual === one.decisions;
    if (!equal || one.decisions === 0 || one.requests !== one.decisions) failed.push(one.name);
  }
  if (segments === 0) failed.push("no segments");
  if (!holds) failed.push("log-probabilities");
  return failed;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "winnow-real-server-"));
  const started: ChildProcess[] = [];
  try {
    mkdirSync(out, { recursive: true });
    const { cli, sha256 } = unpack(folder);
    const work = join(folder, "work");
    mkdirSync(work);
    const [steered, unsteered, questions] = await Promise.all([
      serve("full", folder, started),
      serve("none", folder, started),
      makeCorpus(cli, work),
    ]);
    const { summaries, trainable } = await runCases(cli, work, questions, { steered, unsteered });
    const vocabularySize = tokenizerOf("harmony")?.vocabularySize ?? 0;
    const { segments, rollouts, tooLong } = exportRollouts(trainable, {
      vocabularySize,
      tokensMax: SEGMENT_TOKENS_MAX,
    });
    const edits = segments.map(({ edit }) => edit.kind);
    const recomputed = recompute(segments, folder);
    const failed = failuresOf(summaries, segments.length, recomputed.holds);
    const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
    const { weights, parameters } = steered;
    const exported = { valid: true, segments: segments.length, rollouts, tooLong, edits };
    const setting = { commit, tarball: sha256, node: process.version, world: WORLD, weights, parameters };
    const leftOut = CASES.slice(summaries.length).map(({ name }) => name);
    const results = { ...setting, failed, leftOut, cases: summaries, exported, recomputed };
    writeFileSync(join(out, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
    console.log(JSON.stringify({ failed, exported, recomputed }, null, 2));
    if (failed.length > 0) process.exitCode = 1;
  } finally {
    for (const server of started) {
      server.removeAllListeners("exit");
      server.kill();
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
