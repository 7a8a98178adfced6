import { readFile, stat } from "node:fs/promises";
import { systemErrorCode, toWinnowError, WinnowError } from "../core/errors.ts";
import { openPlain, UnusableFile } from "../core/plain-file.ts";
import type { RecordHeader } from "./events.ts";
import { damagedAt, parseRecord, type RunRecord } from "./parse-record.ts";

export { parseRecord, type RunRecord, recordFromLines } from "./parse-record.ts";

/** A run of 1,000 turns at a full window writes about a tenth of this. */
const RECORD_BYTES_MAX = 256_000_000;
/** A header holds the profile with its prompt and what steers the run; those of ours have about 10 kB. */
const HEADER_BYTES_MAX = 4_000_000;
const READ_BYTES = 65_536;

/**
 * Reads a record. A torn last line is dropped and reported; damage anywhere else is `record_corrupt` with the line
 * number. Rejects with `run_not_found` when there is no such file.
 */
export async function readRecord(file: string): Promise<RunRecord> {
  let text: string;
  try {
    const found = await stat(file);
    if (!found.isFile()) throw damagedAt(file, 1, "it is not a file");
    if (found.size > RECORD_BYTES_MAX) throw damagedAt(file, 1, `it has ${found.size} bytes, more than any record`);
    text = await readFile(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") {
      throw new WinnowError("run_not_found", `There is no record at ${file}.`, {
        hint: "List the runs with: winnow runs",
      });
    }
    throw toWinnowError(error, "store_failed");
  }
  return parseRecord(text, file);
}

/** The header of a record, without what follows it. Rejects with `record_corrupt`. */
export async function readRecordHeader(file: string): Promise<RecordHeader> {
  const handle = await openPlain(file).catch((error: unknown) => {
    throw error instanceof UnusableFile ? damagedAt(file, 1, error.message) : error;
  });
  try {
    const parts: Buffer[] = [];
    for (let bytes = 0; bytes < HEADER_BYTES_MAX; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, bytes);
      const end = buffer.subarray(0, bytesRead).indexOf("\n");
      parts.push(buffer.subarray(0, end === -1 ? bytesRead : end + 1));
      if (end !== -1) return parseRecord(Buffer.concat(parts).toString("utf8"), file).header;
      if (bytesRead === 0) break;
      bytes += bytesRead;
    }
    throw damagedAt(file, 1, "the header does not end");
  } finally {
    await handle.close();
  }
}
