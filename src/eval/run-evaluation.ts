import { createHash } from "node:crypto";
import { join } from "node:path";
import { EventQueue } from "../agent/event-queue.ts";
import { type Clock, seededRandom, systemClock } from "../core/clock.ts";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { oneLine } from "../core/text.ts";
import { lockWriter, type WriterLock } from "../retrieval/corpus/writer-lock.ts";
import type { Dataset, DatasetQuery } from "./dataset.ts";
import { type EvaluationHeader, ResultsFile, readEvaluation } from "./evaluation-files.ts";
import { type EvaluationRow, evaluationRow } from "./evaluation-row.ts";
import { ndcgAt } from "./metrics.ts";
import { checkedAnswer } from "./outcome-schema.ts";
import { failureScores, goldFields, type QueryOutcome, type SystemAnswer, scoreAnswer } from "./query-outcome.ts";

export const CONCURRENCY_MAX = 64;
export const K_MAX = 1_000;
const LOCK_FILE = "writer.lock";

/** The thing that is evaluated. What it throws counts as a failure of that query. */
export type EvaluatedSystem = (query: DatasetQuery, signal: AbortSignal) => Promise<SystemAnswer>;

export interface EvaluateOptions {
  readonly dataset: Dataset;
  readonly system: EvaluatedSystem;
  /** The `evaluations` folder; this one gets a folder of its id in it. */
  readonly folder: string;
  /** Names for the row: what decides, how the harness talks to it, how it retrieves. */
  readonly policy: string;
  readonly profile: string;
  readonly retrieval: string;
  /** How many documents of an answer are judged by recall, precision and f1, 1 to `K_MAX`. */
  readonly k: number;
  /** An evaluation to go on with, or the name of a new one; default a new name. Letters, digits, `.`, `_`, `-`. */
  readonly id?: string;
  /** How many queries run at once, 1 to `CONCURRENCY_MAX`; default 1. */
  readonly concurrency?: number;
  /** Decides the order of queries; default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export type EvaluationEvent =
  | { readonly type: "start"; readonly id: string; readonly queries: number; readonly finished: number }
  | { readonly type: "query_start"; readonly query: string }
  | { readonly type: "query_end"; readonly outcome: QueryOutcome; readonly finished: number; readonly queries: number };

/** A running evaluation: iterate it for events, await `result` for the row. */
export interface Evaluation extends AsyncIterable<EvaluationEvent> {
  readonly id: string;
  readonly result: Promise<EvaluationRow>;
}

/**
 * Runs a system on every query of a dataset. Each outcome is on disk before it is reported. Given the id of an earlier
 * evaluation with the same settings, it goes on where that one stopped: finished queries are not run again, failed ones
 * are. One process at a time: `result` rejects with `evaluation_locked` when another one runs this id, with `cancelled`
 * when the signal aborts (what was finished is kept), with `invalid_argument` when the id belongs to an evaluation with
 * other settings, and with `record_corrupt` when that one is damaged.
 */
export function evaluate(options: EvaluateOptions): Evaluation {
  const clock = options.clock ?? systemClock;
  const startedAt = clock.now();
  const id = options.id ?? newId(options, startedAt);
  const events = new EventQueue<EvaluationEvent>();
  const result = runAll(options, clock, headerOf(options, id, startedAt), events)
    .catch((error: unknown) => {
      throw options.signal?.aborted ? toWinnowError(options.signal.reason, "cancelled") : toWinnowError(error);
    })
    .finally(() => events.close());
  // Callers may iterate first and await the result later.
  result.catch(() => undefined);
  return { id, result, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() };
}

function headerOf(options: EvaluateOptions, id: string, startedAt: number): EvaluationHeader {
  const { dataset, policy, profile, retrieval, k, seed = 0 } = options;
  return {
    schema: "evaluation-header/1",
    id,
    startedAt,
    dataset: dataset.name,
    datasetHash: dataset.hash,
    policy,
    profile,
    retrieval,
    k,
    seed,
    queries: dataset.queries.length,
  };
}

async function runAll(
  options: EvaluateOptions,
  clock: Clock,
  header: EvaluationHeader,
  events: EventQueue<EvaluationEvent>,
): Promise<EvaluationRow> {
  checkOptions(options, header.id);
  options.signal?.throwIfAborted();
  const folder = join(options.folder, header.id);
  const lock = await lockWriter(
    join(folder, LOCK_FILE),
    () => clock.now(),
    undefined,
    (who) => lockedBy(who, header.id),
  );
  try {
    return await runLocked(options, clock, header, folder, lock, events);
  } finally {
    await lock.release();
  }
}

async function runLocked(
  options: EvaluateOptions,
  clock: Clock,
  header: EvaluationHeader,
  folder: string,
  lock: WriterLock,
  events: EventQueue<EvaluationEvent>,
): Promise<EvaluationRow> {
  const { dataset, signal } = options;
  const stored = await readEvaluation(folder);
  if (stored !== undefined) checkSame(stored.header, header);
  const outcomes = new Map([...(stored?.outcomes ?? [])].filter(([, { answer }]) => answer !== null));
  const waiting = shuffled(dataset.queries, header.seed).filter(({ id }) => !outcomes.has(id));
  events.push({ type: "start", id: header.id, queries: dataset.queries.length, finished: outcomes.size });
  await lock.verify();
  const file = await ResultsFile.open(folder, header, stored === undefined);
  // When one worker fails (a full disk, a cancellation), the others stop as well.
  const stop = new AbortController();
  const runSignal = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const work = async () => {
    for (let query = waiting.shift(); query !== undefined; query = waiting.shift()) {
      runSignal.throwIfAborted();
      events.push({ type: "query_start", query: query.id });
      const outcome = await runQuery(options, query, clock, runSignal);
      await lock.verify();
      await file.append(outcome);
      outcomes.set(query.id, outcome);
      events.push({ type: "query_end", outcome, finished: outcomes.size, queries: dataset.queries.length });
    }
  };
  try {
    for (const outcome of withNdcg(outcomes, dataset)) {
      await file.append(outcome);
      outcomes.set(outcome.query, outcome);
    }
    const workers = Array.from({ length: options.concurrency ?? 1 }, () => work());
    for (const worker of workers) worker.catch((error: unknown) => stop.abort(error));
    const ends = await Promise.allSettled(workers);
    runSignal.throwIfAborted();
    const failure = ends.find((end) => end.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  } finally {
    await file.close();
  }
  // In the dataset's order, so that a resumed evaluation adds up to the same last digit.
  return evaluationRow(
    stored?.header ?? header,
    dataset.queries.flatMap(({ id }) => outcomes.get(id) ?? []),
  );
}

/** Outcomes from before nDCG was measured, with it. */
function withNdcg(outcomes: ReadonlyMap<string, QueryOutcome>, { queries }: Dataset): QueryOutcome[] {
  return queries.flatMap(({ id, gold }) => {
    const outcome = outcomes.get(id);
    if (outcome === undefined || outcome.answer === null || outcome.scores.ndcgAt !== null) return [];
    const scores = { ...outcome.scores, ndcgAt: { "10": ndcgAt(outcome.answer.documents, gold, 10) } };
    return [{ ...outcome, ...goldFields(gold), scores }];
  });
}

async function runQuery(
  options: EvaluateOptions,
  query: DatasetQuery,
  clock: Clock,
  signal: AbortSignal,
): Promise<QueryOutcome> {
  const base = { query: query.id, ...goldFields(query.gold) };
  try {
    const answer = checkedAnswer(await options.system(query, signal));
    if (answer === undefined) throw new WinnowError("internal", "The system gave a malformed answer.");
    const listed = query.answers.length === 0 ? [] : await listedTexts(options, answer.documents);
    const scores = scoreAnswer(answer, query, options.k, listed);
    return { ...base, at: clock.now(), answer, error: null, scores };
  } catch (cause) {
    // A query that was cut short by cancelling has neither succeeded nor failed.
    signal.throwIfAborted();
    const { code, message } = toWinnowError(cause);
    const error = { code, message: oneLine(message, 500) };
    return { ...base, at: clock.now(), answer: null, error, scores: failureScores(query) };
  }
}

async function listedTexts({ dataset, k }: EvaluateOptions, documents: readonly string[]): Promise<string[]> {
  const texts = await Promise.all([...new Set(documents)].slice(0, k).map((id) => dataset.documentText(id)));
  return texts.filter((text) => text !== undefined);
}

function checkOptions({ k, concurrency = 1, seed = 0 }: EvaluateOptions, id: string): void {
  const whole = (value: number, low: number, high: number) => Number.isInteger(value) && value >= low && value <= high;
  const refuse = (message: string) => new WinnowError("invalid_argument", message);
  if (!whole(k, 1, K_MAX)) throw refuse(`k must be a whole number from 1 to ${K_MAX}.`);
  if (!whole(concurrency, 1, CONCURRENCY_MAX)) throw refuse(`concurrency must be from 1 to ${CONCURRENCY_MAX}.`);
  if (!Number.isSafeInteger(seed)) throw refuse("seed must be a whole number.");
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(id)) {
    throw refuse(`"${oneLine(id, 60)}" cannot be the id of an evaluation; use letters, digits, ".", "_" and "-".`);
  }
}

function lockedBy(who: string, id: string): WinnowError {
  return new WinnowError("evaluation_locked", `The evaluation ${id} is being run by ${who}.`, {
    hint: `Wait until it ends, or begin a new one. If that process is gone for good, delete ${LOCK_FILE} in the evaluation's folder.`,
    retryable: true,
  });
}

/** Outcomes under other settings must not be mixed into one mean. */
function checkSame(stored: EvaluationHeader, wanted: EvaluationHeader): void {
  for (const field of ["datasetHash", "policy", "profile", "retrieval", "k"] as const) {
    if (stored[field] === wanted[field]) continue;
    throw new WinnowError(
      "invalid_argument",
      `The evaluation ${wanted.id} was begun with ${field} ${oneLine(String(stored[field]), 60)}, not ${oneLine(String(wanted[field]), 60)}.`,
      { hint: "Use the same settings to go on with it, or another id to begin a new one." },
    );
  }
}

function shuffled(queries: readonly DatasetQuery[], seed: number): DatasetQuery[] {
  const random = seededRandom(seed);
  const order = [...queries];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [order[i], order[j]];
    if (a !== undefined && b !== undefined) [order[i], order[j]] = [b, a];
  }
  return order;
}

/** Sorts by time, and two that begin in the same second differ by what they evaluate. */
function newId({ dataset, policy, profile, retrieval, k }: EvaluateOptions, startedAt: number): string {
  const time = new Date(startedAt).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const settings = JSON.stringify([dataset.hash, policy, profile, retrieval, k, startedAt]);
  return `${time}-${createHash("sha256").update(settings).digest("hex").slice(0, 6)}`;
}
