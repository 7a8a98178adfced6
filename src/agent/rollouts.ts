import { stopwatch } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import type {
  EndEvent,
  EventBody,
  RecordEvent,
  RecordedChunk,
  RecordedDocument,
  RecordHeader,
} from "../record/events.ts";
import type { Recorder } from "../record/recorder.ts";
import { EventQueue } from "./event-queue.ts";
import { fusedEnd, summedUsage, usageSoFar } from "./fuse-rollouts.ts";
import type { Policy } from "./policy.ts";
import { type SearchResult, toResult } from "./result.ts";
import { rotatedQueries } from "./rotated-queries.ts";
import { headerFor, passingUnits, type Run, type RunEvent, type RunLimits, type RunOptions, startRun } from "./run.ts";
import { sharedCorpus } from "./shared-search.ts";

/** Rollouts of one question. */
export const ROLLOUTS_MAX = 16;
/** Of the whole, where the caller sets none; the same as a single run's. */
const TIMEOUT_DEFAULT_MS = 600_000;
/** At which the models of rollouts sample, where the caller does not say: rollouts are to differ. */
export const ROLLOUT_TEMPERATURE = 1;
/** The tool that a parent's record names for the passages of its list. */
export const FUSION_TOOL = "fuse_rollouts";
/** Code of the notice in a parent's record that names its children. */
export const ROLLOUTS_NOTICE = "rollouts";

export interface RolloutsOptions extends Omit<RunOptions, "policy" | "recorder" | "parent"> {
  /**
   * The policy of each rollout, 2 to `ROLLOUTS_MAX`. One that keeps nothing between turns may stand for all of them.
   * `limits.timeoutMs` and `limits.costUsdMax` hold for all rollouts together, `limits.turnsMax` for each.
   */
  readonly policies: readonly Policy[];
  /** Opens the record of a run; asked once for the parent and once for each rollout. */
  readonly recorderFor: (runId: string) => Recorder;
}

/** An event of the parent or of a rollout, with the run that it belongs to; `seq` counts within that run. */
export type RolloutsEvent = RunEvent & { readonly runId: string };

/** Rollouts under way. `runId` is the parent's; `result` is told from a single run's only by its notices. */
export interface RolloutsRun extends Run, AsyncIterable<RolloutsEvent> {
  [Symbol.asyncIterator](): AsyncIterator<RolloutsEvent>;
}

/**
 * Runs a question several times at once and fuses the lists (design §5). Each rollout is a run with its own record, whose
 * id is the parent's with `.1`, `.2`, … and whose header names the parent. What makes them differ is the seed, at a
 * temperature of `ROLLOUT_TEMPERATURE` unless told; policies that no seed moves have the searches of a turn in another
 * order, all but the first rollout's. Rollouts that decided
 * alike all the same are reported in a notice. They share a cache of searches and the limits on time and cost; the cost
 * is looked at before every decision, so each rollout may go over it by one. How the whole ends: `fusedEnd`. A rollout
 * that fails costs the others nothing; if all do, the result has an `error`. Throws `invalid_argument` for a number of
 * policies out of range, and what `recorderFor` throws for the parent.
 */
export function startRollouts(options: RolloutsOptions): RolloutsRun {
  const { policies, recorderFor, ...shared } = options;
  const [first] = policies;
  if (first === undefined || policies.length < 2 || policies.length > ROLLOUTS_MAX) {
    throw new WinnowError("invalid_argument", `A search has 2 to ${ROLLOUTS_MAX} rollouts, not ${policies.length}.`);
  }
  const header = headerFor({ ...shared, policy: first });
  const queue = new EventQueue<RolloutsEvent>(passingUnits);
  const recorder = recorderFor(header.runId);
  const parent = new Parent(header, options, recorder, (event) => queue.push(event));
  const result = runAll(parent).finally(() => {
    queue.close();
    recorder.close();
  });
  // A caller may read only the events; the rejection still reaches whoever awaits `result`.
  result.catch(() => {});
  return { runId: header.runId, result, [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator]() };
}

/** Writes and publishes the parent's record. */
class Parent {
  readonly header: RecordHeader;
  readonly options: RolloutsOptions;
  readonly events: RecordEvent[] = [];
  readonly recorder: Recorder;
  readonly publish: (event: RolloutsEvent) => void;
  readonly elapsedMs: () => number;

  constructor(
    header: RecordHeader,
    options: RolloutsOptions,
    recorder: Recorder,
    publish: (event: RolloutsEvent) => void,
  ) {
    this.header = header;
    this.options = options;
    this.recorder = recorder;
    this.publish = publish;
    this.elapsedMs = stopwatch(options.clock, header.at);
  }

  emit(body: EventBody): void {
    const at = this.options.clock.now();
    const event = { seq: this.events.length + 1, at, turn: 0, ...body } as RecordEvent;
    this.recorder.append(event);
    this.events.push(event);
    this.publish({ ...event, runId: this.header.runId });
  }

  notice(code: string, message: string): void {
    this.emit({ type: "notice", code, message, shown: "never" });
  }
}

/** One rollout: what stands on its record so far, and what it has cost. */
interface Rollout {
  readonly number: number;
  readonly runId: string;
  readonly seed: number;
  readonly policy: Policy;
  readonly events: RecordEvent[];
  costUsd: number;
}

/** Rejects only when the parent's record cannot be written. */
async function runAll(parent: Parent): Promise<SearchResult> {
  const { header, options, recorder } = parent;
  const rollouts = options.policies.map((policy, i): Rollout => {
    const varied = policy.ignoresSeed === true && i > 0 ? rotatedQueries(policy, i) : policy;
    // Seeds of two searches with different base seeds never overlap, and none is 0, which leaves the choice to a server.
    const seed = header.seed * ROLLOUTS_MAX + i + 1;
    return { number: i + 1, runId: `${header.runId}.${i + 1}`, seed, policy: varied, events: [], costUsd: 0 };
  });
  recorder.append(header);
  parent.publish(header);
  const listed = rollouts.map(({ runId, seed }) => `${runId} (seed ${seed})`).join(", ");
  parent.notice(ROLLOUTS_NOTICE, `Fused from ${rollouts.length} rollouts: ${listed}.`);
  recorder.flush();
  const timeoutMs = options.limits?.timeoutMs ?? TIMEOUT_DEFAULT_MS;
  const timeUp = deadline(timeoutMs);
  const signal = options.signal === undefined ? timeUp : AbortSignal.any([options.signal, timeUp]);
  const library = {
    ...options.library,
    corpora: options.library.corpora.map((corpus) => sharedCorpus(corpus, signal)),
  };
  const failures = await Promise.all(
    rollouts.map((rollout) => runOne(rollout, parent, library, limitsOf(rollout, rollouts, options, timeoutMs))),
  );
  conclude(parent, rollouts, failures);
  recorder.flush();
  return toResult(header, parent.events, parent.events.at(-1) as EndEvent, recorder.location);
}

/** Runs a rollout to its end. Never rejects: a rollout whose record cannot be written is a failure of its own. */
async function runOne(
  rollout: Rollout,
  { header, options, publish }: Parent,
  library: RunOptions["library"],
  limits: RunLimits,
): Promise<WinnowError | undefined> {
  const { policies: _, recorderFor, ...shared } = options;
  const { runId, seed, policy } = rollout;
  const { temperature = ROLLOUT_TEMPERATURE } = options;
  try {
    const recorder = watching(recorderFor(runId), rollout);
    const run = startRun({
      ...shared,
      library,
      policy,
      recorder,
      runId,
      seed,
      temperature,
      limits,
      parent: header.runId,
    });
    for await (const event of run) publish({ ...event, runId });
    await run.result;
    return undefined;
  } catch (error) {
    return toWinnowError(error, "store_failed");
  }
}

/** Keeps what is written. A cost counts even if its event is lost: the money is spent. */
function watching(recorder: Recorder, rollout: Rollout): Recorder {
  return {
    location: recorder.location,
    append(line) {
      if (line.type === "decision") rollout.costUsd += line.usage?.costUsd ?? 0;
      recorder.append(line);
      if (line.type !== "header") rollout.events.push(line);
    },
    flush: () => recorder.flush(),
    close: () => recorder.close(),
  };
}

/** A rollout may spend what the others have not; the run reads its limit before every turn. */
function limitsOf(
  rollout: Rollout,
  rollouts: readonly Rollout[],
  { limits }: RolloutsOptions,
  timeoutMs: number,
): RunLimits {
  const { costUsdMax, ...each } = { ...limits, timeoutMs };
  if (costUsdMax === undefined) return each;
  return {
    ...each,
    get costUsdMax() {
      return rollouts.reduce((left, other) => (other === rollout ? left : left - other.costUsd), costUsdMax);
    },
  };
}

function conclude(parent: Parent, rollouts: readonly Rollout[], failures: readonly (WinnowError | undefined)[]): void {
  const { header } = parent;
  const ends = rollouts.map(({ events }) => endOf(events));
  const fused = fusedEnd(
    ends.filter((end) => end !== undefined),
    header.documentsMax,
  );
  for (const { code, message } of noticesOf(rollouts)) parent.notice(code, message);
  for (const [i, rollout] of rollouts.entries()) {
    const why = earlyEnd(ends[i], failures[i]);
    if (why !== undefined) {
      parent.notice("rollout_unfinished", `Rollout ${rollout.number} of ${rollouts.length} ended early: ${why}`);
    }
  }
  if (decidedAlike(rollouts)) {
    const message = `All ${rollouts.length} rollouts decided alike: together they say no more than one of them.`;
    parent.notice("rollouts_alike", message);
  }
  emitPassages(parent, fused.documents, rollouts);
  const seconds = parent.elapsedMs() / 1000;
  const usage = summedUsage(
    rollouts.map(({ events }, i) => ends[i]?.usage ?? usageSoFar(events)),
    seconds,
  );
  const error = fused.stopReason.endsWith("_error") ? firstError(ends, failures) : undefined;
  parent.emit({ type: "end", ...fused, usage, ...(error === undefined ? {} : { error }) });
}

function endOf(events: readonly RecordEvent[]): EndEvent | undefined {
  const last = events.at(-1);
  return last?.type === "end" ? last : undefined;
}

/** What the rollouts have to tell the caller, each message once. */
function noticesOf(rollouts: readonly Rollout[]): { code: string; message: string }[] {
  const notices = new Map<string, { code: string; message: string }>();
  for (const event of rollouts.flatMap(({ events }) => events)) {
    if (event.type !== "notice" || event.shown !== "never" || notices.has(event.message)) continue;
    notices.set(event.message, { code: event.code, message: event.message });
  }
  return [...notices.values()];
}

/** Why a rollout ended before its policy was done; the caller knows of a cancellation. */
function earlyEnd(end: EndEvent | undefined, failure: WinnowError | undefined): string | undefined {
  if (end === undefined) return failure?.message ?? "its record has no end.";
  if (end.stopReason === "finished" || end.stopReason === "cancelled") return undefined;
  return `${end.stopReason.replaceAll("_", " ")}${end.error === undefined ? "." : `: ${end.error.message}`}`;
}

function firstError(
  ends: readonly (EndEvent | undefined)[],
  failures: readonly (WinnowError | undefined)[],
): EndEvent["error"] {
  const errors = ends.map((end, i) => end?.error ?? failures[i]);
  const first = errors.find((error) => error !== undefined);
  if (first === undefined) return { code: "policy_failed", message: "No rollout made a list of its own." };
  const { code, message, hint } = first;
  const told = `No rollout of ${ends.length} made a list of its own. The first failure: ${message}`;
  return { code, message: told, ...(hint === undefined ? {} : { hint }) };
}

/** True when every rollout made the same decisions, the order of the calls of a turn aside. */
function decidedAlike(rollouts: readonly Rollout[]): boolean {
  const ways = rollouts.map(({ events }) => {
    const decisions = events.filter((event) => event.type === "decision");
    return decisions.map(({ finishReason, reasoning, text, calls }) => {
      const written = calls.map((call) => JSON.stringify([call.tool, call.raw ?? call.arguments])).sort();
      return [finishReason, reasoning, text, written];
    });
  });
  if (ways.some((decisions) => decisions.length === 0)) return false;
  return new Set(ways.map((decisions) => JSON.stringify(decisions))).size === 1;
}

/** Puts the text of the listed chunks on the parent's record, so that it opens without its children's. */
function emitPassages(parent: Parent, documents: readonly RecordedDocument[], rollouts: readonly Rollout[]): void {
  const known = new Map<string, RecordedChunk>();
  for (const event of rollouts.flatMap(({ events }) => events)) {
    if (event.type === "tool_result" || event.type === "end")
      for (const chunk of event.chunks ?? []) known.set(chunk.key, chunk);
  }
  const keys = documents.flatMap((document) => document.chunks);
  const chunks = keys.map((key) => known.get(key)).filter((chunk) => chunk !== undefined);
  parent.emit({
    type: "tool_result",
    callId: FUSION_TOOL,
    tool: FUSION_TOOL,
    chunks,
    hits: chunks.map(({ key }) => ({ key })),
    alreadyShown: [],
    hiddenPruned: [],
    omitted: 0,
  });
}
