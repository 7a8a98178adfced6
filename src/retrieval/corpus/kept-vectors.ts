import { createHash } from "node:crypto";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { z } from "zod/mini";
import { systemErrorCode, WinnowError } from "../../core/errors.ts";
import type { EmbedderIdentity } from "../find/embed-query.ts";

/**
 * The vectors that an unfinished re-embedding has made, so that the next one need not pay for them again. One header
 * line, then records of one length: the key of a text, its vector (float32, little-endian), a checksum of both. Only
 * ever appended to; what a kill or a crash of the machine tore off does not check, and is cut off with all behind it.
 */
const FORMAT = "kept-vectors/1";
const HEADER_BYTES_MAX = 4_096;
/** Half of a SHA-256: texts that differ do not meet in it by chance or by effort. */
const KEY_BYTES = 16;
const CHECKSUM_BYTES = 4;
const NUMBER_BYTES = 4;
/** Read at once while the file is checked. */
const READ_BYTES = 4 * 2 ** 20;

const headerSchema = z.object({
  format: z.literal(FORMAT),
  embedder: z.object({ name: z.string(), dimension: z.int().check(z.positive()) }),
  table: z.string(),
});

/** What the vectors are for. */
export interface KeptHeader {
  readonly embedder: EmbedderIdentity;
  /** The table that the run builds: once the manifest names it, the run has ended. */
  readonly table: string;
}

/** What a text is known by, whichever chunk it stands in. */
export function textKey(text: string): string {
  return createHash("sha256").update(text).digest().toString("latin1", 0, KEY_BYTES);
}

/** Whom the kept vectors are of; undefined where none are kept or the file is damaged. */
export async function readKeptHeader(path: string): Promise<KeptHeader | undefined> {
  const file = await openIfPresent(path, "r");
  try {
    return (await headerOf(file))?.header;
  } finally {
    await file?.close();
  }
}

/** For one process at a time. Rejects with what the file system rejects with. */
export class KeptVectors {
  readonly table: string;
  /** Records that an earlier run left. */
  readonly earlier: number;
  readonly #file: FileHandle;
  readonly #dimension: number;
  readonly #firstByte: number;
  /** Number of each key's record. */
  readonly #records: Map<string, number>;

  private constructor(file: FileHandle, header: KeptHeader, firstByte: number, records: Map<string, number>) {
    this.table = header.table;
    this.earlier = records.size;
    this.#file = file;
    this.#dimension = header.embedder.dimension;
    this.#firstByte = firstByte;
    this.#records = records;
  }

  /** Goes on with the vectors kept there if they are of the wanted embedder and not of the table `ended`, else anew. */
  static async open(path: string, wanted: KeptHeader, ended: string): Promise<KeptVectors> {
    const file = (await openIfPresent(path, "r+")) ?? (await open(path, "w+"));
    try {
      const found = await headerOf(file);
      if (found !== undefined && found.header.table !== ended && sameEmbedder(found.header, wanted)) {
        const { header, bytes } = found;
        const records = await readRecords(file, bytes, header.embedder.dimension);
        await file.truncate(bytes + records.size * recordBytes(header.embedder.dimension));
        return new KeptVectors(file, header, bytes, records);
      }
      const line = Buffer.from(`${JSON.stringify({ format: FORMAT, ...wanted })}\n`);
      await file.truncate(0);
      await writeAll(file, line, 0);
      return new KeptVectors(file, wanted, line.length, new Map());
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Whether an earlier run left the vector of this key. */
  isEarlier(key: string): boolean {
    return (this.#records.get(key) ?? this.earlier) < this.earlier;
  }

  /** The vectors of those keys that are kept. */
  async read(keys: Iterable<string>): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    const bytes = this.#dimension * NUMBER_BYTES;
    for (const key of new Set(keys)) {
      const record = this.#records.get(key);
      if (record === undefined) continue;
      const vector = new Float32Array(this.#dimension);
      const position = this.#firstByte + record * recordBytes(this.#dimension) + KEY_BYTES;
      const { bytesRead } = await this.#file.read(new Uint8Array(vector.buffer), 0, bytes, position);
      if (bytesRead !== bytes) throw new WinnowError("store_failed", "The file of kept vectors was cut off meanwhile.");
      found.set(key, vector);
    }
    return found;
  }

  /** Keeps vectors of keys that are not kept yet; once it has resolved no kill loses them. */
  async append(vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
    if (vectors.size === 0) return;
    const bytes = recordBytes(this.#dimension);
    const block = Buffer.alloc(vectors.size * bytes);
    let end = 0;
    for (const [key, vector] of vectors) {
      const record = block.subarray(end, end + bytes);
      record.write(key, 0, KEY_BYTES, "latin1");
      record.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), KEY_BYTES);
      record.writeUInt32LE(checksumOf(record), bytes - CHECKSUM_BYTES);
      end += bytes;
    }
    await writeAll(this.#file, block, this.#firstByte + this.#records.size * bytes);
    await this.#file.datasync();
    for (const key of vectors.keys()) this.#records.set(key, this.#records.size);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

export async function removeKeptVectors(path: string): Promise<void> {
  await rm(path, { force: true });
}

async function openIfPresent(path: string, flags: string): Promise<FileHandle | undefined> {
  try {
    if (!(await stat(path)).isFile()) {
      throw new WinnowError("store_failed", `${path} is not a file.`, { hint: "Move it away and try again." });
    }
    return await open(path, flags);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function headerOf(
  file: FileHandle | undefined,
): Promise<{ readonly header: KeptHeader; readonly bytes: number } | undefined> {
  if (file === undefined) return undefined;
  const start = Buffer.alloc(HEADER_BYTES_MAX);
  const { bytesRead } = await file.read(start, 0, start.length, 0);
  const end = start.subarray(0, bytesRead).indexOf(10);
  if (end < 0) return undefined;
  try {
    const parsed = headerSchema.safeParse(JSON.parse(start.toString("utf8", 0, end)));
    return parsed.success ? { header: parsed.data, bytes: end + 1 } : undefined;
  } catch {
    return undefined;
  }
}

/** A disk that is nearly full takes a part without an error; the rest then meets it. */
async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

function sameEmbedder({ embedder: a }: KeptHeader, { embedder: b }: KeptHeader): boolean {
  return a.name === b.name && a.dimension === b.dimension;
}

function recordBytes(dimension: number): number {
  return KEY_BYTES + dimension * NUMBER_BYTES + CHECKSUM_BYTES;
}

function checksumOf(record: Buffer): number {
  return crc32(record.subarray(0, -CHECKSUM_BYTES));
}

/** The keys of the records up to the first that is torn, damaged or a repeat. */
async function readRecords(file: FileHandle, firstByte: number, dimension: number): Promise<Map<string, number>> {
  const records = new Map<string, number>();
  const bytes = recordBytes(dimension);
  const block = Buffer.alloc(Math.max(1, Math.floor(READ_BYTES / bytes)) * bytes);
  for (;;) {
    const { bytesRead } = await file.read(block, 0, block.length, firstByte + records.size * bytes);
    const whole = Math.floor(bytesRead / bytes);
    for (let i = 0; i < whole; i++) {
      const record = block.subarray(i * bytes, (i + 1) * bytes);
      const key = record.toString("latin1", 0, KEY_BYTES);
      if (record.readUInt32LE(bytes - CHECKSUM_BYTES) !== checksumOf(record) || records.has(key)) return records;
      records.set(key, records.size);
    }
    if (whole === 0) return records;
  }
}
