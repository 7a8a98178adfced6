import { createTranscriptSource, type TranscriptOptions } from "../claude-transcript/transcript-source.ts";
import type { Source } from "../source.ts";
import { SessionCollector, type SessionUnit } from "./session-collector.ts";

export interface ClaudeSessionsOptions extends TranscriptOptions {
  /** What a document is; default `session`. Subagents are documents of their own either way. */
  readonly unit?: SessionUnit;
}

/** Raised when the documents of the same transcript change. */
const VERSION = 1;

/**
 * Sessions of Claude Code: what was asked and answered, with a line for every call of a tool. Left out are reasoning,
 * pictures, results of tools (see `createToolTracesSource`) and what the program itself adds; redacted before anything
 * leaves. Metadata: `session_id`, `project_path`, `git_branch`, `timestamp` (first), `modified` (last), `tools_used`,
 * `turns`; for turns `turn_role` and `turn_index` (from 1); `sidechain` for subagents. Errors are those of the files source.
 */
export function createClaudeSessionsSource(options: ClaudeSessionsOptions): Source {
  const unit = options.unit ?? "session";
  const version = `${VERSION}/${unit}`;
  const kind = {
    type: "claude-sessions",
    version,
    collect: (file: Parameters<typeof create>[0]) => create(file, unit),
  };
  return createTranscriptSource(kind, options);
}

const create = (file: ConstructorParameters<typeof SessionCollector>[0], unit: SessionUnit): SessionCollector =>
  new SessionCollector(file, unit);
