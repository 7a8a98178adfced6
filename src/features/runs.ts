import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode, WinnowError } from "../core/errors.ts";
import type { EndEvent, RecordHeader } from "../record/events.ts";
import { type RunRecord, readRecord, readRecordHeader } from "../record/reader.ts";

const EXTENSION = ".jsonl";
/** Records that a listing opens. */
const RUNS_LISTED_MAX = 1_000;
/** Records whose headers a listing reads to choose among them. */
const RUNS_LOOKED_AT_MAX = 5_000;

export interface RunSummary {
  readonly runId: string;
  /** The run that this one is a rollout of, or null. */
  readonly parent: string | null;
  readonly path: string;
  readonly at: number;
  readonly query: string;
  readonly corpora: readonly string[];
  readonly policy: string;
  readonly profile: string;
  /** `unfinished` when the record has no end: the process died, or the run is under way. */
  readonly stopReason: EndEvent["stopReason"] | "unfinished";
  readonly documents: number;
  readonly turns: number;
  readonly bytes: number;
}

/** A rollout's id is its parent's with a number behind a full stop. */
const ROLLOUT_ID = /^(.+)\.(\d{1,3})$/;

function familyOf(runId: string): { readonly parent: string; readonly rollout: number } {
  const [, parent = runId, rollout = "0"] = ROLLOUT_ID.exec(runId) ?? [];
  return { parent, rollout: Number(rollout) };
}

/** Newest first, rollouts in order behind their parent. */
function compareRuns(a: string, b: string): number {
  const [one, other] = [familyOf(a), familyOf(b)];
  if (one.parent !== other.parent) return one.parent < other.parent ? 1 : -1;
  return one.rollout - other.rollout;
}

/** Ids of the runs kept in these folders, newest first, rollouts behind their parent. A folder that is missing holds none. */
export async function runFiles(
  folders: readonly string[],
): Promise<{ readonly runId: string; readonly path: string }[]> {
  const lists = await Promise.all(
    folders.map(async (folder) => {
      try {
        const entries = await readdir(folder, { withFileTypes: true });
        const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(EXTENSION));
        return files.map(({ name }) => ({ runId: name.slice(0, -EXTENSION.length), path: join(folder, name) }));
      } catch (error) {
        if (systemErrorCode(error) === "ENOENT") return [];
        throw error;
      }
    }),
  );
  return lists.flat().sort((a, b) => compareRuns(a.runId, b.runId));
}

/**
 * The newest `count` runs, of those whose header `accepts` where it is given. A record that cannot be read is left out and
 * counted in `damaged`. `total` counts all records, or with `accepts` the accepted ones among the newest `RUNS_LOOKED_AT_MAX`.
 */
export async function listRuns(
  folders: readonly string[],
  count: number,
  accepts?: (header: RecordHeader) => boolean,
): Promise<{ readonly runs: readonly RunSummary[]; readonly damaged: readonly string[]; readonly total: number }> {
  const files = await runFiles(folders);
  const damaged: string[] = [];
  const accepted = accepts === undefined ? files : await acceptedFiles(files.slice(0, RUNS_LOOKED_AT_MAX), accepts);
  const runs: RunSummary[] = [];
  for (const { path } of accepted.slice(0, Math.min(count, RUNS_LISTED_MAX))) {
    try {
      runs.push(summarize(await readRecord(path), path, (await lstat(path)).size));
    } catch {
      // Whatever one file holds, the others are listed.
      damaged.push(path);
    }
  }
  return { runs, damaged, total: accepted.length };
}

async function acceptedFiles<File extends { readonly path: string }>(
  files: readonly File[],
  accepts: (header: RecordHeader) => boolean,
): Promise<File[]> {
  const accepted: File[] = [];
  for (const file of files) {
    try {
      if (accepts(await readRecordHeader(file.path))) accepted.push(file);
    } catch {
      // What cannot be read is accepted by nobody.
    }
  }
  return accepted;
}

function summarize({ header, events }: RunRecord, path: string, bytes: number): RunSummary {
  const end = events.at(-1);
  const finished = end?.type === "end" ? end : undefined;
  return {
    runId: header.runId,
    parent: header.parent ?? null,
    path,
    at: header.at,
    query: header.query,
    corpora: header.corpora.map(({ name }) => name),
    policy: header.policy.name,
    profile: (header.profile as { name: string }).name,
    stopReason: finished?.stopReason ?? "unfinished",
    documents: finished?.documents.length ?? 0,
    turns: finished?.usage.turns ?? events.filter((event) => event.type === "decision").length,
    bytes,
  };
}

/**
 * Path of a record: of the newest run when `wanted` is left out, else of the run with this id or a beginning of it that
 * no other shares but its own rollouts, else `wanted` itself as a path. Rejects with `run_not_found`.
 */
export async function findRun(wanted: string | undefined, folders: readonly string[]): Promise<string> {
  const files = await runFiles(folders);
  if (wanted === undefined) {
    const newest = files[0];
    if (newest !== undefined) return newest.path;
    throw new WinnowError("run_not_found", "No run is recorded here yet.", {
      hint: 'Make one with: winnow search "…"',
    });
  }
  if (wanted.endsWith(EXTENSION)) return wanted;
  const matching = files.filter(({ runId }) => runId.startsWith(wanted));
  const exact = matching.find(({ runId }) => runId === wanted);
  if (exact !== undefined) return exact.path;
  const [only, ...others] = matching;
  if (only !== undefined && others.every(({ runId }) => runId.startsWith(`${only.runId}.`))) return only.path;
  if (only !== undefined) {
    throw new WinnowError("run_not_found", `${matching.length} runs begin with "${wanted}".`, {
      hint: "Give more of the id.",
    });
  }
  throw new WinnowError("run_not_found", `There is no run "${wanted}".`, { hint: "List the runs with: winnow runs" });
}
