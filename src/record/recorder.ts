import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { toWinnowError } from "../core/errors.ts";
import type { RecordLine } from "./events.ts";

/**
 * Where a run's lines go. `append` returns when the line would survive the death of this process; `flush` when it
 * would survive the loss of power.
 */
export interface Recorder {
  /** Address of the record for the user, or undefined where nothing is kept. */
  readonly location: string | undefined;
  append(line: RecordLine): void;
  flush(): void;
  close(): void;
}

/** Keeps the lines in memory (`--no-record`, tests). */
export function memoryRecorder(): Recorder & { readonly lines: RecordLine[] } {
  const lines: RecordLine[] = [];
  return { location: undefined, lines, append: (line) => lines.push(line), flush: () => {}, close: () => {} };
}

/** Relative name of a record below a corpus's `runs/` folder. */
export function recordFileName(runId: string): string {
  return `${runId}.jsonl`;
}

/**
 * Appends to `file`, which must not exist. Each line is written with one call, so a killed process leaves at most one
 * torn last line, which the reader drops. Writes are synchronous: a run writes a few lines a second, and an event must
 * not be acknowledged before it is out of the process. Throws what the system throws where it cannot be created; the
 * calls throw `disk_full` or `store_failed`.
 */
export function fileRecorder(file: string): Recorder {
  mkdirSync(path.dirname(file), { recursive: true });
  const descriptor = openSync(file, "ax", 0o600);
  let open = true;
  return {
    location: file,
    append(line) {
      explained(() => writeFully(descriptor, Buffer.from(`${JSON.stringify(line)}\n`, "utf8")));
    },
    flush() {
      if (open) explained(() => fsyncSync(descriptor));
    },
    close() {
      if (!open) return;
      open = false;
      closeSync(descriptor);
    },
  };
}

function explained(write: () => void): void {
  try {
    write();
  } catch (error) {
    throw toWinnowError(error, "store_failed");
  }
}

function writeFully(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written, bytes.length - written);
  }
}
