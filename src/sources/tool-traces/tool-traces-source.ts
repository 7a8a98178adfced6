import { createTranscriptSource, type TranscriptOptions } from "../claude-transcript/transcript-source.ts";
import type { Source } from "../source.ts";
import { TraceCollector } from "./trace-collector.ts";

/** Raised when the documents of the same transcript change. */
const VERSION = "2";

/**
 * Calls of tools in Claude Code's transcripts, one document each: arguments, how it ended, beginning and end of what
 * came out; redacted before anything leaves. Metadata: `tool_name`, `is_error` (missing where no result was recorded,
 * where `answered` is false), `session_id`, `project_path`, `git_branch`, `timestamp` (of the call), `modified` (of the
 * result), `duration_ms`, `files`; `sidechain` for subagents. Errors are those of the files source.
 */
export function createToolTracesSource(options: TranscriptOptions): Source {
  return createTranscriptSource(
    { type: "tool-traces", version: VERSION, collect: (file) => new TraceCollector(file) },
    options,
  );
}
