import type { Run, RunEvent } from "../../agent/run.ts";
import type { DecisionEvent, EndEvent, RecordEvent, RecordHeader, ToolResultEvent } from "../../record/events.ts";
import type { Attributes, Span, SpanContext, Tracer } from "./tracer.ts";

/**
 * Follows a run and makes a span of it below `parent`, with one for each turn, each answer of a model and each tool call
 * below that; rollouts get spans of their own. Names are those of OpenTelemetry's conventions for generative AI where they
 * have one. No text of a question, a document or a model stands in any. Never rejects.
 */
export async function traceRun(tracer: Tracer, run: Run, parent: SpanContext): Promise<void> {
  const spans = new Map<string, RunSpans>();
  try {
    for await (const event of run) {
      const runId = "runId" in event && typeof event.runId === "string" ? event.runId : run.runId;
      if (event.type === "header") spans.set(runId, startedRun(tracer, event, spans, parent));
      else if (isLine(event)) spans.get(runId)?.see(event);
    }
    await run.result;
  } catch {
    for (const one of spans.values()) one.abandon();
  }
  for (const one of spans.values()) one.close();
}

/** Pieces of text are no lines of the record, and nothing of them is traced. */
function isLine(event: Exclude<RunEvent, RecordHeader>): event is RecordEvent {
  return event.type !== "reasoning_delta" && event.type !== "text_delta";
}

function startedRun(
  tracer: Tracer,
  header: RecordHeader,
  spans: ReadonlyMap<string, RunSpans>,
  parent: SpanContext,
): RunSpans {
  const above = header.parent === undefined ? undefined : spans.get(header.parent);
  return new RunSpans(tracer, header, above?.context ?? parent);
}

/** The spans of one run, from its record's lines as they come. */
class RunSpans {
  readonly #tracer: Tracer;
  readonly #model: string | undefined;
  readonly #run: Span;
  #turn: { readonly number: number; readonly span: Span } | undefined;
  /** When the last line was written, and the last decision made; milliseconds since the epoch. */
  #lastMs: number;
  #decidedMs: number;

  constructor(tracer: Tracer, header: RecordHeader, parent: SpanContext) {
    const { at, runId, policy, corpora, harness, profile } = header;
    this.#tracer = tracer;
    this.#model = policy.model;
    this.#lastMs = at;
    this.#decidedMs = at;
    this.#run = tracer.start("invoke_agent winnow", {
      parent,
      startMs: at,
      attributes: {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "winnow",
        "gen_ai.agent.version": harness,
        "gen_ai.request.model": policy.model,
        "winnow.run.id": runId,
        "winnow.run.parent_id": header.parent,
        "winnow.policy": policy.name,
        "winnow.profile": (profile as { readonly name?: string }).name,
        "winnow.corpora": corpora.map(({ name }) => name),
      },
    });
  }

  get context(): SpanContext {
    return this.#run.context;
  }

  see(event: RecordEvent): void {
    this.#follow(event);
    if (event.type === "decision") this.#decision(event);
    else if (event.type === "tool_result") this.#toolResult(event);
    else if (event.type === "edit") this.#turn?.span.set({ "winnow.pruned_chunks": event.pruned.length });
    else if (event.type === "budget") this.#turn?.span.set({ "winnow.context_tokens": event.used });
    else if (event.type === "end") this.#end(event);
    this.#lastMs = event.at;
  }

  /** The run ended with an error of its own, without a last line. */
  abandon(): void {
    this.#run.fail("internal");
  }

  close(): void {
    this.#turn?.span.end(this.#lastMs);
    this.#run.end(this.#lastMs);
  }

  /** Begins the span of a turn with its first line; it lasts from the end of the one before. */
  #follow({ turn }: RecordEvent): void {
    if (turn === 0 || this.#turn?.number === turn) return;
    this.#turn?.span.end(this.#lastMs);
    this.#turn = {
      number: turn,
      span: this.#start(`turn ${turn}`, this.#lastMs, { "winnow.turn": turn }, this.context),
    };
    this.#decidedMs = this.#lastMs;
  }

  #decision({ at, attempt, finishReason, promptTokens, completionTokens, usage, error }: DecisionEvent): void {
    const tokens = {
      "gen_ai.usage.input_tokens": usage?.promptTokens ?? promptTokens,
      "gen_ai.usage.output_tokens": usage?.completionTokens ?? completionTokens,
    };
    this.#turn?.span.set({ ...tokens, "winnow.attempts": attempt });
    if (this.#model !== undefined) {
      const span = this.#start(`chat ${this.#model}`, this.#decidedMs, {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": this.#model,
        "gen_ai.response.finish_reasons": [finishReason],
        ...tokens,
      });
      if (error !== undefined) span.fail(error.code);
      span.end(at);
    }
    this.#decidedMs = at;
  }

  #toolResult({ at, tool, callId, hits, chunks, omitted, error }: ToolResultEvent): void {
    const span = this.#start(`execute_tool ${tool}`, this.#decidedMs, {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": tool,
      "gen_ai.tool.call.id": callId,
      "gen_ai.tool.type": "datastore",
      "winnow.hits": hits.length,
      "winnow.new_chunks": chunks.length,
      "winnow.omitted": omitted,
    });
    if (error !== undefined) span.fail(error.code);
    span.end(at);
  }

  #end({ stopReason, outcome, concluded, documents, usage, error }: EndEvent): void {
    this.#run.set({
      "winnow.stop_reason": stopReason,
      "winnow.outcome": outcome,
      "winnow.concluded": concluded,
      "winnow.documents": documents.length,
      "winnow.turns": usage.turns,
      "winnow.pruned_chunks": usage.prunedChunks,
      "gen_ai.usage.input_tokens": usage.promptTokens,
      "gen_ai.usage.output_tokens": usage.completionTokens,
    });
    if (error !== undefined) this.#run.fail(error.code);
  }

  #start(name: string, startMs: number, attributes: Attributes, parent = this.#turn?.span.context): Span {
    const kind = name.startsWith("chat ") ? "client" : "internal";
    return this.#tracer.start(name, { kind, startMs, attributes, parent: parent ?? this.context });
  }
}
