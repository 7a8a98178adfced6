import { setTimeout as sleep } from "node:timers/promises";
import type { MayRead } from "../config/leave.ts";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { plural } from "../core/text.ts";
import type { CorpusScope } from "../features/open-corpora.ts";
import { watchConfigured } from "../features/watch-configured.ts";
import { type RefreshedEvent, type WatchEvent, watchCorpus } from "../features/watch-corpus.ts";
import { changesText } from "./changes-text.ts";
import type { Output } from "./output.ts";
import type { CommandScope } from "./program.ts";

/** A refresh that is under way when the process is told to end may take this long to reach its next commit. */
const ENDING_MS = 30_000;
const LOCK_RETRY_MS = 1_000;
const INTERRUPTED_EXIT = 130;

export interface WatchedCorpora {
  /** Folder of the index of files; undefined where it is not meant. */
  readonly own: string | undefined;
  /** Configured corpora. */
  readonly names: readonly string[];
}

/**
 * Keeps corpora up to date until a signal ends the command: 130 after SIGINT, as for every command that is interrupted,
 * and 0 after SIGTERM, which is how a service is told to end.
 */
export async function watchIndex(
  { own, names }: WatchedCorpora,
  place: { readonly corpusScope: CorpusScope; readonly mayRead: MayRead },
  scope: CommandScope,
): Promise<number> {
  const { output, signal } = scope;
  const { corpusScope, mayRead } = place;
  scope.allowGrace(ENDING_MS);
  let isTerminated = false;
  process.once("SIGTERM", () => {
    isTerminated = true;
  });
  const watches = names.map((name) => ({
    corpus: name,
    events: watchConfigured({ scope: corpusScope, name, mayRead, signal }) as AsyncIterable<WatchEvent>,
  }));
  if (own !== undefined) {
    watches.unshift({ corpus: own, events: watchCorpus({ folder: own, paths: [], mayRead, signal }) });
  }
  const failures = await Promise.all(watches.map(({ events }) => follow(events, watches.length > 1, output)));
  if (signal.aborted) return isTerminated ? 0 : INTERRUPTED_EXIT;
  throw failures[0] ?? new WinnowError("internal", "A watch ended by itself.");
}

/** Prints what a watch tells. Resolves with what ended it, where that was not the signal. */
async function follow(
  events: AsyncIterable<WatchEvent>,
  hasOthers: boolean,
  output: Output,
): Promise<WinnowError | undefined> {
  try {
    for await (const event of events) {
      if (output.json) output.printJsonLine(reported(event));
      else output.say(lineOf(event, output));
    }
    return undefined;
  } catch (error) {
    const failure = toWinnowError(error);
    // The others go on.
    if (hasOthers) output.say(output.style("yellow", `not watched: ${failure.message} ${failure.hint ?? ""}`));
    return failure;
  }
}

function reported(event: WatchEvent): unknown {
  const { type, corpus } = event;
  const head = { schema: "watch/1", type, corpus, at: new Date().toISOString() };
  if (event.type === "notice") return { ...head, message: event.message };
  if (event.type === "failed") {
    const { code, message, hint } = event.error;
    return { ...head, error: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
  return { ...head, cause: event.cause, delaySeconds: event.delaySeconds, ...event.summary };
}

function lineOf(event: WatchEvent, output: Output): string {
  const time = output.style("dim", new Date().toTimeString().slice(0, 8));
  const head = `${time} ${event.corpus}:`;
  if (event.type === "notice") return output.style("yellow", `${head} ${event.message}`);
  if (event.type === "failed")
    return output.style("yellow", `${head} ${event.error.message} ${event.error.hint ?? ""}`);
  const failed = event.summary.failures.map(({ key, message }) =>
    output.style("yellow", `\n  failed: ${key}: ${message}`),
  );
  return `${head} ${refreshText(event)}${failed.join("")}`;
}

function refreshText({ cause, summary, delaySeconds }: RefreshedEvent): string {
  const done = changesText(summary) || "up to date";
  const total = plural(summary.documents, "document");
  const begin = cause === "start" ? "watching; " : "";
  return `${begin}${done}, ${total}, ${delaySeconds.toFixed(1)} s`;
}

/** Does the work once nobody else writes to the index. */
export async function whenUnlocked<T>(work: () => Promise<T>, { output, signal }: CommandScope): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const failure = toWinnowError(error);
      if (failure.code !== "corpus_locked") throw error;
      if (tries === 0) output.say(output.style("yellow", `${failure.message} Waiting for it to end.`));
      await sleep(LOCK_RETRY_MS, undefined, { signal });
    }
  }
}
