import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { stripControl, truncate, wellFormed } from "../../core/text.ts";
import type { SourceDocument } from "../../core/types.ts";

/** Commits of one repository that are read, newest first. */
export const COMMITS_MAX = 20_000;
/** Output of one git command; what lies beyond is not read. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const GIT_TIMEOUT_MS = 60_000;
/** Longest message that is kept of one commit, UTF-16 units. */
const MESSAGE_UNITS_MAX = 20_000;
const FILES_SHOWN_MAX = 50;
const TITLE_UNITS_MAX = 300;

/**
 * A repository is somebody else's: nothing that its configuration names may run (signature checks, external diffs,
 * file-system monitors, hooks), and nothing may ask or write.
 */
const HARMLESS = [
  "-c",
  "log.showSignature=false",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "core.quotePath=false",
  "-c",
  "core.attributesFile=/dev/null",
  "--no-pager",
  "--no-optional-locks",
];

/** What would have git look into another repository than the one it is told, as in a hook. */
const PLACES = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_INDEX_FILE",
  "GIT_GRAFT_FILE",
  "GIT_SHALLOW_FILE",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
];

export interface GitFailure {
  readonly failure: string;
}

export interface Head {
  /** Full hash of the newest commit. */
  readonly commit: string;
  /** Its committer date, milliseconds since the epoch. */
  readonly timeMs: number;
}

/** The newest commit of a repository; a failure where there is none, or no git. */
export async function readHead(folder: string, signal: AbortSignal): Promise<Head | GitFailure> {
  const said = await git(folder, ["log", "-1", "--no-show-signature", "--format=%H %ct"], signal);
  if ("failure" in said) return said;
  const [commit = "", seconds = ""] = said.text.trim().split(" ");
  if (!/^[0-9a-f]{40,64}$/u.test(commit)) return { failure: "git names no commit" };
  return { commit, timeMs: Number(seconds) * 1_000 };
}

export interface GitLog {
  readonly commits: readonly Commit[];
  /** True when `COMMITS_MAX` or the output limit cut the history. */
  readonly truncated: boolean;
}

export interface Commit {
  readonly hash: string;
  /** ISO 8601, as the author's clock said. */
  readonly date: string;
  readonly author: string;
  readonly message: string;
  readonly files: readonly string[];
}

/** The history behind `commit` without merges, newest first. Resolves with a failure for what git refuses. */
export async function readGitLog(folder: string, commit: string, signal: AbortSignal): Promise<GitLog | GitFailure> {
  // Nobody who wrote a commit message can have known it.
  const boundary = randomBytes(16).toString("hex");
  const format = `%x00${boundary}%x00%H%x00%aI%x00%an%x00%B%x00`;
  const options = ["--no-merges", "--no-show-signature", "--no-ext-diff", "--no-textconv", "--name-only"];
  const args = ["log", `--max-count=${COMMITS_MAX + 1}`, ...options, `--format=${format}`, commit, "--"];
  const said = await git(folder, args, signal);
  if ("failure" in said) return said;
  const commits = parseLog(said.text, boundary);
  return { commits: commits.slice(0, COMMITS_MAX), truncated: said.truncated || commits.length > COMMITS_MAX };
}

function parseLog(text: string, boundary: string): Commit[] {
  return text
    .split(`\u0000${boundary}\u0000`)
    .slice(1)
    .flatMap((part): Commit[] => {
      const [hash = "", date = "", author = "", message, files] = part.split("\u0000");
      // The last part may have been cut off by the limit on output.
      if (message === undefined || files === undefined) return [];
      const names = files.split("\n").filter((name) => name !== "");
      return [{ hash, date, author, message: message.trim(), files: names }];
    });
}

/** A commit as a document: its message, then the files it touched, on one line, so that an excerpt of it tells something. */
export function commitDocument(commit: Commit, key: string, repository: string): SourceDocument {
  const message = truncate(wellFormed(stripControl(commit.message)), MESSAGE_UNITS_MAX);
  const shown = commit.files.slice(0, FILES_SHOWN_MAX).map((name) => wellFormed(stripControl(name)));
  const left = commit.files.length - shown.length;
  const files = shown.length === 0 ? "" : `\n\nFiles: ${shown.join(", ")}${left > 0 ? `, and ${left} more` : ""}`;
  const short = commit.hash.slice(0, 12);
  const date = new Date(commit.date);
  return {
    id: `${key}#${short}`,
    uri: `${key}#${short}`,
    title: truncate(message.split("\n")[0] ?? short, TITLE_UNITS_MAX),
    format: "text",
    text: `${message}${files}\n`,
    metadata: {
      kind: "commit",
      ...(Number.isNaN(date.getTime()) ? {} : { modified: date.toISOString() }),
      repository,
      commit: commit.hash,
      author: wellFormed(stripControl(commit.author)),
      ...(shown.length === 0 ? {} : { files: shown }),
    },
  };
}

type Said = { readonly text: string; readonly truncated: boolean } | GitFailure;

function git(folder: string, args: readonly string[], signal: AbortSignal): Promise<Said> {
  return new Promise((done, fail) => {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      GIT_TERMINAL_PROMPT: "0",
      GIT_OPTIONAL_LOCKS: "0",
      // Objects that are missing are not fetched, by no protocol: to fetch is to run what the configuration names.
      GIT_NO_LAZY_FETCH: "1",
      GIT_ALLOW_PROTOCOL: "none",
      // A repository further up is not what was asked for.
      GIT_CEILING_DIRECTORIES: dirname(folder),
      LC_ALL: "C",
    };
    for (const place of PLACES) delete env[place];
    const child = spawn("git", ["-C", folder, ...HARMLESS, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    const parts: Buffer[] = [];
    let [bytes, truncated, complaint] = [0, false, ""];
    const timer = setTimeout(() => child.kill("SIGKILL"), GIT_TIMEOUT_MS);
    const stop = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", stop, { once: true });
    child.stdout.on("data", (part: Buffer) => {
      bytes += part.length;
      if (bytes <= OUTPUT_BYTES_MAX) parts.push(part);
      else {
        truncated = true;
        child.kill("SIGKILL");
      }
    });
    child.stderr.on("data", (part: Buffer) => {
      if (complaint.length < 1_000) complaint += part.toString();
    });
    const settle = (said: Said): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      if (signal.aborted) fail(signal.reason);
      else done(said);
    };
    child.on("error", (error: NodeJS.ErrnoException) =>
      settle({ failure: error.code === "ENOENT" ? "git is not installed" : "git could not be started" }),
    );
    child.on("close", (code) => {
      if (code === 0 || truncated) settle({ text: Buffer.concat(parts).toString("utf8"), truncated });
      else settle({ failure: stripControl(complaint.trim().split("\n")[0] ?? "") || "git gave up" });
    });
  });
}
