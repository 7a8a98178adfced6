import { open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { WinnowError } from "../../core/errors.ts";
import { oneLine } from "../../core/text.ts";
import { MATCHES_COUNTED_MAX } from "./grep.ts";
import { portablePattern } from "./pattern.ts";
import type { ScanOptions } from "./ripgrep-driver.ts";
import { readDocuments } from "./segment.ts";

/** How long documents are searched before other work of the process gets its turn. */
const SLICE_MS = 20;

/** Calls `onMatch` for each match that is not empty, ascending; false stops. */
export type TextMatcher = (text: string, onMatch: (start: number, end: number) => boolean) => void;

/** Compiles a pattern for re2js. Rejects with `invalid_pattern`. */
export async function compileRe2(pattern: string, ignoreCase: boolean): Promise<TextMatcher> {
  const portable = portablePattern(pattern, "re2");
  const { RE2JS } = await import("re2js");
  const flags = RE2JS.MULTILINE | (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  try {
    const compiled = RE2JS.compile(portable, flags);
    return (text, onMatch) => {
      const matcher = compiled.matcher(text);
      while (matcher.find()) {
        if (matcher.end() > matcher.start() && !onMatch(matcher.start(), matcher.end())) return;
      }
    };
  } catch (cause) {
    throw re2Error(cause);
  }
}

/**
 * Searches document after document in this process, linear in their length. `\b` sees ASCII words only. Between
 * documents other work gets its turn; within one, the signal is looked at with every match.
 */
export async function scanWithRe2(options: ScanOptions): Promise<void> {
  const match = await compileRe2(options.pattern, options.ignoreCase);
  const { collector, signal, deadlineMs } = options;
  const isOver = () => signal.aborted || performance.now() > deadlineMs;
  let sliceEnd = performance.now() + SLICE_MS;
  for (const segment of options.segments) {
    if (segment.ids.length === 0) continue;
    const file = await open(segment.path, "r");
    try {
      let document = -1;
      for await (const bytes of readDocuments(file, segment)) {
        document++;
        if (isOver() || collector.truncated) return;
        if (!collector.accepts(segment, document)) continue;
        const text = bytes.toString("utf8");
        match(text, (start, end) => collector.add(segment, document, "utf16", start, end) && !isOver());
        if (performance.now() > sliceEnd) {
          await setImmediate();
          sliceEnd = performance.now() + SLICE_MS;
        }
      }
    } finally {
      await file.close();
    }
  }
}

/** Matches of one text as alternating starts and ends. */
export function matchBounds(match: TextMatcher, text: string): number[] {
  const bounds: number[] = [];
  match(text, (start, end) => bounds.push(start, end) < 2 * MATCHES_COUNTED_MAX);
  return bounds;
}

function re2Error(cause: unknown): WinnowError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = oneLine(message.replace(/^error parsing regexp:\s*/i, ""), 160);
  const large = /size|repeat|nesting|too large/i.test(reason);
  return new WinnowError(
    "invalid_pattern",
    large ? "The pattern is too large." : `The pattern is not valid: ${reason}.`,
    {
      hint: large ? "Use smaller counts in {…}, or * and +." : "Write a simpler pattern; the syntax is that of RE2.",
      cause,
    },
  );
}
