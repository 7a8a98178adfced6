import { plural } from "../../core/text.ts";
import type { SourceDocument } from "../../core/types.ts";
import { Facts } from "../claude-transcript/facts.ts";
import { type Block, field, isFields, type TranscriptRecord } from "../claude-transcript/record.ts";
import { callGist, filesOf, redactArguments, secretFileOf } from "../claude-transcript/tool-call.ts";
import type { Collector, TranscriptFile } from "../claude-transcript/transcript-source.ts";
import { uniqueId } from "../claude-transcript/unique-id.ts";
import {
  argumentLines,
  fitsTitle,
  shownOutput,
  type Trace,
  type TraceOutcome,
  traceDocument,
} from "./trace-document.ts";

type Call = Extract<Block, { type: "call" }>;
type Result = Extract<Block, { type: "result" }>;

/** Results that came before their call are kept for it, as many as this. */
const EARLY_RESULTS_MAX = 1_000;
const PLAIN_ID = /^[\w.:-]{1,128}$/;
/** Where tools say how long they took, in milliseconds. */
const DURATION_KEYS = ["durationMs", "totalDurationMs", "duration_ms"];
const DURATION_MAX_MS = 7 * 86_400_000;

interface OpenCall {
  readonly facts: Facts;
  readonly startMs: number | undefined;
  readonly secretFile: string | undefined;
  readonly trace: Omit<Trace, "outcome" | "metadata">;
  outcome: TraceOutcome | undefined;
}

interface EarlyResult {
  readonly result: Result;
  readonly record: TranscriptRecord;
}

/**
 * Calls of tools with what came of them, paired by id wherever the two stand in the file. Of a call or a result that is
 * there twice, as after a session was resumed, the first one counts.
 */
export class TraceCollector implements Collector {
  readonly #file: TranscriptFile;
  readonly #session = new Facts();
  readonly #calls = new Map<string, OpenCall>();
  readonly #early = new Map<string, EarlyResult>();
  readonly #ids = new Set<string>();
  #strays = 0;
  #cut = false;

  constructor(file: TranscriptFile) {
    this.#file = file;
  }

  add(record: TranscriptRecord): void {
    if (record.title !== undefined) return;
    this.#session.add(record);
    for (const block of record.blocks) {
      if (block.type === "call") this.#call(record, block);
      else if (block.type === "result") this.#result(record, block);
    }
  }

  end(): { documents: SourceDocument[]; notes: string[] } {
    const { redactor } = this.#file;
    const session = this.#session.metadata(this.#file, redactor);
    const documents = [...this.#calls.values()].map(({ trace, outcome, facts }) => {
      // Where the session runs is the same for all; when and on which branch is each call's own.
      const { project_path: _, ...own } = facts.metadata(this.#file, redactor);
      return traceDocument({ ...trace, outcome, metadata: { ...session, ...own } }, this.#file.key);
    });
    const notes: string[] = [];
    const strays = this.#strays + this.#early.size;
    if (strays > 0) notes.push(`Left out ${plural(strays, "result")} of calls that it does not hold.`);
    if (this.#cut) notes.push("Only its first calls are indexed: it is over the limits for one transcript.");
    return { documents, notes };
  }

  #call(record: TranscriptRecord, { id, name, input }: Call): void {
    if (this.#calls.has(id)) return;
    const { redactor, limits } = this.#file;
    if (this.#calls.size >= limits.callsMax) {
      this.#cut = true;
      return;
    }
    const facts = new Facts();
    facts.add(record);
    const gist = callGist(input, redactor);
    const tool = redactor.text(name);
    const titled = fitsTitle(tool, gist.line) ? gist.argument : undefined;
    this.#calls.set(id, {
      facts,
      startMs: record.timeMs,
      secretFile: secretFileOf(input),
      trace: {
        id: this.#shownId(id),
        tool,
        line: gist.line,
        arguments: argumentLines(redactArguments(input, redactor), titled, limits.argumentUnitsMax),
        files: filesOf(input, redactor),
        isSidechain: record.isSidechain,
      },
      outcome: undefined,
    });
    const early = this.#early.get(id);
    if (early === undefined) return;
    this.#early.delete(id);
    this.#result(early.record, early.result);
  }

  #result(record: TranscriptRecord, result: Result): void {
    const call = this.#calls.get(result.id);
    if (call === undefined) {
      if (this.#cut || this.#early.has(result.id)) return;
      if (this.#early.size < EARLY_RESULTS_MAX) this.#early.set(result.id, { record, result });
      else this.#strays++;
      return;
    }
    if (call.outcome !== undefined) return;
    const { redactor, limits } = this.#file;
    const output = call.secretFile === undefined ? redactor.output(result.text) : redactor.contents(call.secretFile);
    call.facts.add(record);
    call.outcome = {
      text: shownOutput(call.trace.tool, result.isError, output, limits),
      isError: result.isError,
      durationMs: durationOf(record, call.startMs),
    };
  }

  /** Ids are shown, and so redacted; what does not stay as it is becomes a number. */
  #shownId(id: string): string {
    const isPlain = PLAIN_ID.test(id) && this.#file.redactor.text(id) === id;
    return uniqueId(isPlain ? id : `call-${this.#calls.size + 1}`, this.#ids);
  }
}

/** What the tool says, else the time between the two records, which includes waiting for permission. */
function durationOf({ toolUseResult, timeMs }: TranscriptRecord, startMs: number | undefined): number | undefined {
  const stated = isFields(toolUseResult) ? DURATION_KEYS.map((key) => field(toolUseResult, key)) : [];
  const passed = timeMs !== undefined && startMs !== undefined ? timeMs - startMs : undefined;
  const duration = stated.find((value) => typeof value === "number") ?? passed;
  if (typeof duration !== "number" || !(duration >= 0 && duration <= DURATION_MAX_MS)) return undefined;
  return Math.round(duration);
}
