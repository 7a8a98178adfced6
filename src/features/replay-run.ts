import { replayPolicy } from "../agent/policies/replay.ts";
import { recordedProfile, replayRecord } from "../agent/replay-record.ts";
import { startRun } from "../agent/run.ts";
import { believing, believingAsync } from "../core/believing.ts";
import { parseFilter } from "../core/filter-parse.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import { VERSION } from "../core/version.ts";
import { type RunRecord, recordFromLines } from "../record/reader.ts";
import { memoryRecorder } from "../record/recorder.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";

export interface ReplayReport {
  /** False when the record has no end: the process died, or the run is under way. */
  readonly complete: boolean;
  /** Prompts that were rendered again. */
  readonly prompts: number;
  /** Turns whose prompt is not what the record says. */
  readonly differing: readonly number[];
}

/** Renders every prompt of a record from the record alone. Needs no corpus. */
export function verifyRecord(record: RunRecord, counter: TokenCounter): ReplayReport {
  const decisions = believing("The record", () => [...replayRecord(record, counter)]);
  const complete = !record.torn && record.events.at(-1)?.type === "end";
  return {
    complete,
    prompts: decisions.length,
    differing: decisions.filter(({ same }) => !same).map(({ turn }) => turn),
  };
}

/**
 * Repeats the recorded decisions against corpora as they are now and compares each prompt with the recorded one: a
 * difference means that the corpus or the search has changed. Time stands still at the recorded start, since the prompt
 * may hold the date.
 */
export function repeatRun(
  record: RunRecord,
  corpora: readonly CorpusReader[],
  counter: TokenCounter,
  signal: AbortSignal,
): Promise<ReplayReport> {
  return believingAsync("The record", () => repeated(record, corpora, counter, signal));
}

async function repeated(
  record: RunRecord,
  corpora: readonly CorpusReader[],
  counter: TokenCounter,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const { header } = record;
  const profile = recordedProfile(record);
  const recorder = memoryRecorder();
  const run = startRun({
    query: header.query,
    library: {
      corpora,
      mode: profile.retrieval.mode,
      fusion: profile.retrieval.fusion,
      where: parseFilter(header.steering.where),
      excludeDocuments: new Set([...header.steering.exclude, ...header.steering.known]),
    },
    corpora: header.corpora,
    steering: header.steering,
    policy: replayPolicy(record),
    profile,
    counter,
    recorder,
    clock: { now: () => header.at },
    harness: VERSION,
    runId: header.runId,
    seed: header.seed,
    documentsMax: header.documentsMax,
    limits: { turnsMax: header.turnsMax },
    signal,
  });
  await run.result;
  const again = recordFromLines(recorder.lines).events.filter((event) => event.type === "decision");
  const before = record.events.filter((event) => event.type === "decision");
  const differing = before.filter((event, i) => again[i]?.promptHash !== event.promptHash).map((event) => event.turn);
  return { complete: true, prompts: before.length, differing };
}
