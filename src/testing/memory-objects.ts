import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface StoredObject {
  readonly body: Buffer;
  readonly modifiedMs: number;
}

/** What a test sees of a request. */
export interface SeenRequest {
  readonly method: string;
  /** Behind the bucket, decoded. */
  readonly key: string;
  readonly headers: IncomingMessage["headers"];
}

/** What is answered in the place of the store. */
export interface InPlace {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** An object store in memory that speaks as much of S3 as Winnow asks for, on a port of its own. For tests. */
export interface MemoryObjects {
  readonly environment: Readonly<Record<string, string>>;
  /** By key, without the bucket. */
  readonly objects: Map<string, StoredObject>;
  readonly requests: SeenRequest[];
  /** The server's clock. */
  nowMs: number;
  /** Asked before each request; undefined lets it through. May wait. */
  before: (request: SeenRequest) => InPlace | undefined | Promise<InPlace | undefined>;
  /** Asked once a request was done; undefined lets its answer through. */
  after: (request: SeenRequest) => InPlace | undefined;
  close(): Promise<void>;
}

/** Objects in one page of a listing: few, so that listings have several. */
const PAGE_OBJECTS = 7;
const BUCKET = "bucket";

export async function memoryObjects(): Promise<MemoryObjects> {
  const objects = new Map<string, StoredObject>();
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, bucket, ...path] = url.pathname.split("/").map(decodeURIComponent);
    const seen = { method: request.method ?? "GET", key: path.join("/"), headers: request.headers };
    store.requests.push(seen);
    const act = (): InPlace =>
      bucket === BUCKET ? done(store, seen, url.searchParams, Buffer.concat(parts)) : failed(404, "NoSuchBucket");
    const own = (await store.before(seen)) ?? act();
    const { status, headers, body } = store.after(seen) ?? own;
    response.writeHead(status, { date: new Date(store.nowMs).toUTCString(), ...headers });
    response.end(body);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const place = server.address();
  if (place === null || typeof place === "string") throw new Error("no port");
  const store: MemoryObjects = {
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${place.port}`,
      AWS_ACCESS_KEY_ID: "KEYID",
      AWS_SECRET_ACCESS_KEY: "SECRET",
    },
    objects,
    requests: [],
    nowMs: Date.parse("2026-03-01T00:00:00Z"),
    before: () => undefined,
    after: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return store;
}

/** What the store itself answers. */
function done(
  { objects, nowMs }: Pick<MemoryObjects, "objects" | "nowMs">,
  { method, key, headers }: SeenRequest,
  query: URLSearchParams,
  body: Buffer,
): InPlace {
  if (key === "") return list(objects, query);
  const held = objects.get(key);
  if (method === "DELETE") {
    objects.delete(key);
    return { status: 204 };
  }
  if (method === "PUT") {
    if (headers["if-none-match"] === "*" && held !== undefined) return failed(412, "PreconditionFailed");
    const wanted = headers["if-match"];
    if (wanted !== undefined && held === undefined) return failed(404, "NoSuchKey");
    if (wanted !== undefined && held !== undefined && wanted !== etagOf(held)) return failed(412, "PreconditionFailed");
    if (createHash("sha256").update(body).digest("hex") !== headers["x-amz-content-sha256"]) {
      return failed(400, "XAmzContentSHA256Mismatch");
    }
    objects.set(key, { body, modifiedMs: nowMs });
    return { status: 200 };
  }
  if (held === undefined) return failed(404, "NoSuchKey");
  if (headers["if-none-match"] === etagOf(held)) return { status: 304 };
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
  const about = { etag: etagOf(held), "last-modified": new Date(held.modifiedMs).toUTCString() };
  return { status: from > 0 ? 206 : 200, headers: about, body: held.body.subarray(from) };
}

function list(objects: MemoryObjects["objects"], query: URLSearchParams): InPlace {
  const behind = query.get("continuation-token") ?? "";
  const keys = [...objects.keys()].filter((key) => key.startsWith(query.get("prefix") ?? "") && key > behind).sort();
  const page = keys.slice(0, PAGE_OBJECTS);
  const entries = page.map((key) => {
    const { body, modifiedMs } = objects.get(key) as StoredObject;
    const time = new Date(modifiedMs).toISOString();
    return `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>${time}</LastModified><Size>${body.length}</Size></Contents>`;
  });
  const isLast = page.length === keys.length;
  const next = isLast ? "" : `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>`;
  const body = `<ListBucketResult><IsTruncated>${!isLast}</IsTruncated>${next}${entries.join("")}</ListBucketResult>`;
  return { status: 200, body };
}

function etagOf({ body }: StoredObject): string {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}

function failed(status: number, code: string): InPlace {
  return { status, body: `<Error><Code>${code}</Code><Message>The words of ${code}.</Message></Error>` };
}
