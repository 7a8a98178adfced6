import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readEvaluation, type StoredEvaluation } from "../../src/eval/evaluation-files.ts";
import type { Evaluation } from "../../src/eval/run-evaluation.ts";
import { evaluateDataset } from "../../src/features/evaluate-dataset.ts";
import { contentDigest, type QualitySet } from "./sets.ts";
import { codeDigest, createPolicyOf, type System, settingsText } from "./systems.ts";

/** Documents of a list at most. */
export const LIST = 30;
/** Questions that run at once. */
const CONCURRENCY = 2;
const PROGRESS_MS = 30_000;

export interface MeasureOptions {
  readonly root: string;
  readonly cacheFolder: string;
  /** Systems whose policy begins with one of these are measured anew; `""` is all of them. */
  readonly again: readonly string[];
  /** First questions only, of every set. */
  readonly limit?: number;
  readonly signal: AbortSignal;
}

/** Where the outcomes of a measurement lie, and of which state of the code they are. */
interface Entry {
  readonly folder: string;
  readonly code: string;
}

interface Task {
  readonly key: string;
  /** For people. */
  readonly label: string;
  readonly dataset: string;
  readonly code: string;
  readonly limit: number | undefined;
  readonly system: System;
}

/**
 * What was measured, kept in `measured.json`, so that a run measures only what is missing. An evaluation that was
 * interrupted is gone on with, question by question, unless the code has changed since.
 */
export class Measurements {
  /** What was measured with an earlier state of the code, for people. */
  readonly outdated = new Set<string>();
  readonly #options: MeasureOptions;
  readonly #file: string;
  readonly #doneAgain = new Set<string>();
  readonly #datasets = new Map<string, Promise<{ readonly folder: string; readonly digest: string }>>();
  readonly #codes = new Map<string, Promise<string>>();

  constructor(options: MeasureOptions) {
    this.#options = options;
    this.#file = join(options.cacheFolder, "measured.json");
  }

  /** Whether `measure` has nothing to run. */
  async has(set: QualitySet, system: System): Promise<boolean> {
    const { key } = await this.#taskOf(set, system);
    return !this.#isToRepeat(key, system) && (await this.#entry(key)) !== undefined;
  }

  /** The outcomes of a system on a set. A question that failed is an error. */
  async measure(set: QualitySet, system: System): Promise<StoredEvaluation> {
    const task = await this.#taskOf(set, system);
    if (this.#isToRepeat(task.key, system)) await this.#forget(task);
    const known = await this.#entry(task.key);
    if (known !== undefined && known.code !== task.code) this.outdated.add(task.label);
    const folder = known?.folder ?? (await this.#run(task));
    const stored = await readEvaluation(folder);
    if (stored === undefined) throw new Error(`The evaluation of ${task.label} is gone; measure with --fresh.`);
    return stored;
  }

  async #taskOf(set: QualitySet, system: System): Promise<Task> {
    const { folder, digest } = await this.#datasetOf(set);
    const limits = [set.limit, this.#options.limit].filter((each) => each !== undefined);
    const limit = limits.length === 0 ? undefined : Math.min(...limits);
    const key = `${set.name} ${digest} first ${limit ?? "all"} ${settingsText(system)}`;
    const label = `${set.name} ${system.name}`;
    return { key, label, dataset: folder, code: await this.#codeOf(system), limit, system };
  }

  #datasetOf(set: QualitySet): Promise<{ readonly folder: string; readonly digest: string }> {
    const known = this.#datasets.get(set.name);
    if (known !== undefined) return known;
    const laidOut = set.layOut().then(async (folder) => ({ folder, digest: await contentDigest(folder) }));
    this.#datasets.set(set.name, laidOut);
    return laidOut;
  }

  #codeOf(system: System): Promise<string> {
    const kind = system.policy.startsWith("rules") ? "agent" : "search";
    const known = this.#codes.get(kind);
    if (known !== undefined) return known;
    const code = codeDigest(this.#options.root, system);
    this.#codes.set(kind, code);
    return code;
  }

  #isToRepeat(key: string, { policy }: System): boolean {
    return !this.#doneAgain.has(key) && this.#options.again.some((beginning) => policy.startsWith(beginning));
  }

  async #forget({ key, label, code }: Task): Promise<void> {
    this.#doneAgain.add(key);
    const { [key]: known, ...others } = await this.#readAll();
    if (known === undefined) return;
    await this.#writeAll(others);
    await rm(known.folder, { recursive: true, force: true });
    process.stderr.write(`${label}: measured again, code ${known.code} before, ${code} now\n`);
  }

  /** Runs what is left of an evaluation and returns its folder. */
  async #run({ key, label, dataset, code, limit, system }: Task): Promise<string> {
    const { cacheFolder, signal } = this.#options;
    const { policy, fusion, mode, window, pruning } = system;
    const createPolicy = createPolicyOf(system);
    const begun = performance.now();
    process.stderr.write(`${label}: begins\n`);
    const started = await evaluateDataset({
      dataset,
      cacheFolder: join(cacheFolder, "datasets"),
      policy,
      profile: "chat",
      k: LIST,
      concurrency: CONCURRENCY,
      seed: 0,
      // The same name for the same thing: what was interrupted goes on.
      resume: createHash("sha256").update(`${code} ${key}`).digest("hex").slice(0, 20),
      signal,
      ...(createPolicy && { createPolicy }),
      ...(mode && { mode }),
      ...(fusion && { fusion }),
      ...(window && { contextTokens: window }),
      ...(pruning && { pruning }),
      ...(limit && { limit }),
    });
    try {
      await reportProgress(started.evaluation, label);
      const row = await started.evaluation.result;
      if (row.failed > 0) throw new Error(`${row.failed} questions failed: ${label}`);
      const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
      const figures = `recall@5 ${row.recallAt["5"].toFixed(3)}, nDCG@10 ${(row.ndcgAt?.["10"] ?? 0).toFixed(3)}`;
      process.stderr.write(`${label}: ${row.queries} questions in ${seconds} s, ${figures}\n`);
    } finally {
      await started.close();
    }
    await this.#writeAll({ ...(await this.#readAll()), [key]: { folder: started.folder, code } });
    return started.folder;
  }

  /** Undefined too where the outcomes are no longer there. */
  async #entry(key: string): Promise<Entry | undefined> {
    const entry = (await this.#readAll())[key];
    return entry !== undefined && existsSync(join(entry.folder, "evaluation.json")) ? entry : undefined;
  }

  /** Read anew each time: another process may measure other sets. */
  async #readAll(): Promise<Record<string, Entry>> {
    return existsSync(this.#file) ? JSON.parse(await readFile(this.#file, "utf8")) : {};
  }

  async #writeAll(entries: Readonly<Record<string, Entry>>): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true });
    const part = `${this.#file}.${process.pid}.part`;
    await writeFile(part, `${JSON.stringify(entries, null, 1)}\n`);
    await rename(part, this.#file);
  }
}

async function reportProgress(evaluation: Evaluation, label: string): Promise<void> {
  let told = performance.now();
  for await (const event of evaluation) {
    if (event.type === "start" && event.finished > 0) {
      process.stderr.write(`${label}: goes on after ${event.finished} of ${event.queries}\n`);
    }
    if (event.type !== "query_end" || performance.now() - told < PROGRESS_MS) continue;
    told = performance.now();
    process.stderr.write(`${label}: ${event.finished} of ${event.queries}\n`);
  }
}
