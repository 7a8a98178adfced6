import { oneLine } from "../../core/text.ts";
import type { Metadata, SourceDocument } from "../../core/types.ts";
import type { TranscriptLimits } from "../claude-transcript/limits.ts";
import { excerpt } from "../redaction/excerpt.ts";

/** One invocation of a tool; all text in it is redacted. */
export interface Trace {
  readonly id: string;
  readonly tool: string;
  /** What tells most about it, on one line. */
  readonly line: string;
  /** As they are shown: `name: value`, cut to the limit. */
  readonly arguments: readonly string[];
  readonly files: readonly string[];
  readonly isSidechain: boolean;
  readonly metadata: Metadata;
  readonly outcome: TraceOutcome | undefined;
}

export interface TraceOutcome {
  /** Cut to the limit. */
  readonly text: string;
  readonly isError: boolean;
  readonly durationMs: number | undefined;
}

const TITLE_UNITS_MAX = 160;
/** Tools whose output is a file, or a part of one. */
const READING = /^(?:Read|NotebookRead|View|Cat|mcp__.*read.*(?:file|resource).*)$/i;

const titleOf = (tool: string, line: string): string => (line === "" ? tool : `${tool}: ${line}`);

/** Whether a title holds the line whole. */
export const fitsTitle = (tool: string, line: string): boolean => titleOf(tool, line).length <= TITLE_UNITS_MAX;

export function traceDocument(trace: Trace, key: string): SourceDocument {
  const { tool, line, outcome, files } = trace;
  const id = `${key}#${trace.id}`;
  const failed = outcome?.isError === true;
  const state = outcome === undefined ? " (no result)" : failed ? " (failed)" : "";
  const title = `${oneLine(titleOf(tool, line), TITLE_UNITS_MAX)}${state}`;
  const duration = outcome?.durationMs;
  const metadata: Metadata = {
    ...trace.metadata,
    source: "tool-traces",
    tool_name: tool,
    ...(outcome === undefined ? { answered: false } : { is_error: failed }),
    ...(duration === undefined ? {} : { duration_ms: duration }),
    ...(files.length === 0 ? {} : { files: [...files] }),
    ...(trace.isSidechain ? { sidechain: true } : {}),
  };
  return {
    id,
    uri: key,
    title,
    format: "text",
    text: textOf(title, trace),
    metadata,
  };
}

/**
 * Arguments as lines of text, but for the one that the title holds whole; values of several lines come last, each below its
 * name.
 */
export function argumentLines(
  named: readonly (readonly [name: string, value: unknown])[],
  titled: string | undefined,
  unitsMax: number,
): string[] {
  const lines = named.flatMap(([name, value]): string[] => {
    if (name === titled) return [];
    const text = excerpt(typeof value === "string" ? value : (JSON.stringify(value) ?? ""), unitsMax);
    return [text.includes("\n") ? `${name}:\n${text}` : `${name}: ${text}`];
  });
  const isLong = (line: string): boolean => line.includes("\n");
  return [...lines.filter((line) => !isLong(line)), ...lines.filter(isLong)];
}

/** Beginning and end of a redacted output. */
export function shownOutput(tool: string, isError: boolean, output: string, limits: TranscriptLimits): string {
  const isFile = READING.test(tool) && !isError;
  return excerpt(output.trim(), isFile ? limits.fileReadUnitsMax : limits.outputUnitsMax);
}

/** The first lines, of which excerpts are made, say what was called and what came of it. */
function textOf(title: string, { arguments: given, outcome }: Trace): string {
  return `${[title, ...given, "", outcomeText(outcome)].join("\n")}\n`;
}

function outcomeText(outcome: TraceOutcome | undefined): string {
  if (outcome === undefined) return "No result was recorded: the call was interrupted, or still running.";
  const { isError, durationMs, text } = outcome;
  const time = durationMs === undefined ? "" : ` after ${(durationMs / 1_000).toFixed(1)} s`;
  const heading = `${isError ? "Failed" : "Done"}${time}`;
  return text === "" ? `${heading}, without output.` : `${heading}: ${text}`;
}
