import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { type LoadCorpus, loadCorpus } from "../../bench/load/corpus.ts";
import { verifyRecord } from "../../src/features/replay-run.ts";
import { loadTokenCounter } from "../../src/models/o200k-token-counter.ts";
import { readRecord } from "../../src/record/reader.ts";
import { bundleChild, type Child } from "../support/bundle-child.ts";
import { skipUnless } from "../support/skip-unless.ts";

const { describe, test } = skipUnless(process.platform === "linux", "peaks of memory are read from /proc.");

/** Of the process with all the runs, its store, its tokenizer and its embedder included. */
const PEAK_BYTES_MAX = 1.5e9;
const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const RUNS = Math.min(1_000, 50 * scale);
const CHUNKS = 2_400;
const REPLAYED = 20;
/** About two minutes where nothing else runs. */
const TIMEOUT_MS = 1_800_000;
/** Of the window, that a run must have come to. */
const FILLED = 0.6;

/** Starts all runs in the same moment, waits for all, and tells what became of them. */
const CHILD = `
import { readFileSync } from "node:fs";
import { scriptedAgent } from "./bench/load/agents.ts";
import { queryEmbedder } from "./src/features/indexing/embedders.ts";
import { searchCorpora } from "./src/features/search-corpora.ts";
import { openCorpus } from "./src/retrieval/corpus/open-corpus.ts";

const { folder, questions, runs, runsFolder } = JSON.parse(process.argv[2]);
const corpus = await openCorpus(folder, { name: "world", embedQuery: queryEmbedder() });
const results = await Promise.all(
  Array.from({ length: runs }, async (_, i) => {
    const policy = scriptedAgent(questions, i);
    const limits = { timeoutMs: 3_600_000 };
    const question = questions[i % questions.length];
    const run = await searchCorpora({ question, corpora: [corpus], policy, profile: "chat", runsFolder, limits });
    const { stopReason, documents, usage, notices } = await run.result;
    return { runId: run.runId, stopReason, documents: documents.length, pruned: usage.prunedChunks, notices };
  }),
);
await corpus.close();
const peakKib = Number(/^VmHWM:\\s+(\\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
console.log(JSON.stringify({ results, peakBytes: 1024 * peakKib }));
`;

/** Words that the synthetic worlds lack are told of; nothing else should be. */
function isAbsentWord(notice: unknown): boolean {
  return typeof notice === "object" && notice !== null && "code" in notice && notice.code === "words_absent";
}

interface Ended {
  readonly runId: string;
  readonly stopReason: string;
  readonly documents: number;
  readonly pruned: number;
  readonly notices: readonly unknown[];
}

let base: string;
let corpus: LoadCorpus;
let child: Child;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-many-runs-"));
  [corpus, child] = await Promise.all([loadCorpus(base, CHUNKS), bundleChild("many-runs", CHILD)]);
});
afterAll(async () => {
  await child.remove();
  await rm(base, { recursive: true, force: true });
});

function inChild(given: object): Promise<{ stdout: string; stderr: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, [child.script, JSON.stringify(given)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    started.stdout.setEncoding("utf8").on("data", (part: string) => {
      stdout += part;
    });
    started.stderr.setEncoding("utf8").on("data", (part: string) => {
      stderr += part;
    });
    started.on("error", reject);
    started.on("close", (code) => resolve({ stdout, stderr, code }));
  });
}

describe("many runs in one process", () => {
  test(
    `${RUNS} at once all finish in 1.5 GB, and their records are whole`,
    async () => {
      const runsFolder = join(base, "runs");
      const { folder, questions } = corpus;
      const started = performance.now();
      const { stdout, stderr, code } = await inChild({ folder, questions, runs: RUNS, runsFolder });
      // Warnings of Node's, of leaks and of what nobody handled, would stand here.
      expect(stderr).toBe("");
      expect(code).toBe(0);
      const { results, peakBytes } = JSON.parse(stdout) as { results: Ended[]; peakBytes: number };
      const seconds = (performance.now() - started) / 1000;
      console.log(`${RUNS} runs in ${seconds.toFixed(0)} s; peak memory ${Math.round(peakBytes / 1e6)} MB`);
      expect(peakBytes).toBeLessThan(PEAK_BYTES_MAX);
      expect(results.filter(({ stopReason }) => stopReason !== "finished")).toEqual([]);
      expect(results.filter(({ documents, pruned }) => documents === 0 || pruned === 0)).toEqual([]);
      const told = results.flatMap(({ notices }) => notices).filter((notice) => !isAbsentWord(notice));
      expect(told).toEqual([]);
      const ids = results.map(({ runId }) => runId);
      expect((await readdir(runsFolder)).sort()).toEqual(ids.map((id) => `${id}.jsonl`).sort());
      const counter = await loadTokenCounter();
      for (const id of ids.filter((_, i) => i % Math.ceil(RUNS / REPLAYED) === 0)) {
        const record = await readRecord(join(runsFolder, `${id}.jsonl`));
        const { complete, prompts, differing } = verifyRecord(record, counter);
        expect({ complete, differing }).toEqual({ complete: true, differing: [] });
        expect(prompts).toBeGreaterThan(3);
        const fullest = Math.max(
          ...record.events.map((event) => (event.type === "budget" ? event.used / event.limit : 0)),
        );
        expect(fullest).toBeGreaterThan(FILLED);
      }
    },
    TIMEOUT_MS,
  );
});
