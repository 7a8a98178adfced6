import { setTimeout as delay } from "node:timers/promises";
import type { SearchResult } from "../../agent/result.ts";
import type { Run } from "../../agent/run.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { briefInWorkspace } from "../../features/ask-workspace.ts";
import { searchWorkspace } from "../../features/search-workspace.ts";
import { traceRun } from "../../features/tracing/trace-run.ts";
import type { Span } from "../../features/tracing/tracer.ts";
import { brief, searchResult } from "../answers.ts";
import type { EventStream } from "../event-stream.ts";
import { errorBody, isOwnFault } from "../failure.ts";
import { briefBody, searchBody } from "../requests.ts";
import { json, route, type Service } from "../route.ts";

const EVENTS = "text/event-stream";
/** Time that a client has to read what is left of a stream when its run has ended. */
const DRAIN_MS_MAX = 60_000;
/** After which a stream begins, so that proxies and clients see that something is going on. */
const QUIET_MS_MAX = 2_000;

/** A run of the agent; its events as they come, or its result. */
export const searchRoute = route({
  method: "POST",
  path: "/v1/search",
  operation: "search",
  summary:
    "Finds the documents that answer a question, in several hops. As a stream, each event of the run's record comes as one message, then `result` with the same object that is the answer otherwise, or `error`.",
  body: searchBody,
  answers: { "application/json": searchResult, [EVENTS]: undefined },
  errors: [404, 429, 502, 503],
  async handle(call, service) {
    const { query, k, timeoutMs, rollouts = 1, stream, ...steering } = call.body;
    if (rollouts > service.rolloutsMax) {
      throw new WinnowError("forbidden", `This server runs a question at most ${service.rolloutsMax} times at once.`, {
        hint: "Ask for fewer rollouts; the operator sets the limit with --max-rollouts.",
      });
    }
    call.describe(query);
    const begin = async (leave: () => void): Promise<Begun> => {
      const started = performance.now();
      try {
        const allowedMs = 1000 * call.workspace.settings.timeoutSeconds;
        const run = await searchWorkspace(call.workspace, {
          ...steering,
          question: query,
          documents: k,
          rollouts,
          limits: { timeoutMs: Math.min(timeoutMs ?? allowedMs, allowedMs) },
          signal: call.signal,
        });
        const result = counted(run, service, call.span, started).finally(leave);
        // Whoever waits for it is told; a client that is gone by then is not.
        result.catch(() => {});
        return { run, result };
      } catch (error) {
        leave();
        throw error;
      }
    };
    const begun = service.runs.enter(call.signal).then(begin);
    if (stream !== true && !call.accepts(EVENTS)) return json(await (await begun).result);
    // What is wrong is told by a status; a stream that has to wait for its turn begins without its run.
    await Promise.race([begun, delay(QUIET_MS_MAX, undefined, { ref: false })]);
    return { kind: "events", write: (events) => writeRun(events, begun, service) };
  },
});

interface Begun {
  readonly run: Run;
  readonly result: Promise<SearchResult>;
}

/** The result as callers get it; the run is counted and traced. */
async function counted(run: Run, { metrics, tracer }: Service, span: Span, started: number): Promise<SearchResult> {
  metrics.runsStarted.add();
  if (tracer.isOn) void traceRun(tracer, run, span.context);
  try {
    const result = await run.result;
    const { stopReason, usage } = result;
    metrics.runsEnded.add({ stop_reason: stopReason });
    metrics.tokens.add({ kind: "prompt" }, usage.promptTokens);
    metrics.tokens.add({ kind: "completion" }, usage.completionTokens);
    metrics.tokens.add({ kind: "cached" }, usage.cachedTokens);
    metrics.pruned.add({}, usage.prunedChunks);
    return { ...result, recordPath: null };
  } catch (error) {
    metrics.runsEnded.add({ stop_reason: "failed" });
    throw error;
  } finally {
    metrics.run.observe((performance.now() - started) / 1000);
  }
}

async function writeRun(events: EventStream, begun: Promise<Begun>, { onError, metrics }: Service): Promise<void> {
  try {
    const { run, result } = await begun;
    const drain = (): void => events.endWithin(DRAIN_MS_MAX);
    result.then(drain, drain);
    for await (const event of run) await events.send(event.type, event);
    await events.send("result", await result);
  } catch (thrown) {
    const error = toWinnowError(thrown);
    if (isOwnFault(error)) onError(thrown);
    if (error.code !== "cancelled") metrics.refused.add({ code: error.code });
    // Nobody is told who is gone.
    await events.send("error", errorBody(error));
  }
}

export const briefRoute = route({
  method: "POST",
  path: "/v1/brief",
  operation: "brief",
  summary: "The working set of a task in three groups: load before you begin, keep at hand, ignore.",
  body: briefBody,
  answers: { "application/json": brief },
  errors: [404, 429, 502, 503],
  async handle({ body, workspace, signal, span, describe }, service) {
    describe(body.task);
    const leave = await service.runs.enter(signal);
    const started = performance.now();
    // What becomes of the run is the answer's to say.
    const onRun = (run: Run): void => void counted(run, service, span, started).catch(() => {});
    try {
      return json({ ...(await briefInWorkspace(workspace, { ...body, signal, onRun })), recordPath: null });
    } finally {
      leave();
    }
  },
});
