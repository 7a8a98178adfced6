import { type ChildProcess, spawn } from "node:child_process";
import { WinnowError } from "../../core/errors.ts";
import { oneLine } from "../../core/text.ts";
import type { MatchCollector, OpenSegment } from "./collector.ts";
import { OUTPUT_BYTES_MAX } from "./grep.ts";
import { portablePattern } from "./pattern.ts";
import { RipgrepOutputReader } from "./ripgrep-output.ts";
import { corrupt, PAD_BYTES } from "./segment.ts";

const STDERR_BYTES_MAX = 16_384;

export interface ScanOptions {
  readonly pattern: string;
  readonly ignoreCase: boolean;
  readonly segments: readonly OpenSegment[];
  readonly collector: MatchCollector;
  /** Aborts at the time limit or when the caller cancels. The scan then ends early without an error. */
  readonly signal: AbortSignal;
  /** The time limit once more, on the clock of `performance.now()`, for work that lets no timer fire. */
  readonly deadlineMs: number;
}

/** Path of the ripgrep binary that was installed for this platform, or undefined. */
export async function ripgrepPath(): Promise<string | undefined> {
  try {
    const { rgPath } = await import("@vscode/ripgrep");
    return rgPath;
  } catch {
    return undefined;
  }
}

/** Searches segment after segment. Rejects with `dependency_missing` when the binary cannot be started. */
export async function scanWithRipgrep(path: string, options: ScanOptions): Promise<void> {
  const pattern = portablePattern(options.pattern, "rust");
  let bytesLeft = OUTPUT_BYTES_MAX;
  for (const segment of options.segments) {
    if (options.signal.aborted || options.collector.truncated) return;
    if (segment.ids.length === 0) continue;
    bytesLeft -= await scanSegment(path, pattern, segment, bytesLeft, options);
    if (bytesLeft <= 0) options.collector.truncated = true;
  }
}

function ripgrepArguments(pattern: string, ignoreCase: boolean, file: string): string[] {
  // With NUL as record end, R (line ends as \r?\n) is what keeps `.`, `^` and `$` at lines.
  const flags = ignoreCase ? "imR" : "mR";
  return [
    "--no-config",
    "--null-data",
    "--only-matching",
    "--byte-offset",
    "--text",
    "--encoding=none",
    "--engine=default",
    "--no-filename",
    "--no-heading",
    "--no-line-number",
    "--color=never",
    "--case-sensitive",
    "--threads=1",
    "--regex-size-limit=20M",
    "--dfa-size-limit=50M",
    `--regexp=(?${flags})(?:${pattern})`,
    "--",
    file,
  ];
}

/** Returns how many bytes were read. */
async function scanSegment(
  path: string,
  pattern: string,
  segment: OpenSegment,
  bytesMax: number,
  options: ScanOptions,
): Promise<number> {
  const { RIPGREP_CONFIG_PATH: _, ...env } = process.env;
  const child = spawn(path, ripgrepArguments(pattern, options.ignoreCase, segment.path), {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  const stop = () => child.kill("SIGKILL");
  options.signal.addEventListener("abort", stop, { once: true });
  // The signal may have aborted while the process was being started.
  if (options.signal.aborted) stop();
  try {
    const ended = processEnd(child);
    const errors = readAll(child, STDERR_BYTES_MAX);
    // Both are awaited below; a failure to start must not surface as an unhandled rejection before that.
    ended.catch(() => undefined);
    const { bytes, complete } = await readMatches(child, segment, bytesMax, options.collector);
    if (!complete) stop();
    const code = await ended;
    if (complete && !options.signal.aborted) await checkEnd(code, errors);
    return bytes;
  } finally {
    stop();
    options.signal.removeEventListener("abort", stop);
  }
}

/** 0: matches, 1: none, 2: an error, null: killed, which here nobody of ours did. */
async function checkEnd(code: number | null, errors: Promise<string>): Promise<void> {
  if (code === 0 || code === 1) return;
  if (code === 2) throw ripgrepError(await errors);
  throw new WinnowError("store_failed", "ripgrep ended before it was done.", { hint: "Try again.", retryable: true });
}

async function readMatches(
  child: ChildProcess,
  segment: OpenSegment,
  bytesMax: number,
  collector: MatchCollector,
): Promise<{ bytes: number; complete: boolean }> {
  let document = 0;
  const reader = new RipgrepOutputReader((start, end) => {
    document = documentAt(segment.starts, start, document);
    const textStart = segment.starts[document] ?? 0;
    const touchesPad = start < textStart;
    return collector.add(segment, document, "byte", start - textStart, end - textStart, touchesPad);
  });
  let bytes = 0;
  for await (const piece of child.stdout ?? []) {
    if (!(piece instanceof Uint8Array)) continue;
    bytes += piece.length;
    if (!reader.push(piece) || bytes >= bytesMax) return { bytes, complete: false };
  }
  return { bytes, complete: true };
}

/** The document whose pad or text holds byte `offset`, at or after document `from`. Gallops, then halves. */
function documentAt(starts: readonly number[], offset: number, from: number): number {
  const begins = (document: number) => (starts[document] ?? Number.POSITIVE_INFINITY) - PAD_BYTES <= offset;
  let step = 1;
  while (begins(from + step)) step *= 2;
  let low = from + Math.floor(step / 2);
  let high = Math.min(from + step, starts.length - 1);
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (begins(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Exit code, null when killed. */
function processEnd(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("error", (cause) =>
      reject(new WinnowError("dependency_missing", "ripgrep cannot be started.", { hint: "Reinstall Winnow.", cause })),
    );
    child.on("close", (code) => resolve(code));
  });
}

async function readAll(child: ChildProcess, bytesMax: number): Promise<string> {
  let text = "";
  for await (const piece of child.stderr ?? []) {
    if (text.length < bytesMax) text += String(piece);
  }
  return text;
}

/** One sentence out of ripgrep's several lines. */
export function ripgrepError(stderr: string): WinnowError {
  const reason = /^error: (.+)$/m.exec(stderr)?.[1] ?? /^rg: (compiled regex .+|.*regex.*)$/im.exec(stderr)?.[1];
  if (reason === undefined) return corrupt(oneLine(stderr, 200));
  if (/size limit/i.test(reason)) {
    return new WinnowError("invalid_pattern", "The pattern is too large once its repetitions are written out.", {
      hint: "Use smaller counts in {…}, or * and +.",
    });
  }
  const sentence = oneLine(reason, 160);
  return new WinnowError(
    "invalid_pattern",
    `${sentence.charAt(0).toUpperCase()}${sentence.slice(1).replace(/\.$/, "")}.`,
    {
      hint: "Write a simpler pattern; the syntax is that of Rust's regex crate.",
    },
  );
}
