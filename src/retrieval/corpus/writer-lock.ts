import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { z } from "zod/mini";
import { systemErrorCode, toWinnowError, WinnowError } from "../../core/errors.ts";
import { openPlain, readText, UnusableFile } from "../../core/plain-file.ts";

/** A lock file that cannot be read may be one that is being written; after this age it is damage. */
const UNREADABLE_AGE_MS = 10_000;
/** A file that a process of another host made on its way to the lock is left over after this time. */
const ABANDONED_AGE_MS = 60_000;
const TAKE_OVER_TRIES_MAX = 5;
const HOLDER_BYTES_MAX = 65_536;
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
/** Behind the lock's own name: whose it is, so that it can be told when that process is gone. */
const TEMPORARY = /^\.([0-9]+)-([0-9a-f]{8})-[0-9a-f]+(\.stale)?\.tmp$/;

const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  since: z.string(),
  processStart: z.nullable(z.string()),
  nonce: z.string(),
});

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the lock was taken, ISO 8601. */
  readonly since: string;
  /** Tells two processes of one pid apart where the system can; null where it cannot. */
  readonly processStart: string | null;
  readonly nonce: string;
}

/** What the lock knows about processes; replaced in tests. */
export interface ProcessTable {
  readonly pid: number;
  readonly host: string;
  isAlive(pid: number): boolean;
  /** Undefined when unknown. */
  startOf(pid: number): Promise<string | undefined>;
}

export const systemProcesses: ProcessTable = {
  pid: process.pid,
  host: hostname(),
  isAlive(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      // Not permitted means that it lives, under another user.
      return systemErrorCode(error) === "EPERM";
    }
  },
  async startOf(pid) {
    if (process.platform !== "linux") return undefined;
    try {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      // The command's name stands in parentheses and may hold anything; the start time is the 20th field behind it.
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    } catch {
      return undefined;
    }
  },
};

export interface WriterLock {
  /** Rejects as `lockWriter` does when another writer has taken the lock meanwhile. */
  verify(): Promise<void>;
  /** Gives the lock back, if it is still ours. */
  release(): Promise<void>;
}

/**
 * Takes the lock of the one writer, or rejects with `corpus_locked`, saying who holds it and since when. A lock whose
 * process is gone (on this host) is taken over; one of another host never is, because nothing can be known about it.
 * What else than an index has one writer says with `refuse` what to reject with instead, given who holds it.
 */
export async function lockWriter(
  path: string,
  now: () => number,
  processes: ProcessTable = systemProcesses,
  refuse: (who: string) => WinnowError = indexLocked,
): Promise<WriterLock> {
  const nonce = randomBytes(12).toString("hex");
  const holder: Holder = {
    pid: processes.pid,
    host: processes.host,
    since: new Date(now()).toISOString(),
    processStart: (await processes.startOf(processes.pid)) ?? null,
    nonce,
  };
  const own = `${path}.${processes.pid}-${hostMark(processes)}-${nonce}`;
  const candidate = `${own}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(candidate, JSON.stringify(holder));
    // Linking a finished file is exclusive like creating one, and nobody ever sees it half written.
    for (let tries = 0; !(await linked(candidate, path)); tries++) {
      const found = await readHolder(path, now);
      if (found === "gone" && tries < TAKE_OVER_TRIES_MAX) continue;
      if (
        found === "gone" ||
        found === "busy" ||
        tries >= TAKE_OVER_TRIES_MAX ||
        (found !== "damaged" && (await isHeld(found, processes)))
      ) {
        throw refuse(nameOf(found));
      }
      await removeStale(path, found, `${own}.stale.tmp`, now);
    }
    await removeAbandoned(path, processes, now);
  } catch (error) {
    throw toWinnowError(error, "store_failed");
  } finally {
    await rm(candidate, { force: true }).catch(() => undefined);
  }
  return {
    async verify() {
      const found = await readHolder(path, now);
      if (typeof found !== "object" || found.nonce !== nonce) throw refuse(nameOf(found));
    },
    async release() {
      const found = await readHolder(path, now);
      if (typeof found === "object" && found.nonce === nonce) await rm(path, { force: true });
    },
  };
}

type Found = Holder | "gone" | "busy" | "damaged";

async function readHolder(path: string, now: () => number): Promise<Found> {
  try {
    const file = await openPlain(path, NO_FOLLOW);
    try {
      const parsed = holderSchema.safeParse(parseJson(await readText(file, HOLDER_BYTES_MAX)));
      if (parsed.success) return parsed.data;
      // A time in the future is of a clock that was set back since.
      return Math.abs(now() - (await file.stat()).mtimeMs) > UNREADABLE_AGE_MS ? "damaged" : "busy";
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return "gone";
    // A pipe, a link, a file of another kind: nobody takes a lock like that.
    if (error instanceof UnusableFile || systemErrorCode(error) === "ELOOP") return "damaged";
    throw error;
  }
}

async function isHeld(holder: Holder, processes: ProcessTable): Promise<boolean> {
  if (holder.host !== processes.host) return true;
  if (!processes.isAlive(holder.pid)) return false;
  const start = await processes.startOf(holder.pid);
  return start === undefined || holder.processStart === null || start === holder.processStart;
}

/**
 * Of several processes that find the same stale lock only one can rename it away. If in the meantime it had become
 * another writer's, it is put back; should a third writer stand there by then, `verify` stops the second before it
 * commits anything.
 */
async function removeStale(path: string, stale: Holder | "damaged", away: string, now: () => number): Promise<void> {
  try {
    await rename(path, away);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  const taken = await readHolder(away, now);
  const expected = stale === "damaged" ? taken === "damaged" : typeof taken === "object" && taken.nonce === stale.nonce;
  if (!expected) await linked(away, path);
  // A folder is no lock either, and nobody else's: it stood in the index under our name.
  await rm(away, { force: true, recursive: true });
}

/** What processes that were killed on their way to the lock left beside it. */
async function removeAbandoned(path: string, processes: ProcessTable, now: () => number): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    const [, pid, host] = (name.startsWith(basename(path)) && TEMPORARY.exec(name.slice(basename(path).length))) || [];
    if (pid === undefined || Number(pid) === processes.pid) continue;
    const file = join(folder, name);
    const isOver =
      host === hostMark(processes)
        ? !processes.isAlive(Number(pid))
        : await stat(file).then(
            ({ mtimeMs }) => Math.abs(now() - mtimeMs) > ABANDONED_AGE_MS,
            () => false,
          );
    if (isOver) await rm(file, { force: true });
  }
}

function hostMark({ host }: ProcessTable): string {
  return createHash("sha256").update(host).digest("hex").slice(0, 8);
}

/** False when the target exists. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(systemErrorCode(error) ?? "")) throw error;
  }
  // A file system without links: exclusive too, but for an instant the lock can be seen half written.
  try {
    await writeWhole(to, await readFile(from, "utf8"));
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function nameOf(found: Found): string {
  return typeof found === "object" ? `process ${found.pid} on ${found.host} since ${found.since}` : "another process";
}

function indexLocked(who: string): WinnowError {
  return new WinnowError("corpus_locked", `The index is being written by ${who}.`, {
    hint: "Wait until it ends. If that process is gone for good, delete writer.lock in the index folder.",
    retryable: true,
  });
}
