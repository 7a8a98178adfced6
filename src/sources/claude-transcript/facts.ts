import type { Metadata } from "../../core/types.ts";
import type { Redactor } from "../redaction/redactor.ts";
import type { TranscriptRecord } from "./record.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The session that a file is of, by its name; subagents have files of their own, which are named otherwise. */
export function sessionOfFile(key: string): string | undefined {
  const name = key.slice(key.lastIndexOf("/") + 1).replace(/\.jsonl$/, "");
  return UUID.test(name) ? name.toLowerCase() : undefined;
}

/** Where and when: gathered from the records of a session, of a turn, or of a call. */
export class Facts {
  #sessionId: string | undefined;
  #projectPath: string | undefined;
  #gitBranch: string | undefined;
  #firstMs: number | undefined;
  #lastMs: number | undefined;

  add({ sessionId, cwd, gitBranch, timeMs }: TranscriptRecord): void {
    this.#sessionId ??= sessionId;
    this.#projectPath ??= cwd;
    // The last one: work often starts on the main branch and leaves it.
    this.#gitBranch = gitBranch ?? this.#gitBranch;
    if (timeMs === undefined) return;
    this.#firstMs = Math.min(this.#firstMs ?? timeMs, timeMs);
    this.#lastMs = Math.max(this.#lastMs ?? timeMs, timeMs);
  }

  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  /** `session_id`, `project_path`, `git_branch`, `timestamp` (first) and `modified` (last), as far as they are known. */
  metadata(file: { readonly key: string; readonly mtimeMs: number }, redactor: Redactor): Metadata {
    const session = sessionOfFile(file.key) ?? this.#sessionId;
    const named = (name: string, value: string | undefined): Metadata =>
      value === undefined ? {} : { [name]: redactor.text(value).trim() };
    return {
      ...named("session_id", session),
      ...named("project_path", this.#projectPath),
      ...named("git_branch", this.#gitBranch),
      ...(this.#firstMs === undefined ? {} : { timestamp: isoTime(this.#firstMs) }),
      modified: isoTime(this.#lastMs ?? file.mtimeMs),
      path: file.key,
    };
  }
}

export function isoTime(timeMs: number): string {
  const date = new Date(timeMs);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}
