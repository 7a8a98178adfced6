import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../../src/core/clock.ts";
import { indexCorpus } from "../../src/features/index-corpus.ts";
import { queryEmbedder } from "../../src/features/indexing/embedders.ts";
import type { WatchEvent } from "../../src/features/watch-corpus.ts";
import type { FolderCorpus } from "../../src/retrieval/corpus/folder-corpus.ts";
import { openCorpus } from "../../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../../src/retrieval/corpus-reader.ts";
import { type Asked, questionWords, type Role, type WrittenOp, writeNotes } from "./watch-roles.ts";

export interface WatchLoad {
  /** Runs `runRole` with its arguments. */
  readonly program: string;
  /** Arguments before the role. */
  readonly programArgs?: readonly string[];
  /** An empty folder. */
  readonly folder: string;
  readonly files: number;
  readonly seconds: number;
  /** Changes in a second. */
  readonly perSecond: number;
  /** Queries before anything changes, to compare with. */
  readonly restSeconds: number;
  readonly say?: (line: string) => void;
}

export interface WatchReport {
  readonly operations: number;
  readonly refreshes: number;
  /** From the end of a write to its being found, or found no more; of those that were followed. */
  readonly staleMs: readonly number[];
  /** Followed, but the file changed again before it was found. */
  readonly superseded: number;
  /** Never found. */
  readonly lost: readonly string[];
  /** Of the process that watches; empty where the system does not tell. */
  readonly rssMB: readonly { readonly second: number; readonly value: number }[];
  readonly diskMB: readonly { readonly second: number; readonly value: number }[];
  readonly findMs: { readonly rest: readonly number[]; readonly load: readonly number[] };
  readonly searchMs: { readonly rest: readonly number[]; readonly load: readonly number[] };
  readonly errors: readonly string[];
  /** Documents that differ from those of a build of the same files from nothing. */
  readonly differences: readonly string[];
  /**
   * Of the first ten results of each question, the share that such a build gives as well; and of the questions, the share
   * with the same ten in the same order. The store counts removed rows in its statistics until it rewrites them.
   */
  readonly sameResults: number;
  readonly sameOrder: number;
  readonly exitCode: number | null;
}

/** One change in so many is followed until it is found. */
const FOLLOWED_EVERY = 5;
const SAMPLE_MS = 5_000;
const PROBE_PAUSE_MS = 50;
/** What is not found by then is lost. */
const LOST_MS = 60_000;
const COMPARED_QUERIES = 100;
const RESULTS = 10;
/** Longer than a watch waits before it tidies up, and than that takes on a busy machine. */
const QUIET_MS = 8_000;

/** Watches a folder under continuous change, with searches from other processes, and measures what a user would notice. */
export async function runWatchLoad(load: WatchLoad): Promise<WatchReport> {
  const { folder, seconds, perSecond, restSeconds, say = () => undefined } = load;
  const notes = join(folder, "notes");
  await writeNotes(notes, load.files);
  const errors: string[] = [];
  const children: ChildProcess[] = [];
  const start = (role: Role, onLine: (value: unknown) => void, ...rest: readonly string[]): ChildProcess => {
    const child = startRole(load, role, rest, onLine, (line) => errors.push(`${role}: ${line}`));
    children.push(child);
    return child;
  };
  try {
    let refreshes = 0;
    let began: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      began = resolve;
    });
    const watch = start("watch", (value) => {
      const event = value as WatchEvent;
      if (event.type === "refreshed") refreshes++;
      else errors.push(`watch: ${JSON.stringify(event)}`);
      began();
    });
    await ready;
    const find: Asked[] = [];
    const search: Asked[] = [];
    const finder = start("find", (value) => find.push(value as Asked));
    const searcher = start("search", (value) => search.push(value as Asked));
    say(`built, ${restSeconds} s of rest`);
    await sleep(restSeconds * 1_000);
    const loadedAt = Date.now();
    const follower = new Follower(await openCorpus(join(folder, ".winnow")));
    const writer = start("write", (value) => follower.written(value as WrittenOp), String(perSecond));
    const samples = new Samples(watch.pid ?? 0, join(folder, ".winnow"));
    let nextSampleMs = 0;
    while (Date.now() - loadedAt < seconds * 1_000) {
      await follower.probe();
      if (Date.now() >= nextSampleMs) {
        nextSampleMs = Date.now() + SAMPLE_MS;
        await samples.take((Date.now() - loadedAt) / 1_000);
        say(`${samples.last}, ${follower.summary}, ${refreshes} refreshes`);
      }
      await sleep(PROBE_PAUSE_MS);
    }
    const endedAt = Date.now();
    for (const child of [writer, finder, searcher]) await ended(child);
    while (follower.waiting > 0) {
      await follower.probe();
      await sleep(PROBE_PAUSE_MS);
    }
    await untilTidy(join(folder, ".winnow"));
    const exitCode = await ended(watch);
    await follower.close();
    for (const { error } of [...find, ...search]) if (error !== undefined) errors.push(error);
    const split = (asked: readonly Asked[]) => ({
      rest: asked.filter(({ at }) => at < loadedAt).map(({ ms }) => ms),
      load: asked.filter(({ at }) => at >= loadedAt && at <= endedAt).map(({ ms }) => ms),
    });
    return {
      ...follower.report(),
      refreshes,
      ...samples.report(),
      findMs: split(find),
      searchMs: split(search),
      errors,
      ...(await compared(folder)),
      exitCode,
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

/** Resolves once a watch has had nothing to do for a while: by then it has tidied the index up. */
async function untilTidy(index: string): Promise<void> {
  const startMs = Date.now();
  let [generation, sinceMs] = ["", startMs];
  while (Date.now() - sinceMs < QUIET_MS && Date.now() - startMs < LOST_MS) {
    const names = (await readdir(join(index, "manifest"))).map((name) => Number(/^\d+/.exec(name)?.[0] ?? 0));
    const newest = String(Math.max(...names));
    if (newest !== generation) [generation, sinceMs] = [newest, Date.now()];
    await sleep(200);
  }
}

function startRole(
  { program, programArgs = [], folder }: WatchLoad,
  role: Role,
  rest: readonly string[],
  onLine: (value: unknown) => void,
  onTalk: (line: string) => void,
): ChildProcess {
  const child = spawn(process.execPath, [program, ...programArgs, role, folder, ...rest], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  createInterface({ input: child.stdout }).on("line", (line) => onLine(JSON.parse(line)));
  createInterface({ input: child.stderr }).on("line", onTalk);
  return child;
}

/** Asks a process to end, and resolves with its exit code. */
async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) {
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    await closed;
  }
  return child.exitCode;
}

/** Follows some changes until searches see them. */
class Follower {
  readonly #corpus: CorpusReader;
  readonly #waiting = new Map<string, WrittenOp>();
  readonly #staleMs: number[] = [];
  readonly #lost: string[] = [];
  #superseded = 0;
  #operations = 0;

  constructor(corpus: CorpusReader) {
    this.#corpus = corpus;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get summary(): string {
    return `${this.#operations} changes, ${this.#staleMs.length} found, ${this.waiting} waiting`;
  }

  written(op: WrittenOp): void {
    this.#operations++;
    for (const key of [op.key, op.from]) {
      if (key !== undefined && this.#waiting.delete(key)) this.#superseded++;
    }
    if (this.#operations % FOLLOWED_EVERY === 0) this.#waiting.set(op.key, op);
  }

  /** Looks at everything that waits, once. */
  async probe(): Promise<void> {
    for (const [key, op] of [...this.#waiting]) {
      const { hits } = await this.#corpus.find({ text: op.token, mode: "lexical", chunksMax: 5 });
      const found = [...new Set(hits.map(({ chunk }) => chunk.documentId))];
      const wanted = op.op === "remove" ? [] : [op.key];
      // In the meantime it may have been replaced.
      if (this.#waiting.get(key) !== op) continue;
      const ageMs = Date.now() - op.at;
      if (JSON.stringify(found) === JSON.stringify(wanted)) this.#staleMs.push(ageMs);
      else if (ageMs > LOST_MS) this.#lost.push(`${op.op} ${op.key}: ${found.join(", ") || "not found"}`);
      else continue;
      this.#waiting.delete(key);
    }
  }

  close(): Promise<void> {
    return this.#corpus.close();
  }

  report() {
    const [operations, staleMs, superseded, lost] = [
      this.#operations,
      this.#staleMs,
      this.#superseded,
      this.#lost,
    ] as const;
    return { operations, staleMs, superseded, lost };
  }
}

class Samples {
  readonly #pid: number;
  readonly #folder: string;
  readonly #rss: { readonly second: number; readonly value: number }[] = [];
  readonly #disk: { readonly second: number; readonly value: number }[] = [];

  constructor(pid: number, folder: string) {
    this.#pid = pid;
    this.#folder = folder;
  }

  get last(): string {
    return `${this.#rss.at(-1)?.value.toFixed(0) ?? "?"} MB of memory, ${this.#disk.at(-1)?.value.toFixed(0)} MB on disk`;
  }

  async take(second: number): Promise<void> {
    const status = await readFile(`/proc/${this.#pid}/status`, "utf8").catch(() => "");
    const kB = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
    if (kB !== undefined) this.#rss.push({ second, value: Number(kB) / 1_000 });
    this.#disk.push({ second, value: (await bytesIn(this.#folder)) / 1e6 });
  }

  report() {
    return { rssMB: this.#rss, diskMB: this.#disk };
  }
}

/** Bytes of all files below a folder, records of runs left out. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += entry.name === "runs" ? 0 : await bytesIn(path);
    else
      bytes += await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}

/** What the watched index gives that one built of the same files now does not. */
async function compared(folder: string): Promise<Pick<WatchReport, "differences" | "sameResults" | "sameOrder">> {
  const fresh = join(folder, ".winnow", "corpora", "fresh");
  await indexCorpus({ folder: fresh, paths: [join(folder, "notes")] });
  const embedQuery = queryEmbedder();
  const watched = await openCorpus(join(folder, ".winnow"), { embedQuery });
  const built = await openCorpus(fresh, { embedQuery });
  const found: string[] = [];
  const state = async (corpus: FolderCorpus) => new Map((await corpus.items()).map(({ key, hash }) => [key, hash]));
  const [a, b] = [await state(watched), await state(built)];
  for (const [key, hash] of a) if (b.get(key) !== hash) found.push(`${key} is not what the folder holds`);
  for (const key of b.keys()) if (!a.has(key)) found.push(`${key} is missing`);
  const random = seededRandom(5);
  let [asked, shared, sameOrder] = [0, 0, 0];
  for (let i = 0; i < COMPARED_QUERIES; i++) {
    const text = questionWords(random, 1 + (i % 4));
    for (const mode of ["lexical", "hybrid"] as const) {
      const ids = async (corpus: CorpusReader) =>
        (await corpus.find({ text, mode, chunksMax: RESULTS })).hits.map(({ chunk }) => chunk.id);
      const [one, other] = [await ids(watched), await ids(built)];
      if (one.join(" ") === other.join(" ")) sameOrder++;
      shared += other.length === 0 ? 1 : one.filter((id) => other.includes(id)).length / other.length;
      asked++;
    }
  }
  await watched.close();
  await built.close();
  return { differences: found, sameResults: shared / asked, sameOrder: sameOrder / asked };
}
