import { createHash, randomBytes } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod/mini";
import { isAddress } from "../../core/address.ts";
import { readPlain } from "../../core/plain-file.ts";
import { dataFiles, stampOf } from "../../retrieval/chroma/server/data-files.ts";

const FILE = "attachment.json";
const SCHEMA = "attachment/1";
const FILE_BYTES_MAX = 1_000_000;

const attachmentSchema = z.object({
  schema: z.literal(SCHEMA),
  collectionId: z.string(),
  dimension: z.nullable(z.int()),
  records: z.int(),
  scannedAt: z.string(),
  shape: z.string(),
  place: z.optional(z.string()),
  stamp: z.nullable(z.string()),
});

/** What the words of an attached collection were made of; written after them, so that it is never ahead of them. */
export interface Attachment {
  /** The server's own id: a collection made anew under the same name has another. */
  readonly collectionId: string;
  readonly dimension: number | null;
  readonly records: number;
  /** ISO 8601. */
  readonly scannedAt: string;
  /** How its records were read as documents. */
  readonly shape: string;
  /** Of several servers the one that was read; absent in older files. */
  readonly place?: string | undefined;
  /** State of the data directory's files before they were read; null for a server. */
  readonly stamp: string | null;
}

/** Undefined where nothing was finished yet, or the file is damaged: the collection is then looked at again. */
export async function readAttachment(folder: string): Promise<Attachment | undefined> {
  try {
    const parsed = attachmentSchema.safeParse(JSON.parse(await readPlain(join(folder, FILE), FILE_BYTES_MAX)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

export async function writeAttachment(folder: string, attachment: Attachment): Promise<void> {
  const path = join(folder, FILE);
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  await writeFile(temporary, `${JSON.stringify({ schema: SCHEMA, ...attachment })}\n`);
  await rename(temporary, path);
}

/** A digest of the state of a data directory's files; null for a server. Rejects with `corpus_not_found`. */
export async function placeStamp(place: string): Promise<string | null> {
  if (isAddress(place)) return null;
  return createHash("sha256")
    .update(stampOf(await dataFiles(place)))
    .digest("hex");
}
