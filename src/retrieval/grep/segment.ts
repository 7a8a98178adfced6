import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { openPlain, readPlain } from "../../core/plain-file.ts";

const DOCUMENTS_FILE = "docs.bin";
const INDEX_FILE = "docs.idx";
const INDEX_HEADER = '{"format":"grep/1"}';
const BUFFER_BYTES = 1024 * 1024;
/** Just below what a string can hold. */
const INDEX_BYTES_MAX = 500_000_000;

/**
 * Before every document stands a line end, because ripgrep does not take the byte after a NUL for the start of a
 * line: without it `^` would miss the first line of every document. It is not part of the document.
 */
export const PAD_BYTES = 1;
const PAD = "\n";

/** The documents of a segment, in file order. */
export interface SegmentIndex {
  readonly path: string;
  readonly ids: readonly string[];
  /** Byte position of each document's text (behind its pad), and one more entry for a document after the last. */
  readonly starts: readonly number[];
}

/**
 * Writes the texts for grep: `docs.bin` holds each as UTF-8 between a line end and a NUL, `docs.idx` their ids and
 * lengths. NUL characters and lone surrogates become U+FFFD, so every UTF-16 offset stays what it was. Texts have `\n`
 * line ends. Both files are synced to disk before this returns; an existing segment in the folder is replaced.
 */
export async function writeGrepSegment(
  folder: string,
  documents: Iterable<{ id: string; text: string }> | AsyncIterable<{ id: string; text: string }>,
): Promise<{ documents: number; bytes: number }> {
  try {
    await mkdir(folder, { recursive: true });
    const texts = new FileWriter(await open(join(folder, DOCUMENTS_FILE), "w"));
    try {
      const index = new FileWriter(await open(join(folder, INDEX_FILE), "w"));
      try {
        const count = await writeDocuments(texts, index, documents);
        await syncFolder(folder);
        return { documents: count, bytes: texts.bytes };
      } finally {
        await index.close();
      }
    } finally {
      await texts.close();
    }
  } catch (error) {
    throw toWinnowError(error, "store_failed");
  }
}

async function writeDocuments(
  texts: FileWriter,
  index: FileWriter,
  documents: Iterable<{ id: string; text: string }> | AsyncIterable<{ id: string; text: string }>,
): Promise<number> {
  await index.write(Buffer.from(`${INDEX_HEADER}\n`));
  let count = 0;
  for await (const { id, text } of documents) {
    const bytes = Buffer.from(`${PAD}${text.replaceAll("\0", "\ufffd")}\0`);
    await texts.write(bytes);
    await index.write(Buffer.from(`${bytes.length - PAD_BYTES - 1} ${JSON.stringify(id)}\n`));
    count++;
  }
  // The footer goes last, and only after the texts are safe: it is what says that the segment is whole.
  await texts.sync();
  await index.write(Buffer.from(`{"documents":${count},"bytes":${texts.bytes}}\n`));
  await index.sync();
  return count;
}

/** Reads a segment's index. Rejects with `corpus_corrupt` when a file is missing, cut or of another format. */
export async function readSegmentIndex(folder: string): Promise<SegmentIndex> {
  const path = join(folder, DOCUMENTS_FILE);
  let lines: string[];
  let size: number;
  try {
    lines = (await readPlain(join(folder, INDEX_FILE), INDEX_BYTES_MAX)).split("\n");
    const texts = await openPlain(path);
    size = (await texts.stat().finally(() => texts.close())).size;
  } catch (error) {
    throw corrupt("it cannot be read", error);
  }
  const footer = lines.at(-2) ?? "";
  const count = lines.length - 3;
  if (lines[0] !== INDEX_HEADER) throw corrupt("its index has another format");
  if (footer !== `{"documents":${count},"bytes":${size}}`) throw corrupt("it was not written to its end");
  const ids: string[] = [];
  const starts: number[] = [PAD_BYTES];
  let next = PAD_BYTES;
  for (const line of lines.slice(1, -2)) {
    const space = line.indexOf(" ");
    next += Number(line.slice(0, space)) + 1 + PAD_BYTES;
    ids.push(parseId(line.slice(space + 1)));
    starts.push(next);
  }
  if (next !== size + PAD_BYTES) throw corrupt("its index does not fit its texts");
  return { path, ids, starts };
}

/** The text of one document. */
export function readDocument(file: FileHandle, index: SegmentIndex, document: number): Promise<Buffer> {
  const start = index.starts[document] ?? 0;
  return readBytes(file, start, (index.starts[document + 1] ?? 0) - start - 1 - PAD_BYTES);
}

/** The texts of all documents in order, read in large pieces. */
export async function* readDocuments(file: FileHandle, index: SegmentIndex): AsyncGenerator<Buffer> {
  const start = (document: number) => index.starts[document] ?? 0;
  for (let first = 0; first < index.ids.length; ) {
    let last = first;
    while (last + 1 < index.ids.length && start(last + 2) - start(first) <= BUFFER_BYTES) last++;
    const bytes = await readBytes(file, start(first), start(last + 1) - start(first) - 1 - PAD_BYTES);
    for (; first <= last; first++) {
      const offset = start(first) - start(last + 1) + bytes.length + 1 + PAD_BYTES;
      yield bytes.subarray(offset, offset + start(first + 1) - start(first) - 1 - PAD_BYTES);
    }
  }
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) throw corrupt("it is shorter than its index says");
    read += bytesRead;
  }
  return bytes;
}

export function corrupt(reason: string, cause?: unknown): WinnowError {
  return new WinnowError("corpus_corrupt", `A part of the grep export is damaged: ${reason}.`, {
    hint: "Run `winnow index` to write it again.",
    cause,
  });
}

function parseId(text: string): string {
  try {
    const id: unknown = JSON.parse(text);
    if (typeof id === "string") return id;
  } catch {
    // Reported below like any other defect.
  }
  throw corrupt("its index has a malformed line");
}

/** Appends in large writes and knows how much it wrote. */
class FileWriter {
  bytes = 0;
  readonly #file: FileHandle;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(bytes: Buffer): Promise<void> {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.bytes += bytes.length;
    if (this.#pendingBytes >= BUFFER_BYTES) await this.#flush();
  }

  async sync(): Promise<void> {
    await this.#flush();
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (bytes.length > 0) await this.#file.writeFile(bytes);
  }
}

/** Makes the new names durable. Windows cannot open a folder, and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
