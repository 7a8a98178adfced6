import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { type ErrorCode, systemErrorCode, toWinnowError, WinnowError } from "../../core/errors.ts";
import { removeIfEmpty } from "../../retrieval/corpus/recover.ts";
import { lockWriter, type WriterLock } from "../../retrieval/corpus/writer-lock.ts";
import type { Look } from "../index-corpus.ts";
import type { IndexSummary } from "../indexing/progress.ts";
import { covers, keyOfPath } from "../indexing/roots.ts";
import { type Batch, ChangeQueue } from "./change-queue.ts";
import { FolderWatch, type FolderWatchOptions } from "./folder-watch.ts";
import { Waker } from "./waker.ts";
import type { RefreshCause, WatchEvent } from "./watch-event.ts";
import { isControlFile, isWatchedName } from "./watched-names.ts";
import { WatchedRoots } from "./watched-roots.ts";

/** Everything is looked at this often whatever the system tells, since hints get lost. */
export const LOOK_INTERVAL_MS = 60_000;
/** The same where the system tells nothing. */
export const POLL_INTERVAL_MS = 2_000;
/** Roots are looked up this often: nobody tells of one that goes, comes back or is replaced. */
const ROOTS_INTERVAL_MS = 1_000;
/** Looks at everything take at most one part in this many of the time. */
const LOOK_TIME_SHARE = 10;
/** A refresh is followed by a rest as long as the processor time that it took, but no longer than this. */
const REST_MAX_MS = 5_000;
/** The index is tidied up once nothing has changed for this long, */
const TIDY_QUIET_MS = 2_000;
/** and under continuous change this often: old versions go, and every row comes into the index. */
export const TIDY_INTERVAL_MS = 30_000;
const LOCK_RETRY_MS = 1_000;
const FAILURE_RETRY_MAX_MS = 60_000;

/** Wrong in a way that another try does not mend. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  "invalid_argument",
  "invalid_config",
  "corpus_mismatch",
  "corpus_format",
]);
/** What may be wrong when a watch begins without ending it. */
const PASSING_AT_FIRST: ReadonlySet<ErrorCode> = new Set(["corpus_locked", "nothing_to_index"]);

/** A corpus as a watch sees it. */
export interface WatchTarget {
  readonly name: string;
  /** The corpus folder. */
  readonly folder: string;
  /** Keys are relative to this folder. */
  readonly base: string;
  /** Paths that the user named just now: looked at first, the rest of what the index knows then. */
  readonly named: readonly string[];
  /** It can look at some keys alone. */
  readonly narrows: boolean;
  /** Milliseconds between two looks, where what it is made of does not lie in folders that can be watched. */
  readonly pollMs?: number;
  /** Folders beside those that are listed whose changes count, given a root. */
  readonly alsoWatched?: (root: string) => readonly string[];
  refresh(look: Look, signal: AbortSignal): Promise<IndexSummary>;
}

export interface WatchSettings {
  readonly signal: AbortSignal;
  readonly now?: () => number;
  /** Default `LOOK_INTERVAL_MS`. */
  readonly lookIntervalMs?: number;
  readonly watchPlace?: FolderWatchOptions["watchPlace"];
  readonly recursive?: boolean;
}

/**
 * Keeps one corpus up to date until the signal aborts, and ends then. Rejects with `corpus_locked` where it is watched
 * already, and with what makes no sense to try again; everything else is told, and tried again.
 */
export async function* watchTarget(target: WatchTarget, settings: WatchSettings): AsyncGenerator<WatchEvent> {
  const now = settings.now ?? systemClock.now;
  const lock = await lockWriter(join(target.folder, WATCH_LOCK), now, undefined, (who) => watched(target.name, who));
  const watch = new TargetWatch(target, settings, lock, now);
  try {
    yield* watch.run();
  } finally {
    watch.close();
    await lock.release();
    await removeIfEmpty(target.folder);
  }
}

const WATCH_LOCK = "watch.lock";

interface Work extends Batch {
  readonly cause: RefreshCause | "tidy";
}

class TargetWatch {
  readonly #target: WatchTarget;
  readonly #settings: WatchSettings;
  readonly #lock: WriterLock;
  readonly #now: () => number;
  readonly #waker = new Waker();
  readonly #queue = new ChangeQueue(() => this.#waker.wake());
  readonly #folders: FolderWatch;
  readonly #roots: WatchedRoots;
  readonly #ownKey: string;
  readonly #knownRoots = new Set<string>();
  /** Those that were not read because of what is wrong with them. */
  readonly #unread = new Set<string>();
  #began = false;
  #limit: string | undefined;
  #toldLimit = false;
  #lookDueMs = 0;
  #rootsDueMs = 0;
  #restUntilMs = 0;
  /** Undefined where the index is tidy. */
  #tidyDueMs: number | undefined;
  #tidiedMs = 0;
  #lookMs = 0;
  #failures = 0;
  /** What was told last, so that it is not told again. */
  #toldFailure = "";
  #toldItems = "";
  #toldNotices: readonly string[] = [];

  constructor(target: WatchTarget, settings: WatchSettings, lock: WriterLock, now: () => number) {
    this.#target = target;
    this.#settings = settings;
    this.#lock = lock;
    this.#now = now;
    this.#ownKey = keyOfPath(target.base, target.folder);
    this.#roots = new WatchedRoots(target.named);
    this.#folders = new FolderWatch({
      onEvent: (path) => this.#noticed(path),
      onLimit: (error) => {
        this.#limit = limitMessage(error);
        this.#lookDueMs = 0;
        this.#waker.wake();
      },
      ...(settings.recursive !== undefined && { recursive: settings.recursive }),
      ...(settings.watchPlace && { watchPlace: settings.watchPlace }),
    });
  }

  close(): void {
    this.#folders.close();
  }

  async *run(): AsyncGenerator<WatchEvent> {
    const { signal } = this.#settings;
    while (!signal.aborted) {
      if (this.#limit !== undefined && !this.#toldLimit) yield this.#notice(this.#limit);
      this.#toldLimit = this.#limit !== undefined;
      const work = this.#next();
      if (work === undefined) {
        await this.#waker.wait(Math.max(0, this.#wakeMs() - this.#now()), signal);
        await this.#lookUpRoots();
      } else yield* this.#refresh(work);
    }
  }

  #noticed(path: string | undefined): void {
    const { base } = this.#target;
    if (path === undefined) this.#queue.addEverything(this.#now());
    if (path === undefined || !isWatchedName(path)) return;
    const key = keyOfPath(base, isControlFile(path) ? join(path, "..") : path);
    if (!covers(this.#ownKey, key)) this.#queue.add(key, this.#now());
  }

  get #lookIntervalMs(): number {
    const { pollMs } = this.#target;
    const { lookIntervalMs = LOOK_INTERVAL_MS } = this.#settings;
    const least = pollMs ?? (this.#limit === undefined ? lookIntervalMs : POLL_INTERVAL_MS);
    return Math.max(least, LOOK_TIME_SHARE * this.#lookMs);
  }

  /** What is to be done now, if anything. */
  #next(): Work | undefined {
    const now = this.#now();
    if (now < this.#restUntilMs) return undefined;
    if (now >= this.#lookDueMs) {
      const cause = this.#began ? "look" : "start";
      return { cause, sinceMs: this.#queue.takeAll()?.sinceMs ?? now };
    }
    if (this.#tidyDueMs !== undefined && now >= this.#tidyDueMs) return { cause: "tidy", keys: [], sinceMs: now };
    const batch = this.#queue.take(now);
    if (batch === undefined) return undefined;
    return { cause: "changes", ...(this.#target.narrows ? batch : { sinceMs: batch.sinceMs }) };
  }

  #wakeMs(): number {
    const never = Number.POSITIVE_INFINITY;
    const due = Math.min(this.#lookDueMs, this.#queue.dueMs ?? never, this.#tidyDueMs ?? never);
    return Math.min(Math.max(due, this.#restUntilMs), this.#rootsDueMs);
  }

  async #lookUpRoots(): Promise<void> {
    if (this.#now() < this.#rootsDueMs) return;
    for (const root of this.#knownRoots) {
      const change = await this.#roots.changeOf(root);
      if (change === "replaced") {
        this.#folders.forget(root);
        this.#queue.addEverything(this.#now());
      } else if (change === "changed") this.#queue.add(keyOfPath(this.#target.base, root), this.#now());
      else if (this.#unread.has(root) && (await this.#roots.problemOf(root)) === undefined) {
        this.#unread.delete(root);
        this.#queue.addEverything(this.#now());
      }
    }
    this.#rootsDueMs = this.#now() + ROOTS_INTERVAL_MS;
  }

  async *#refresh(work: Work): AsyncGenerator<WatchEvent> {
    const { signal } = this.#settings;
    const startMs = this.#now();
    const before = process.cpuUsage();
    const isWhole = work.keys === undefined;
    if (isWhole) this.#folders.beginRound();
    try {
      await this.#lock.verify();
      const summary = await this.#target.refresh(this.#lookOf(work), signal);
      this.#folders.endRound(true);
      yield* this.#done(work, summary, startMs, millisecondsOf(process.cpuUsage(before)));
    } catch (error) {
      this.#folders.endRound(false);
      if (signal.aborted) return;
      yield* this.#failed(work, toWinnowError(error));
    }
  }

  #lookOf({ keys, cause }: Work): Look {
    const { base, alsoWatched, pollMs } = this.#target;
    const visit = (path: string): void => {
      if (!covers(this.#ownKey, keyOfPath(base, path))) this.#folders.visit(path);
    };
    return {
      ...(keys && { within: keys }),
      leave: cause === "tidy" || !this.#began ? "tidy" : "fresh",
      onFolder: visit,
      problemOf: async (path) => {
        this.#knownRoots.add(path);
        const problem = await this.#roots.problemOf(path);
        if (problem === undefined) this.#unread.delete(path);
        else this.#unread.add(path);
        return problem;
      },
      onRoots: (paths) => {
        if (pollMs !== undefined) return;
        for (const path of paths) {
          this.#knownRoots.add(path);
          this.#folders.root(path);
          for (const more of alsoWatched?.(path) ?? []) visit(more);
        }
      },
    };
  }

  *#done(work: Work, summary: IndexSummary, startMs: number, busyMs: number): Generator<WatchEvent> {
    const { name: corpus, named, pollMs } = this.#target;
    const endMs = this.#now();
    const isFirst = !this.#began;
    if (isFirst) this.#tidiedMs = endMs;
    this.#began = true;
    this.#failures = 0;
    this.#toldFailure = "";
    if (work.keys === undefined) {
      // The first may have built everything.
      this.#lookMs = isFirst ? 0 : endMs - startMs;
      this.#lookDueMs = endMs + this.#lookIntervalMs;
      // What was named is a part of what the index knows.
      if (isFirst && named.length > 0) this.#lookDueMs = endMs;
      else this.#roots.begin();
    }
    this.#restUntilMs = endMs + Math.min(REST_MAX_MS, busyMs);
    if (work.cause === "tidy") {
      this.#tidyDueMs = undefined;
      this.#tidiedMs = endMs;
      return;
    }
    if (isFirst && named.length > 0) this.#restUntilMs = endMs;
    yield* this.#notices(summary.notices);
    const items = JSON.stringify(summary.failures);
    const isNews = summary.failed > 0 && items !== this.#toldItems;
    if (work.keys === undefined || isNews) this.#toldItems = items;
    const changes = summary.added + summary.changed + summary.renamed + summary.removed;
    // Attached collections are left ready by their own refresh.
    if (changes > 0 && pollMs === undefined) {
      this.#tidyDueMs = Math.min(endMs + TIDY_QUIET_MS, Math.max(endMs, this.#tidiedMs + TIDY_INTERVAL_MS));
    }
    if (!isFirst && changes === 0 && !isNews) return;
    const delaySeconds = (endMs - work.sinceMs) / 1_000;
    yield { type: "refreshed", corpus, cause: work.cause, summary, delaySeconds };
  }

  *#notices(notices: readonly string[]): Generator<WatchEvent> {
    for (const message of notices) if (!this.#toldNotices.includes(message)) yield this.#notice(message);
    this.#toldNotices = notices;
  }

  #notice(message: string): WatchEvent {
    return { type: "notice", corpus: this.#target.name, message };
  }

  *#failed(work: Work, error: WinnowError): Generator<WatchEvent> {
    const { named } = this.#target;
    const mayPass = this.#began ? !FINAL.has(error.code) : PASSING_AT_FIRST.has(error.code);
    const knowsNothing = error.code === "nothing_to_index" && !this.#began && named.length === 0;
    if (!mayPass || knowsNothing || isTakenOver(error)) throw error;
    this.#queue.restore(work);
    if (this.#began && work.keys === undefined) this.#lookDueMs = this.#now() + this.#lookIntervalMs;
    const isLocked = error.code === "corpus_locked";
    const waitMs = isLocked ? LOCK_RETRY_MS : Math.min(FAILURE_RETRY_MAX_MS, LOCK_RETRY_MS * 2 ** this.#failures);
    if (!isLocked) this.#failures++;
    this.#restUntilMs = this.#now() + waitMs;
    const told = `${error.code}: ${error.message}`;
    if (told === this.#toldFailure) return;
    this.#toldFailure = told;
    if (isLocked) yield this.#notice(`${error.message} Waiting for it to end.`);
    else if (!this.#began) yield this.#notice(`${error.message} Waiting for one.`);
    else yield { type: "failed", corpus: this.#target.name, error };
  }
}

function millisecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000;
}

function watched(corpus: string, who: string): WinnowError {
  return new WinnowError("corpus_locked", `${corpus} is being watched by ${who}.`, {
    hint: "One watch of a corpus is enough; end that one first.",
    retryable: true,
    cause: TAKEN_OVER,
  });
}

const TAKEN_OVER = Symbol("watched by another process");

/** The lock of the watch itself is gone: the corpus folder was removed, or somebody took it for abandoned. */
function isTakenOver(error: WinnowError): boolean {
  return error.cause === TAKEN_OVER;
}

function limitMessage(error: unknown): string {
  const code = systemErrorCode(error) ?? "";
  const seconds = POLL_INTERVAL_MS / 1_000;
  const what = `The system watches no more folders (${code || toWinnowError(error).message}), so changes are looked for every ${seconds} seconds or less often.`;
  if (process.platform !== "linux") return what;
  const name = code === "EMFILE" ? "fs.inotify.max_user_instances" : "fs.inotify.max_user_watches";
  return `${what} Raise ${name} to have them noticed at once.`;
}
