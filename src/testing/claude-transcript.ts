type Fields = Readonly<Record<string, unknown>>;

export interface TranscriptStart {
  readonly sessionId?: string;
  readonly cwd?: string;
  readonly gitBranch?: string;
  /** ISO 8601; every record is a second later than the one before. */
  readonly from?: string;
}

export const SESSION_ID = "6f1c2a9e-3b47-4d58-9a10-5c2e7f8b4d21";

/**
 * Writes transcripts as Claude Code does: one JSON object a line, each naming the one before. `fields` of a call are laid
 * over the record, so that any of it can be wrong, missing, or of a subagent. For tests.
 */
export class ClaudeTranscript {
  readonly lines: string[] = [];
  gitBranch: string;
  readonly #shared: Fields;
  #timeMs: number;
  #count = 0;
  #last: string | null = null;

  constructor(start: TranscriptStart = {}) {
    this.#timeMs = Date.parse(start.from ?? "2026-05-14T10:00:00.000Z");
    this.#shared = {
      isSidechain: false,
      userType: "external",
      cwd: start.cwd ?? "/home/somebody/harbour",
      sessionId: start.sessionId ?? SESSION_ID,
      version: "2.1.40",
    };
    this.gitBranch = start.gitBranch ?? "main";
  }

  get text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  user(content: unknown, fields: Fields = {}): string {
    return this.#record({ type: "user", message: { role: "user", content }, ...fields });
  }

  assistant(content: unknown, fields: Fields = {}): string {
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    const message = { id: `msg_${this.#count}`, type: "message", role: "assistant", model: "claude", content: blocks };
    return this.#record({ type: "assistant", message, ...fields });
  }

  /** A call of a tool without its result; returns its id. */
  call(name: string, input: unknown, fields: Fields = {}): string {
    const id = `toolu_01A${String(this.#count).padStart(20, "0")}`;
    this.assistant([{ type: "tool_use", id, name, input }], fields);
    return id;
  }

  result(
    id: string,
    content: unknown,
    { isError = false, ...fields }: Fields & { readonly isError?: boolean } = {},
  ): string {
    const block = { tool_use_id: id, type: "tool_result", content, ...(isError ? { is_error: true } : {}) };
    return this.user([block], fields);
  }

  /** A call with its result. */
  tool(name: string, input: unknown, output: unknown, fields: Fields & { readonly isError?: boolean } = {}): string {
    const { isError: _, toolUseResult: __, ...shared } = fields;
    const id = this.call(name, input, shared);
    this.result(id, output, fields);
    return id;
  }

  /** What the program leaves when it replaces the conversation by a summary. */
  compact(summary: string): void {
    this.#record({ type: "system", subtype: "compact_boundary", content: "Conversation compacted" });
    this.user(summary, { isCompactSummary: true, isVisibleInTranscriptOnly: true });
  }

  /** Any other record, without what messages share. */
  raw(record: unknown): void {
    this.lines.push(typeof record === "string" ? record : JSON.stringify(record));
  }

  #record(fields: Fields): string {
    this.#count++;
    const uuid = `00000000-0000-4000-8000-${String(this.#count).padStart(12, "0")}`;
    const timestamp = new Date(this.#timeMs + this.#count * 1_000).toISOString();
    this.raw({ parentUuid: this.#last, ...this.#shared, gitBranch: this.gitBranch, uuid, timestamp, ...fields });
    this.#last = uuid;
    return uuid;
  }
}

/** A session of an afternoon: a question, a failing test, its repair, a subagent, a compaction, and another question. */
export function harbourTranscript(): ClaudeTranscript {
  const transcript = new ClaudeTranscript();
  transcript.raw({ type: "file-history-snapshot", messageId: "x", snapshot: { trackedFileBackups: {} } });
  transcript.user("Why does the tide table fail in March?\n\nIt worked in February.");
  transcript.assistant([
    { type: "thinking", thinking: "Inner monologue about moons.", signature: "x" },
    { type: "text", text: "I will run its tests." },
  ]);
  const failing = { command: "npm test -- tides\necho done", description: "Run the tests" };
  transcript.tool("Bash", failing, "Exit code 1\nExpected 31 tides, got 28", { isError: true });
  transcript.assistant("The table assumes 28 days.");
  transcript.tool(
    "Edit",
    { file_path: "/home/somebody/harbour/src/tides.ts", old_string: "28", new_string: "days" },
    "Updated.",
    {
      toolUseResult: { durationMs: 41 },
    },
  );
  transcript.gitBranch = "fix-tides";
  const agent = { isSidechain: true, agentId: "a2271d1" };
  transcript.user("Look for other months with a fixed length.", { ...agent, parentUuid: null });
  transcript.tool("Grep", { pattern: "28", path: "src" }, "src/moon.ts:4:const length = 28;", agent);
  transcript.assistant("src/moon.ts has one as well.", agent);
  transcript.compact("The tide table assumed 28 days; it was mended on the branch fix-tides.");
  transcript.user(
    "<command-name>/cost</command-name>\n<command-message>cost</command-message>\n<command-args></command-args>",
  );
  transcript.user("<local-command-stdout>Total: $1</local-command-stdout>");
  transcript.user("<system-reminder>Background noise.</system-reminder>Now the moon.");
  transcript.user([{ type: "text", text: "Skill text that nobody typed." }], { isMeta: true });
  transcript.assistant("Done in `src/moon.ts`.");
  return transcript;
}
