import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { WinnowError } from "../../core/errors.ts";
import type { FileContent } from "./object-store.ts";
import { type Call, type ObjectRequests, readWhole } from "./requests.ts";

/** What is sent, and held in memory, at once. Servers take parts from 5 MiB on. */
const PART_BYTES = 16 * 2 ** 20;
/** Of one object, by S3's rules. */
const PARTS_MAX = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;

interface Source {
  readonly key: string;
  readonly path: string;
  readonly content: FileContent;
}

/** See `ObjectStore.upload`. */
export async function uploadFile(requests: ObjectRequests, source: Source, call: Call): Promise<void> {
  const file = await open(source.path, "r");
  try {
    if (source.content.bytes > PART_BYTES) return await uploadParts(requests, file, source, call);
    const body = await readPart(file, 0, source.content.bytes);
    const { key } = source;
    // The hash is the one that the object will be known by: a file that changed meanwhile is refused by the server.
    await requests.send({ method: "PUT", key, body, sha256: source.content.sha256, ...call }, [200], async (answer) => {
      await readWhole(answer.body, ANSWER_BYTES_MAX, "An answer");
      return { answer: undefined };
    });
  } finally {
    await file.close();
  }
}

/** Parts one after the other. Given up, it leaves nothing behind but what a kill leaves. */
async function uploadParts(
  requests: ObjectRequests,
  file: FileHandle,
  { key, content }: Source,
  call: Call,
): Promise<void> {
  const ask = (query: Record<string, string>, body: Uint8Array<ArrayBuffer> | undefined, method: "POST" | "PUT") =>
    requests.send(
      { method, key, query, body, ...(body && { sha256: sha256Of(body) }), ...call },
      [200],
      async (answer) => ({
        answer: {
          text: (await readWhole(answer.body, ANSWER_BYTES_MAX, "An answer")).toString("utf8"),
          etag: answer.headers.get("etag") ?? "",
        },
      }),
    );
  const begun = await ask({ uploads: "" }, undefined, "POST");
  const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(begun.text)?.[1];
  if (uploadId === undefined) throw unusable(requests);
  try {
    const size = Math.max(PART_BYTES, Math.ceil(content.bytes / PARTS_MAX));
    const etags: string[] = [];
    const whole = createHash("sha256");
    for (let at = 0; at < content.bytes; at += size) {
      const body = await readPart(file, at, Math.min(size, content.bytes - at));
      whole.update(body);
      const { etag } = await ask({ partNumber: String(etags.length + 1), uploadId }, body, "PUT");
      etags.push(etag);
    }
    if (whole.digest("hex") !== content.sha256) throw changed();
    const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const list = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const { text } = await ask({ uploadId }, new Uint8Array(Buffer.from(list)), "POST");
    // Such a request may fail behind a status that says otherwise, because its answer begins before its work has ended.
    if (!text.includes("CompleteMultipartUploadResult>")) throw unusable(requests);
  } catch (error) {
    const gone = { method: "DELETE", key, query: { uploadId }, attemptsMax: 1 } as const;
    await requests.send(gone, [204, 404], async () => ({ answer: undefined })).catch(() => undefined);
    throw error;
  }
}

async function readPart(file: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const part = new Uint8Array(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await file.read(part, read, length - read, position + read);
    if (bytesRead === 0) throw changed();
    read += bytesRead;
  }
  return part;
}

function sha256Of(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

function changed(): WinnowError {
  return new WinnowError("store_failed", "A file of the index changed while it was published.", { retryable: true });
}

function unusable({ where }: ObjectRequests): WinnowError {
  return new WinnowError("store_failed", `${where} did not put an object together that was sent in parts.`, {
    hint: "Try again later.",
    retryable: true,
  });
}
