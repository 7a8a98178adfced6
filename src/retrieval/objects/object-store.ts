import { createHash } from "node:crypto";
import { WinnowError } from "../../core/errors.ts";
import { downloadObject } from "./download.ts";
import { nextPage, parseListing } from "./listing.ts";
import { type Call, ObjectRequests, type ObjectRequestsOptions, readWhole } from "./requests.ts";
import { uploadFile } from "./upload.ts";

const LISTING_BYTES_MAX = 16 * 2 ** 20;
/** Keys in all pages of a listing. */
const LISTED_MAX = 1_000_000;
/** What is read of the answer to a request that says nothing more than that it was done. */
const DONE_BYTES_MAX = 64 * 1024;

/** What a file is known to hold. */
export interface FileContent {
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

export interface ListedObject {
  /** Behind the prefix of the address. */
  readonly key: string;
  readonly bytes: number;
  /** When it was written by the server's clock, to the second; milliseconds since the epoch. */
  readonly modifiedMs: number;
}

export interface ReadObject {
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedMs: number;
  /** The server's clock. */
  readonly serverMs: number;
}

/** What has to hold for a write to happen. */
export type WriteCondition = { readonly ifMatch: string } | "ifAbsent";

export interface ReadOptions extends Call {
  /** Resolves with `unchanged` where the object still has this ETag. */
  readonly unless?: string | undefined;
  /** `limit_exceeded` beyond. */
  readonly bytesMax: number;
}

/** Objects below an address. Every method rejects as `ObjectRequests` does. */
export class ObjectStore {
  readonly #requests: ObjectRequests;

  constructor(options: ObjectRequestsOptions) {
    this.#requests = new ObjectRequests(options);
  }

  get address() {
    return this.#requests.address;
  }

  /** The server, as messages name it. */
  get where(): string {
    return this.#requests.where;
  }

  /** An object into memory; undefined where there is none. */
  read(key: string, { unless, bytesMax, ...call }: ReadOptions): Promise<ReadObject | "unchanged" | undefined> {
    const headers = (): Record<string, string> => (unless === undefined ? {} : { "if-none-match": unless });
    type Found = ReadObject | "unchanged" | undefined;
    return this.#requests.send<Found>({ method: "GET", key, headers, ...call }, [200, 304, 404], async (answer) => {
      const { status, headers: found, body } = answer;
      if (status === 304) return { answer: "unchanged" };
      if (status === 404) return this.#missing(await readWhole(body, DONE_BYTES_MAX, "An answer"));
      const whole = await readWhole(body, bytesMax, `${this.address.text}/${key}`);
      const serverMs = dateOf(found.get("date")) ?? Date.now();
      const modifiedMs = dateOf(found.get("last-modified")) ?? serverMs;
      return { answer: { body: whole, etag: found.get("etag") ?? "", modifiedMs, serverMs } };
    });
  }

  /** Without an object the answer is undefined; without the bucket it is an error. */
  #missing(body: Buffer): { readonly answer: undefined } {
    if (!body.toString("utf8").includes("<Code>NoSuchBucket</Code>")) return { answer: undefined };
    throw new WinnowError("corpus_not_found", `There is no bucket ${this.address.bucket} at ${this.where}.`, {
      hint: "Check the address, and AWS_ENDPOINT_URL where the server is not AWS's.",
    });
  }

  /** Where its objects lie, whatever the address means elsewhere. */
  get identity(): string {
    return this.#requests.identity;
  }

  /** Writes an object as a whole. False where the condition does not hold; then nothing has changed. */
  write(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    condition: WriteCondition | undefined,
    call: Call = {},
  ): Promise<boolean> {
    const headers = (): Record<string, string> => {
      if (condition === undefined) return {};
      return condition === "ifAbsent" ? { "if-none-match": "*" } : { "if-match": condition.ifMatch };
    };
    const sha256 = createHash("sha256").update(body).digest("hex");
    // 404: what should have been replaced is gone.
    const expected = condition === undefined ? [200] : [200, 412, ...(condition === "ifAbsent" ? [] : [404])];
    return this.#requests.send({ method: "PUT", key, headers, body, sha256, ...call }, expected, async (answer) => {
      const said = await readWhole(answer.body, DONE_BYTES_MAX, "An answer");
      if (answer.status === 404) this.#missing(said);
      return { answer: answer.status === 200 };
    });
  }

  /** Writes a file's content; in parts where it is large. Rejects with what reading the file rejects with. */
  upload(key: string, path: string, content: FileContent, call: Call = {}): Promise<void> {
    return uploadFile(this.#requests, { key, path, content }, call);
  }

  /**
   * Brings an object into a file, whole or not at all, going on where a broken connection stopped. Rejects with
   * `corpus_corrupt` where it is gone or not what it should be.
   */
  download(key: string, path: string, content: FileContent, call: Call = {}): Promise<void> {
    return downloadObject(this.#requests, { key, path, content }, call);
  }

  /** Every object whose key begins so, in order of key. */
  async list(begin: string, call: Call = {}): Promise<readonly ListedObject[]> {
    const { prefix } = this.address;
    const folder = prefix === "" ? "" : `${prefix}/`;
    const objects: ListedObject[] = [];
    for (let token: string | undefined = ""; token !== undefined; ) {
      const query: Record<string, string> = {
        "list-type": "2",
        "encoding-type": "url",
        prefix: `${folder}${begin}`,
        ...(token === "" ? {} : { "continuation-token": token }),
      };
      const text: string = await this.#requests.send({ method: "GET", query, ...call }, [200], async ({ body }) => ({
        answer: (await readWhole(body, LISTING_BYTES_MAX, "A listing")).toString("utf8"),
      }));
      for (const { key, ...rest } of parseListing(text)) {
        if (key.startsWith(folder)) objects.push({ key: key.slice(folder.length), ...rest });
      }
      token = nextPage(text);
      if (objects.length > LISTED_MAX) {
        throw new WinnowError("limit_exceeded", `There are more than ${LISTED_MAX} objects at ${this.address.text}.`);
      }
    }
    return objects;
  }

  /** Deletes an object; one that is not there is deleted already. */
  delete(key: string, call: Call = {}): Promise<void> {
    return this.#requests.send({ method: "DELETE", key, ...call }, [200, 204, 404], async ({ body }) => {
      await readWhole(body, DONE_BYTES_MAX, "An answer");
      return { answer: undefined };
    });
  }
}

function dateOf(header: string | null): number | undefined {
  const ms = Date.parse(header ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
