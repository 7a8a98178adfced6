import { setTimeout as delay } from "node:timers/promises";
import type { Outcome, Target } from "./targets.ts";

const SAMPLE_EVERY_MS = 250;
/** How long the last outcome is waited for. What has none by then counts as lost. */
const DRAIN_MS_MAX = 300_000;

/** What a load came to. */
export interface Load {
  readonly target: Target;
  /** Requests a second that were to be sent; undefined where each waits for the one before it. */
  readonly rate: number | undefined;
  readonly seconds: number;
  readonly issued: number;
  /** Of these, settled in any way when everything had been waited for. */
  settled: number;
  /** Requests under way when the last one was sent. */
  backlog: number;
  /** From when it was due to the answer, milliseconds; of answers only. */
  readonly latencies: number[];
  /** Answers while requests were being sent. */
  inTime: number;
  refused: number;
  /** Refused without a word on when to come again. */
  refusedBlankly: number;
  /** Answers that differ from what the same question is answered at rest. */
  different: number;
  /** Everything but answers, by code. */
  readonly codes: Map<string, number>;
  readonly rss: { readonly atMs: number; readonly bytes: number }[];
  readonly pulses: number[];
  /** Processor time of the process that answers, from the first request to the last outcome. */
  cpuMs: number;
  /** From the first request to the last outcome. */
  drainedSeconds: number;
}

export interface LoadOptions {
  /** For how long requests are sent. */
  readonly seconds: number;
  /** Requests a second; left out where each waits for the one before it. */
  readonly rate?: number;
  /** How long the last outcome is waited for; default five minutes. */
  readonly drainMsMax?: number;
}

/** The answers at rest, by number of the question; only these questions are asked. Empty: all, and nothing is compared. */
export type Known = ReadonlyMap<number, string>;

/** Asks each of the first questions once, a few at a time. Rejects where one is not answered. */
export async function answersAtRest(target: Target, questions: number): Promise<Map<number, string>> {
  const known = new Map<number, string>();
  let next = 0;
  const one = async (): Promise<void> => {
    for (let number = next++; number < questions; number = next++) {
      const outcome = await target.ask(number);
      if (outcome.kind !== "answer") throw new Error(`At rest question ${number} was answered with ${outcome.code}.`);
      known.set(number, outcome.answer);
    }
  };
  await Promise.all([one(), one()]);
  return known;
}

/** `clients` that ask one question after the other. */
export async function closedLoop(
  target: Target,
  known: Known,
  { clients, ...options }: LoadOptions & { readonly clients: number },
): Promise<Load> {
  const watch = new Watch(target, known, options);
  const until = performance.now() + 1000 * options.seconds;
  let next = 0;
  await watch.during(async () => {
    const client = async (): Promise<void> => {
      while (performance.now() < until) await watch.ask(next++, performance.now());
    };
    await Promise.all(Array.from({ length: clients }, client));
  });
  return watch.load;
}

/**
 * Sends so many requests a second whatever becomes of them, evenly, as callers do that do not know of each other, and
 * waits for all. What comes late because the generator itself was held up counts from when it was due.
 */
export async function openLoop(
  target: Target,
  known: Known,
  options: LoadOptions & { readonly rate: number },
): Promise<Load> {
  const { rate, seconds } = options;
  const watch = new Watch(target, known, options);
  const started = performance.now();
  const total = Math.max(1, Math.round(rate * seconds));
  const sent: Promise<void>[] = [];
  await watch.during(async () => {
    while (sent.length < total) {
      const due = started + (1000 * sent.length) / rate;
      const now = performance.now();
      if (due > now) await delay(Math.max(1, due - now));
      else {
        sent.push(watch.ask(sent.length, due));
        // What is under way must get its turns, however late the generator is.
        if (sent.length % 32 === 0) await new Promise<void>((resume) => setImmediate(resume));
      }
    }
    watch.load.backlog = sent.length - watch.load.settled;
    await Promise.all(sent);
  });
  return watch.load;
}

class Watch {
  readonly load: Load & { issued: number };
  readonly #known: Known;
  readonly #endMs: number;
  readonly #drainMsMax: number;

  constructor(target: Target, known: Known, { rate, seconds, drainMsMax = DRAIN_MS_MAX }: LoadOptions) {
    this.#known = known;
    this.#drainMsMax = drainMsMax;
    this.#endMs = performance.now() + 1000 * seconds;
    this.load = {
      target,
      rate,
      seconds,
      issued: 0,
      settled: 0,
      backlog: 0,
      latencies: [],
      inTime: 0,
      refused: 0,
      refusedBlankly: 0,
      different: 0,
      codes: new Map(),
      rss: [],
      pulses: [],
      cpuMs: 0,
      drainedSeconds: 0,
    };
  }

  async ask(number: number, dueMs: number): Promise<void> {
    this.load.issued++;
    const asked = this.#known.size === 0 ? number : number % this.#known.size;
    this.#count(asked, await this.load.target.ask(asked), dueMs);
  }

  #count(number: number, outcome: Outcome, dueMs: number): void {
    const { load } = this;
    const now = performance.now();
    load.settled++;
    if (outcome.kind === "answer") {
      load.latencies.push(now - dueMs);
      if (now <= this.#endMs) load.inTime++;
      if (this.#known.size > 0 && this.#known.get(number) !== outcome.answer) load.different++;
      return;
    }
    load.codes.set(outcome.code, (load.codes.get(outcome.code) ?? 0) + 1);
    if (outcome.kind === "refused") {
      load.refused++;
      if (!outcome.isToldWhen) load.refusedBlankly++;
    }
  }

  /** Samples memory and pulse as long as the work goes on. */
  async during(work: () => Promise<void>): Promise<void> {
    const { load } = this;
    const [started, cpuMs] = [performance.now(), load.target.cpuMs()];
    let isOver = false;
    const sampling = (async () => {
      while (!isOver) {
        load.rss.push({ atMs: performance.now() - started, bytes: load.target.rssBytes() });
        load.pulses.push(await load.target.pulse());
        await delay(SAMPLE_EVERY_MS);
      }
    })();
    const overdue = new AbortController();
    const { signal } = overdue;
    await Promise.race([work(), delay(1000 * load.seconds + this.#drainMsMax, undefined, { signal })]);
    overdue.abort();
    load.cpuMs = load.target.cpuMs() - cpuMs;
    load.drainedSeconds = (performance.now() - started) / 1000;
    isOver = true;
    await sampling;
  }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
