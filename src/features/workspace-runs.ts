import { stat } from "node:fs/promises";
import { WinnowError } from "../core/errors.ts";
import { type RunRecord, readRecord, readRecordHeader } from "../record/reader.ts";
import { listRuns, type RunSummary, runFiles } from "./runs.ts";
import { type CorpusNames, coversRun } from "./scoped-workspace.ts";
import type { Workspace } from "./workspace.ts";

/** As `newRunId` makes them (early ones lack milliseconds), a rollout's number behind it; nothing in it can leave a folder. */
const RUN_ID = /^\d{8}T\d{6}(\d{3})?-[0-9a-f]{8}(\.\d{1,3})?$/;
/** Longest record that is given as one object; its lines have no limit. */
const OBJECT_BYTES_MAX = 32_000_000;

export interface ListedRuns {
  readonly runs: readonly Omit<RunSummary, "path">[];
  /** Records that could not be read. */
  readonly damaged: number;
  readonly total: number;
}

/** The newest runs that a caller may read; nothing tells where they lie. */
export async function runsOfWorkspace(workspace: Workspace, names: CorpusNames, count: number): Promise<ListedRuns> {
  const accepts = names === null ? undefined : coversRun.bind(undefined, names);
  const { runs, damaged, total } = await listRuns(await runsFolders(workspace), count, accepts);
  return { runs: runs.map(({ path: _path, ...run }) => run), damaged: damaged.length, total };
}

/**
 * Where the record of a run lies, by its whole id. One over corpora that the caller may not ask is not there for it.
 * Rejects with `run_not_found`.
 */
export async function pathOfRun(workspace: Workspace, names: CorpusNames, runId: string): Promise<string> {
  if (!RUN_ID.test(runId)) throw runNotFound();
  const file = (await runFiles(await runsFolders(workspace))).find((one) => one.runId === runId);
  if (file === undefined) throw runNotFound();
  const header = await readRecordHeader(file.path);
  if (header.runId !== runId || !coversRun(names, header)) throw runNotFound();
  return file.path;
}

/** The record that lies at a path of `pathOfRun`. Rejects with `limit_exceeded` for one that is too long for one object. */
export async function recordAt(path: string): Promise<RunRecord> {
  const { size } = await stat(path);
  if (size <= OBJECT_BYTES_MAX) return readRecord(path);
  throw new WinnowError(
    "limit_exceeded",
    `The record has ${size} bytes; ${OBJECT_BYTES_MAX} are given as one object.`,
    {
      hint: "Ask for its lines: format=jsonl",
    },
  );
}

async function runsFolders(workspace: Workspace): Promise<string[]> {
  return (await workspace.places()).map(({ runsFolder }) => runsFolder);
}

function runNotFound(): WinnowError {
  return new WinnowError("run_not_found", "There is no such run.", { hint: "List the runs with: GET /v1/runs" });
}
