import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { normalizeLineEnds } from "../core/text.ts";
import type { SourceDocument } from "../core/types.ts";
import { type Row, rowDocuments } from "../sources/files/row-document.ts";
import type { Source, SourceItem } from "../sources/source.ts";
import { defect } from "./text-lines.ts";

/** Name of the file that holds a dataset's documents, and the beginning of their ids in an index. */
export const CORPUS_FILE = "corpus.jsonl";
/** An item is as many whole lines as make up so many bytes: it bounds what is in memory, and what a kill loses. */
const BLOCK_BYTES = 4 * 1024 * 1024;

interface Block {
  readonly offset: number;
  readonly bytes: number;
  /** 1-based number of its first line. */
  readonly line: number;
}

/**
 * The documents of a dataset as a source whose items are blocks of lines of its one file, so that a corpus of any size
 * is indexed piece by piece. Ids are `corpus.jsonl#<_id>` wherever the file lies. A row that says `"format": "markdown"`
 * is split where a Markdown file of the same text would be, so that an evaluation measures what an index of the files
 * does. `read` is for items that `list` of the same source gave.
 */
export function corpusSource(path: string): Source {
  const blocks = new Map<string, Block>();
  const bytesOf = async (item: SourceItem): Promise<Buffer> => {
    const { offset = 0, bytes = 0 } = blocks.get(item.key) ?? {};
    const file = await open(path, "r");
    try {
      const buffer = Buffer.alloc(bytes);
      const { bytesRead } = await file.read(buffer, 0, bytes, offset);
      if (bytesRead < bytes) throw defect(CORPUS_FILE, undefined, "the file was cut while it was read");
      return buffer;
    } finally {
      await file.close();
    }
  };
  return {
    // Like any other file, for what the index remembers of its sources.
    type: "files",
    async *list(signal) {
      const { mtimeMs } = await stat(path);
      for await (const block of blocksOf(path, signal)) {
        const key = `${CORPUS_FILE}/${String(blocks.size).padStart(6, "0")}`;
        blocks.set(key, block);
        yield { item: { key, location: path, bytes: block.bytes, mtimeMs } };
      }
    },
    async hash(item) {
      return hashOf(await bytesOf(item));
    },
    async read(item) {
      const bytes = await bytesOf(item);
      const rows = rowsOf(bytes.toString("utf8"), blocks.get(item.key)?.line ?? 1);
      const file = { key: CORPUS_FILE, location: path, mtimeMs: item.mtimeMs, name: CORPUS_FILE };
      return { documents: rowDocuments(file, rows).map(asStated), hash: hashOf(bytes), notes: [] };
    },
  };
}

function asStated(document: SourceDocument): SourceDocument {
  return document.metadata["format"] === "markdown" ? { ...document, format: "markdown" } : document;
}

/** Whole lines of at least `BLOCK_BYTES`, the last block what is left. Line ends are looked for in bytes: UTF-8 has no other 10. */
async function* blocksOf(path: string, signal: AbortSignal): AsyncGenerator<Block> {
  let [position, offset, line, nextLine] = [0, 0, 1, 1];
  for await (const piece of createReadStream(path, { signal, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, end + 1)) {
      nextLine++;
      const after = position + end + 1;
      if (after - offset < BLOCK_BYTES) continue;
      yield { offset, bytes: after - offset, line };
      [offset, line] = [after, nextLine];
    }
    position += piece.length;
  }
  if (position > offset) yield { offset, bytes: position - offset, line };
}

function rowsOf(text: string, firstLine: number): Row[] {
  const rows: Row[] = [];
  for (const [i, line] of normalizeLineEnds(text.replace(/^\ufeff/, ""))
    .split("\n")
    .entries()) {
    if (line.trim() === "") continue;
    rows.push({ number: firstLine + i, fields: Object.entries(parseObject(line, firstLine + i)) });
  }
  return rows;
}

function parseObject(line: string, number: number): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value;
  } catch (cause) {
    throw defect(CORPUS_FILE, number, "the line is not JSON", cause);
  }
  throw defect(CORPUS_FILE, number, "the line is not an object");
}

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
