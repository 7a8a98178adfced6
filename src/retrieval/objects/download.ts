import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import type { FileContent } from "./object-store.ts";
import type { Answer, Call, ObjectRequests } from "./requests.ts";

/** Ends the name of a file that is not whole yet. */
export const PARTIAL_SUFFIX = ".part";

interface Wanted {
  readonly key: string;
  readonly path: string;
  readonly content: FileContent;
}

/** See `ObjectStore.download`. */
export async function downloadObject(
  requests: ObjectRequests,
  { key, path, content }: Wanted,
  call: Call,
): Promise<void> {
  const partial = `${path}.${process.pid}${PARTIAL_SUFFIX}`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(partial, "w", 0o600);
  try {
    const sink = new Sink(file, content, `${requests.address.text}/${key}`);
    while (!sink.isWhole) {
      const before = sink.received;
      // What has come is kept: an attempt asks for the rest only.
      await requests.send(
        { method: "GET", key, headers: () => sink.range(), ...call },
        [200, 206, 404, 416],
        (answer) => sink.take(answer),
      );
      if (!sink.isWhole && sink.received <= before) break;
    }
    sink.check();
    await file.sync();
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(partial, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** The part of an object that has come so far. */
class Sink {
  received = 0;
  readonly #file: FileHandle;
  readonly #content: FileContent;
  readonly #name: string;
  #hash: Hash = createHash("sha256");

  constructor(file: FileHandle, content: FileContent, name: string) {
    this.#file = file;
    this.#content = content;
    this.#name = name;
  }

  get isWhole(): boolean {
    return this.received === this.#content.bytes;
  }

  range(): Record<string, string> {
    return this.received === 0 ? {} : { range: `bytes=${this.received}-` };
  }

  /** Answers also where the body ends early; throws what breaks the connection. */
  async take({ status, body }: Answer): Promise<{ readonly answer: undefined }> {
    if (status === 404) throw this.#spoiled("it is gone");
    if (status === 416) throw this.#spoiled("it is shorter than it should be");
    // A server that does not know ranges sends all of it again.
    if (status === 200 && this.received > 0) this.#restart();
    for await (const part of body) {
      if (this.received + part.byteLength > this.#content.bytes) {
        throw this.#spoiled("it is longer than it should be");
      }
      await this.#file.write(part, 0, part.byteLength, this.received).catch((error: unknown) => {
        // Of this machine's disk, not of the connection.
        throw toWinnowError(error, "store_failed");
      });
      this.#hash.update(part);
      this.received += part.byteLength;
    }
    return { answer: undefined };
  }

  #restart(): void {
    this.received = 0;
    this.#hash = createHash("sha256");
  }

  check(): void {
    if (!this.isWhole) throw this.#spoiled("it ends early");
    if (this.#hash.digest("hex") !== this.#content.sha256) throw this.#spoiled("its content is not what was published");
  }

  #spoiled(reason: string): WinnowError {
    return new WinnowError("corpus_corrupt", `${this.#name} is damaged: ${reason}.`, {
      hint: "Publish the index again, where it was made, with: winnow copy",
    });
  }
}
