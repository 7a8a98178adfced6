import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WinnowError } from "../../core/errors.ts";
import { parseObjectAddress } from "../../core/object-address.ts";
import { type MemoryObjects, memoryObjects } from "../../testing/memory-objects.ts";
import { objectAccess } from "./access.ts";
import { ObjectStore } from "./object-store.ts";

const IDLE_MS = 300;
const bytesMax = 1_000;

let server: MemoryObjects;
let folder: string;
let pauses: number[];
beforeEach(async () => {
  server = await memoryObjects();
  folder = await mkdtemp(join(tmpdir(), "winnow-objects-"));
  pauses = [];
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function open(address = "s3://bucket/team"): ObjectStore {
  return new ObjectStore({
    address: parseObjectAddress(address),
    access: objectAccess(server.environment),
    idleMs: IDLE_MS,
    effects: {
      random: () => 0,
      sleep: async (ms) => {
        pauses.push(ms);
      },
    },
  });
}
/** What a call rejects with. */
const rejection = (call: Promise<unknown>): Promise<WinnowError> =>
  call.then(
    () => Promise.reject(new Error("It did not reject.")),
    (error: WinnowError) => error,
  );
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const contentOf = (text: string) => ({
  bytes: Buffer.byteLength(text),
  sha256: createHash("sha256").update(text).digest("hex"),
});
function hold(key: string, text: string): void {
  server.objects.set(key, { body: Buffer.from(text), modifiedMs: server.nowMs });
}

describe("objects below a prefix", () => {
  test("are read, and not sent again where they have not changed", async () => {
    hold("team/manifest.json", "one");
    const store = open();
    const read = await store.read("manifest.json", { bytesMax });
    expect(read).toMatchObject({ modifiedMs: server.nowMs, serverMs: server.nowMs });
    if (read === undefined || read === "unchanged") throw new Error("nothing was read");
    expect(read.body.toString()).toBe("one");
    expect(await store.read("manifest.json", { bytesMax, unless: read.etag })).toBe("unchanged");
    expect(await store.read("absent", { bytesMax })).toBeUndefined();
    await expect(store.read("manifest.json", { bytesMax: 2 })).rejects.toMatchObject({ code: "limit_exceeded" });
  });

  test("are written under a condition only where it holds", async () => {
    const store = open();
    expect(await store.write("m", bytes("one"), "ifAbsent")).toBe(true);
    expect(await store.write("m", bytes("two"), "ifAbsent")).toBe(false);
    const read = await store.read("m", { bytesMax });
    const etag = typeof read === "object" ? read.etag : "";
    expect(await store.write("m", bytes("three"), { ifMatch: etag })).toBe(true);
    expect(await store.write("m", bytes("four"), { ifMatch: etag })).toBe(false);
    expect(await store.write("gone", bytes("four"), { ifMatch: etag })).toBe(false);
    expect(server.objects.get("team/m")?.body.toString()).toBe("three");
  });

  test("are listed over several pages, those of other prefixes left out", async () => {
    for (let i = 10; i < 30; i++) hold(`team/objects/${i} &+%`, "x".repeat(i));
    hold("team2/objects/1", "x");
    hold("team/manifest.json", "x");
    const listed = await open().list("objects/");
    expect(listed.map(({ key }) => key)).toEqual(Array.from({ length: 20 }, (_, i) => `objects/${i + 10} &+%`));
    expect(listed[3]).toEqual({ key: "objects/13 &+%", bytes: 13, modifiedMs: server.nowMs });
  });

  test("may be the whole bucket's", async () => {
    const store = open("s3://bucket");
    await store.write("objects/a", bytes("a"), undefined);
    expect([...server.objects.keys()]).toEqual(["objects/a"]);
    expect(await store.list("objects/")).toHaveLength(1);
    await store.delete("objects/a");
    await store.delete("objects/a");
    expect(server.objects.size).toBe(0);
  });
});

describe("a server that fails", () => {
  test("is asked again after the pause that it asks for, with jitter", async () => {
    hold("team/m", "one");
    let left = 2;
    server.before = () =>
      left-- > 0
        ? { status: 503, headers: { "retry-after": "3" }, body: "<Error><Code>SlowDown</Code></Error>" }
        : undefined;
    expect(await open().read("m", { bytesMax })).toMatchObject({ body: Buffer.from("one") });
    expect(pauses).toEqual([3_000, 3_000]);
  });

  test("is given up after five attempts, and at once where it asks for too long a pause", async () => {
    server.before = () => ({ status: 500 });
    await expect(open().read("m", { bytesMax })).rejects.toMatchObject({ code: "store_failed", retryable: true });
    expect(server.requests).toHaveLength(5);
    server.before = () => ({ status: 503, headers: { "retry-after": "3600" } });
    await expect(open().read("m", { bytesMax })).rejects.toMatchObject({ retryable: true });
    expect(server.requests).toHaveLength(6);
  });

  test("is not waited for once it stands still", async () => {
    server.before = () => new Promise(() => undefined);
    const error = await rejection(open().read("m", { bytesMax, attemptsMax: 2 }));
    expect(error).toMatchObject({
      code: "timeout",
      message: `${server.environment["AWS_ENDPOINT_URL"]} did not answer within 300 ms.`,
    });
    expect(server.requests).toHaveLength(2);
  });

  test("is left alone when the caller cancels", async () => {
    server.before = () => new Promise(() => undefined);
    const abort = new AbortController();
    const read = open().read("m", { bytesMax, signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(read).rejects.toMatchObject({ code: "cancelled" });
    expect(server.requests).toHaveLength(1);
  });

  test("that cannot be reached is named", async () => {
    const store = open();
    await server.close();
    await expect(store.read("m", { bytesMax, attemptsMax: 1 })).rejects.toMatchObject({
      code: "store_failed",
      message: expect.stringContaining("cannot be reached: ECONNREFUSED"),
      retryable: true,
    });
  });

  test.each([
    [403, "InvalidAccessKeyId", "does not know this key"],
    [403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY is not that"],
    [400, "ExpiredToken", "have expired"],
    [403, "AccessDenied", "may not do this"],
    [403, "RequestTimeTooSkewed", "clock"],
    [403, "Whatever", "Set AWS_ACCESS_KEY_ID"],
  ])("says what a refusal means: %i %s", async (status, code, hint) => {
    const body = `<Error><Code>${code}</Code><Message>KEYID with SECRET \u001b[31m</Message></Error>`;
    server.before = () => ({ status, body });
    const error = await rejection(open().read("m", { bytesMax }));
    expect(error).toMatchObject({ code: "store_failed", hint: expect.stringContaining(hint), retryable: false });
    expect(error.message).toContain(`answered ${status} (${code}: … with …`);
    expect(JSON.stringify([error.message, error.hint])).not.toMatch(/KEYID|SECRET(?!_)|\\u001b/);
    expect(server.requests).toHaveLength(1);
  });

  test("says where a bucket is, and where there is none", async () => {
    server.before = () => ({ status: 301, headers: { "x-amz-bucket-region": "eu-central-1", location: "/elsewhere" } });
    await expect(open().read("m", { bytesMax })).rejects.toMatchObject({
      message: "The bucket bucket is in the region eu-central-1.",
      hint: "Set AWS_REGION to it.",
    });
    server.before = () => undefined;
    const nowhere = open("s3://nowhere/team");
    for (const call of [
      () => nowhere.read("m", { bytesMax }),
      () => nowhere.list("objects/"),
      () => nowhere.write("m", bytes("x"), { ifMatch: "x" }),
      () => nowhere.write("m", bytes("x"), "ifAbsent"),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: "corpus_not_found",
        message: expect.stringContaining("nowhere"),
      });
    }
  });

  test("that speaks no S3 is told apart from an empty one", async () => {
    server.before = () => ({ status: 200, body: "<html>Welcome</html>" });
    await expect(open().list("objects/")).rejects.toMatchObject({ code: "store_failed" });
  });
});

describe("a file", () => {
  const text = "0123456789".repeat(10_000);
  const path = () => join(folder, "deep", "file");

  test("is brought whole, going on where the connection broke", async () => {
    hold("team/f", text);
    let left = 2;
    // Sends only so many bytes at a time, whatever was asked for.
    server.before = ({ headers }) => {
      const from = Number(/\d+/.exec(headers.range ?? "")?.[0] ?? 0);
      return left-- > 0 ? { status: from > 0 ? 206 : 200, body: text.slice(from, from + 30_000) } : undefined;
    };
    await open().download("f", path(), contentOf(text));
    expect(await readFile(path(), "utf8")).toBe(text);
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=30000-", "bytes=60000-"]);
    expect(await readdir(join(folder, "deep"))).toEqual(["file"]);
  });

  test("is brought again from its beginning by a server without ranges", async () => {
    hold("team/f", text);
    let first = true;
    server.before = () => {
      const part = first ? text.slice(0, 1_000) : text;
      first = false;
      return { status: 200, body: part };
    };
    await open().download("f", path(), contentOf(text));
    expect(await readFile(path(), "utf8")).toBe(text);
  });

  test.each([
    ["other content", text.replace("5", "x"), "its content is not what was published"],
    ["more", `${text}x`, "it is longer"],
    ["less", text.slice(1), "it is shorter"],
    ["nothing", undefined, "it is gone"],
  ])("leaves nothing behind where the object holds %s", async (_, held, reason) => {
    if (held !== undefined) hold("team/f", held);
    server.before = ({ headers }) => (headers.range === `bytes=${text.length - 1}-` ? { status: 416 } : undefined);
    const error = await rejection(open().download("f", path(), contentOf(text)));
    expect(error).toMatchObject({ code: "corpus_corrupt", message: expect.stringContaining(reason) });
    expect(await readdir(join(folder, "deep"))).toEqual([]);
  });

  test("is sent under its hash: one that changed meanwhile is refused", async () => {
    const file = join(folder, "file");
    await writeFile(file, "content");
    await open().upload("f", file, contentOf("content"));
    expect(server.objects.get("team/f")?.body.toString()).toBe("content");
    await writeFile(file, "CONTENT");
    await expect(open().upload("g", file, contentOf("content"))).rejects.toMatchObject({ code: "store_failed" });
    expect(server.objects.has("team/g")).toBe(false);
  });
});
