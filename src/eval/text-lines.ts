import { createReadStream } from "node:fs";
import { WinnowError } from "../core/errors.ts";

export interface TextLine {
  /** 1-based. */
  readonly number: number;
  /** Byte position in the file and byte length without the line end. */
  readonly offset: number;
  readonly bytes: number;
  readonly text: string;
}

/** A line longer than this is not a line of a dataset. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Lines of a UTF-8 file that are not blank. Rejects with `dataset_invalid`, naming file and line. */
export async function* textLines(path: string, name: string, signal?: AbortSignal): AsyncGenerator<TextLine> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let number = 1;
  let offset = 0;
  const complete = (): TextLine => {
    const bytes = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending);
    const line = { number, offset, bytes: bytes.length, text: decode(bytes, name, number) };
    pending = [];
    pendingBytes = 0;
    return line;
  };
  for await (const piece of createReadStream(path, signal === undefined ? {} : { signal }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, start)) {
      pending.push(piece.subarray(start, end));
      const line = complete();
      if (line.text.trim() !== "") yield line;
      number++;
      offset += line.bytes + 1;
      start = end + 1;
    }
    pending.push(piece.subarray(start));
    pendingBytes += piece.length - start;
    if (pendingBytes > LINE_BYTES_MAX) throw defect(name, number, `the line is longer than ${LINE_BYTES_MAX} bytes`);
  }
  const last = complete();
  if (last.text.trim() !== "") yield last;
}

export function defect(file: string, line: number | undefined, what: string, cause?: unknown): WinnowError {
  const place = line === undefined ? file : `${file}, line ${line}`;
  return new WinnowError("dataset_invalid", `${place}: ${what}.`, {
    hint: "A dataset has corpus.jsonl (_id, title, text), queries.jsonl (_id, text) and qrels.tsv (query-id, corpus-id, score).",
    cause,
  });
}

function decode(bytes: Uint8Array, name: string, number: number): string {
  try {
    return decoder.decode(bytes).replace(/\r$/, "");
  } catch (cause) {
    throw defect(name, number, "the line is not UTF-8", cause);
  }
}
