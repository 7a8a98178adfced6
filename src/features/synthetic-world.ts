import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemErrorCode, toWinnowError, WinnowError } from "../core/errors.ts";
import { oneLine } from "../core/text.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import { worldDocumentId, worldDocuments } from "../eval/world/documents.ts";
import {
  planWorld,
  type QuestionSet,
  type WorldOptions,
  type WorldPlan,
  type WorldQuestion,
} from "../eval/world/plan.ts";
import { worldCard } from "./world-card.ts";

/** Grows when the same options give another world. */
export const WORLD_VERSION = 1;
/** Text is written in pieces of this size; it bounds the memory that writing takes. */
const BLOCK_UNITS = 1 << 20;
const SINGLE_HOP_FOLDER = "single-hop";

export interface WriteWorldOptions extends WorldOptions {
  /** Made; must not exist, or be empty. */
  readonly folder: string;
  /** Default: that of the indexes, o200k. */
  readonly counter?: TokenCounter;
  readonly signal: AbortSignal;
  onProgress?(documents: number, documentsTotal: number): void;
}

/** `world.json`: what was made, and from what. */
export interface WorldSummary {
  readonly schema: "world/1";
  readonly version: number;
  readonly seed: number;
  readonly documents: number;
  readonly chunks: number;
  readonly tokens: number;
  readonly tokenCounter: string;
  readonly corpusBytes: number;
  readonly corpusSha256: string;
  /** Multi-hop questions by number of hops. */
  readonly multiHop: Readonly<Record<string, number>>;
  readonly singleHop: number;
  readonly unanswerable: number;
}

/**
 * Writes a synthetic world as a dataset in the BEIR layout: `corpus.jsonl`, multi-hop `queries.jsonl` and `qrels.tsv`,
 * `evidence.jsonl` with the place of every fact, `unanswerable.jsonl`, and the questions of one hop over the same corpus
 * in `single-hop/`. Equal options give equal bytes. The folder appears when it is complete; nothing of it stays when the
 * work fails or is cancelled. Rejects with `invalid_argument`, `disk_full` or `cancelled`.
 */
export async function writeWorld(options: WriteWorldOptions): Promise<WorldSummary> {
  const plan = planWorld(options);
  await checkEmpty(options.folder);
  const part = `${options.folder}.part`;
  try {
    await rm(part, { recursive: true, force: true });
    await mkdir(join(part, SINGLE_HOP_FOLDER), { recursive: true });
    const summary = await writeAll(part, plan, options, options.counter ?? (await defaultCounter()));
    // An empty folder may be there; it makes way.
    await rm(options.folder, { recursive: true, force: true });
    await rename(part, options.folder);
    return summary;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw options.signal.aborted ? toWinnowError(options.signal.reason, "cancelled") : toWinnowError(error);
  }
}

async function defaultCounter(): Promise<TokenCounter> {
  const { loadTokenCounter } = await import("../models/o200k-token-counter.ts");
  return loadTokenCounter();
}

async function checkEmpty(folder: string): Promise<void> {
  try {
    if ((await readdir(folder)).length === 0) return;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw toWinnowError(error, "invalid_argument");
  }
  throw new WinnowError("invalid_argument", `${oneLine(folder, 200)} is not empty.`, {
    hint: "Name a folder that does not exist yet.",
  });
}

async function writeAll(
  folder: string,
  plan: WorldPlan,
  options: WriteWorldOptions,
  counter: TokenCounter,
): Promise<WorldSummary> {
  const of = (set: QuestionSet) => plan.questions.filter((question) => question.set === set);
  const [multi, single, unanswerable] = [of("multi-hop"), of("single-hop"), of("unanswerable")];
  await writeQuestions(folder, multi);
  await writeQuestions(join(folder, SINGLE_HOP_FOLDER), single);
  await writeFile(join(folder, "unanswerable.jsonl"), jsonLines(unanswerable.map(unanswerableLine)));
  const corpus = await writeCorpus(folder, plan, options, counter);
  const hops = [...new Set(multi.map((question) => question.hops))].sort();
  const summary: WorldSummary = {
    schema: "world/1",
    version: WORLD_VERSION,
    seed: plan.seed,
    documents: plan.documents.length,
    chunks: options.chunks,
    tokens: corpus.tokens,
    tokenCounter: counter.name,
    corpusBytes: corpus.bytes,
    corpusSha256: corpus.sha256,
    multiHop: Object.fromEntries(hops.map((n) => [n, multi.filter((question) => question.hops === n).length])),
    singleHop: single.length,
    unanswerable: unanswerable.length,
  };
  await writeFile(join(folder, "README.md"), worldCard(basename(options.folder), summary));
  await writeFile(join(folder, "world.json"), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

async function writeQuestions(folder: string, questions: readonly WorldQuestion[]): Promise<void> {
  const lines = questions.map(({ id, text, answer, hops }) => ({ _id: id, text, answer, aliases: [], hops }));
  await writeFile(join(folder, "queries.jsonl"), jsonLines(lines));
  const labels = questions.flatMap(({ id, documents }) =>
    documents.map((each) => `${id}\t${worldDocumentId(each)}\t1`),
  );
  await writeFile(join(folder, "qrels.tsv"), `query-id\tcorpus-id\tscore\n${labels.join("\n")}\n`);
}

function unanswerableLine({ id, text, hops, documents }: WorldQuestion): object {
  return { _id: id, text, hops, missingHop: documents.length + 1, evidence: documents.map(worldDocumentId) };
}

async function writeCorpus(
  folder: string,
  plan: WorldPlan,
  { signal, onProgress }: WriteWorldOptions,
  counter: TokenCounter,
): Promise<{ tokens: number; bytes: number; sha256: string }> {
  const files: TextFile[] = [];
  const create = async (name: string): Promise<TextFile> => {
    const file = new TextFile(await open(join(folder, name), "wx"));
    files.push(file);
    return file;
  };
  try {
    const corpus = await create("corpus.jsonl");
    const evidence = await create("evidence.jsonl");
    const singleEvidence = await create(join(SINGLE_HOP_FOLDER, "evidence.jsonl"));
    const setOf = new Map(plan.questions.map(({ id, set }) => [id, set]));
    let [tokens, written] = [0, 0];
    for (const document of worldDocuments(plan, counter)) {
      signal.throwIfAborted();
      tokens += document.tokens;
      await corpus.line({ _id: document.id, title: document.id, text: document.text });
      for (const each of document.evidence) {
        const set = setOf.get(each.query);
        if (set === "multi-hop") await evidence.line(each);
        if (set === "single-hop") await singleEvidence.line(each);
      }
      onProgress?.(++written, plan.documents.length);
    }
    for (const file of files) await file.flush();
    return { tokens, bytes: corpus.bytes, sha256: corpus.sha256() };
  } finally {
    for (const file of files) await file.close();
  }
}

/** JSON lines, written a block at a time. */
class TextFile {
  bytes = 0;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #pending: string[] = [];
  #pendingUnits = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async line(value: object): Promise<void> {
    const text = `${JSON.stringify(value)}\n`;
    this.#pending.push(text);
    this.#pendingUnits += text.length;
    if (this.#pendingUnits >= BLOCK_UNITS) await this.flush();
  }

  async flush(): Promise<void> {
    const block = Buffer.from(this.#pending.join(""), "utf8");
    this.#pending = [];
    this.#pendingUnits = 0;
    this.#hash.update(block);
    this.bytes += block.length;
    await this.#file.writeFile(block);
  }

  sha256(): string {
    return this.#hash.digest("hex");
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function jsonLines(values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}
