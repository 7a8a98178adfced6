import { randomBytes } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import type { RecordEvent, RecordHeader } from "../record/events.ts";
import { RECORD_SCHEMA } from "../record/events.ts";
import type { Recorder } from "../record/recorder.ts";
import { EventQueue } from "./event-queue.ts";
import type { Policy } from "./policy.ts";
import { hashOf, type Profile } from "./profiles/profile.ts";
import { type SearchResult, toResult } from "./result.ts";
import { Session } from "./session.ts";
import type { Library } from "./tools/retrieve.ts";
import { toolSchemas } from "./tools/tool-schemas.ts";

export interface RunLimits {
  /** Decisions at most; default the profile's. */
  readonly turnsMax?: number;
  /** Wall-clock limit of the run, milliseconds; default 10 minutes. */
  readonly timeoutMs?: number;
  /** Cost limit in US dollars, where the policy reports a cost. */
  readonly costUsdMax?: number;
}

export interface RunOptions {
  readonly query: string;
  readonly library: Library;
  /** Corpora for the header, with the generation that the run begins with. */
  readonly corpora: RecordHeader["corpora"];
  readonly steering: RecordHeader["steering"];
  readonly policy: Policy;
  readonly profile: Profile;
  readonly counter: TokenCounter;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** Version of Winnow, written into the record. */
  readonly harness: string;
  readonly runId?: string;
  readonly seed?: number;
  /** At which a model samples, 0 to 2; left out: the policy's own. */
  readonly temperature?: number;
  /** Longest final list; at most the profile's. */
  readonly documentsMax?: number;
  readonly limits?: RunLimits;
  readonly signal?: AbortSignal;
  readonly parent?: string;
}

/** What a reader of a run sees: the record's lines as they are written, and pieces of text as they arrive. */
export type RunEvent =
  | RecordHeader
  | RecordEvent
  | { readonly type: "reasoning_delta" | "text_delta"; readonly turn: number; readonly delta: string };

/** What a piece of text that arrives holds besides its characters, bytes. */
const PIECE_BYTES = 100;

/** For the queue: pieces of text may be missed, lines of the record may not. */
export function passingUnits(event: RunEvent): number {
  return event.type === "text_delta" || event.type === "reasoning_delta" ? PIECE_BYTES + event.delta.length : 0;
}

/**
 * A run under way. It goes on whether or not anybody reads its events. Whoever leaves more than about a million
 * characters of `text_delta` and `reasoning_delta` unread misses the older ones; what they made up stands in `decision`.
 */
export interface Run extends AsyncIterable<RunEvent> {
  readonly runId: string;
  /** Never rejects because of what a policy did; rejects when the record cannot be written. */
  readonly result: Promise<SearchResult>;
}

/** Odd, so that adding it over and over comes by all numbers of 32 bits before one comes again. */
const RUN_NUMBER_STEP = 0x9e3779b1;
let runNumber = randomBytes(4).readUInt32BE();

/**
 * Sorts by time: UTC time to the millisecond, then 32 bits that begin at random in each process and never repeat in it: of
 * a thousand runs that begin at once, random ones would be the same once in ten thousand times.
 */
export function newRunId(now: number): string {
  const time = new Date(now).toISOString().replace(/[-:.Z]/g, "");
  runNumber = (runNumber + RUN_NUMBER_STEP) >>> 0;
  return `${time}-${runNumber.toString(16).padStart(8, "0")}`;
}

/** The first line of a run's record. */
export function headerFor(options: Omit<RunOptions, "library" | "recorder" | "signal">): RecordHeader {
  const { profile, policy } = options;
  const at = options.clock.now();
  const documentsMax = Math.min(options.documentsMax ?? profile.documentsMax, profile.documentsMax);
  return {
    type: "header",
    schema: RECORD_SCHEMA,
    runId: options.runId ?? newRunId(at),
    at,
    harness: options.harness,
    query: options.query,
    corpora: options.corpora,
    policy: { name: policy.name, ...(policy.model === undefined ? {} : { model: policy.model }) },
    profile: JSON.parse(JSON.stringify(profile)),
    hashes: { profile: hashOf(profile), prompt: hashOf(profile.prompt), tools: hashOf(toolSchemas(profile)) },
    tokenCounter: options.counter.name,
    seed: options.seed ?? 0,
    documentsMax,
    steering: options.steering,
    turnsMax: options.limits?.turnsMax ?? profile.turnsMax,
    ...(options.parent === undefined ? {} : { parent: options.parent }),
  };
}

/** Starts a run of the agent on one question (design §5). */
export function startRun(options: RunOptions): Run {
  const header = headerFor(options);
  const queue = new EventQueue<RunEvent>(passingUnits);
  const session = new Session(header, options, (event) => queue.push(event));
  const result = session
    .run()
    .then((end) => toResult(header, session.events, end, options.recorder.location))
    .finally(() => {
      queue.close();
      options.recorder.close();
    });
  // A caller may read only the events; the rejection still reaches whoever awaits `result`.
  result.catch(() => {});
  return { runId: header.runId, result, [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator]() };
}
