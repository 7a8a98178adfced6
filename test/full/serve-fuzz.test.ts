import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wellFormed as wellFormedText } from "../../src/core/text.ts";
import { runCommand } from "../support/command.ts";
import { type Packed, packAndUnpack } from "../support/packed.ts";
import { call, type Served, startServe } from "../support/serve.ts";

const RUNS = 50 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const ANSWER_MS_MAX = 5_000;

let packed: Packed & { remove(): void };
let server: Served;
beforeAll(async () => {
  packed = packAndUnpack();
  const folder = join(packed.folder, "fuzz");
  mkdirSync(join(folder, "docs"), { recursive: true });
  writeFileSync(join(folder, "docs", "walrus.md"), "# Walrus\n\nThe walrus lives in hall nine.\n");
  const indexed = await runCommand(packed.cli, ["index", "docs"], { cwd: folder, home: packed.home });
  expect(indexed.code).toBe(0);
  server = await startServe(packed, folder, ["--quiet"]);
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  packed.remove();
});

/** What comes back for bytes on a connection of its own, until it is closed; `ends` closes our side of it at once. */
function exchange(bytes: Buffer, ends: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => {
      if (ends) socket.end(bytes);
      else socket.write(bytes);
    });
    const late = setTimeout(() => {
      socket.destroy();
      reject(new Error(`There is no answer to ${JSON.stringify(bytes.toString("latin1").slice(0, 300))}`));
    }, ANSWER_MS_MAX);
    socket.setEncoding("latin1").on("data", (part: string) => {
      text += part;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(late);
      resolve(text);
    });
  });
}

const PATHS = [
  "/",
  "/v1/search",
  "/v1/find",
  "/v1/read",
  "/v1/runs",
  "/v1/runs/a",
  "/v1/recent",
  "/v1/corpora",
  "/metrics",
];
const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "../../etc/passwd",
    "%00",
    "%",
    "a\u0000b",
    "\ud800",
    "-0",
    "1e999",
    "null",
  ),
);
const oddJson = fc.oneof(
  fc.jsonValue(),
  fc.record(
    { query: fc.oneof(oddText, fc.jsonValue()), where: fc.jsonValue(), k: fc.jsonValue(), mode: fc.jsonValue() },
    { requiredKeys: [] },
  ),
);
const body = fc.oneof(
  oddJson.map((value) => JSON.stringify(value) ?? ""),
  fc.string({ unit: "binary" }),
  fc.integer({ min: 1, max: 100_000 }).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
);
const query = fc
  .array(
    fc.tuple(fc.oneof(fc.constantFrom("document", "n", "k", "since", "where", "corpora", "lines"), oddText), oddText),
    { maxLength: 4 },
  )
  .map((pairs) =>
    pairs.length === 0 ? "" : `?${pairs.map(([key, value]) => `${encode(key)}=${encode(value)}`).join("&")}`,
  );
const wellFormed = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"),
  path: fc.oneof(
    fc.constantFrom(...PATHS),
    oddText.map((text) => `/${encode(text)}`),
  ),
  query,
  type: fc.constantFrom("application/json", "application/json;charset=utf-8", "text/plain", ""),
  body,
});

/** Lone surrogates have no percent encoding. */
const encode = (text: string): string => encodeURIComponent(wellFormedText(text));

function bytesOf(request: typeof wellFormed extends fc.Arbitrary<infer Value> ? Value : never): Buffer {
  const content = Buffer.from(request.method === "POST" ? request.body : "");
  const head = [
    `${request.method} ${request.path}${request.query} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: close",
    ...(request.type === "" ? [] : [`Content-Type: ${request.type}`]),
    `Content-Length: ${content.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), content]);
}

test("whatever a request asks, the answer says what is wrong with it, and never that the server is at fault", async () => {
  const property = fc.asyncProperty(wellFormed, async (request) => {
    const text = await exchange(bytesOf(request), false);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
    expect(status, text.slice(0, 500)).toBeGreaterThanOrEqual(200);
    expect(status, text.slice(0, 500)).toBeLessThan(500);
    if (status >= 400 && request.method !== "HEAD") expect(text).toMatch(/\{"error":\{"code":"[a-z_]+","message":"/);
  });
  await fc.assert(property, { numRuns: RUNS });
  expect((await call(server, "GET", "/healthz")).status).toBe(200);
});

test("bytes that are no HTTP end their connection, and nothing else", async () => {
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(wellFormed, fc.nat()).map(([request, cut]) => {
      const bytes = bytesOf(request);
      return bytes.subarray(0, cut % bytes.length);
    }),
  );
  const property = fc.asyncProperty(junk, async (bytes) => {
    expect(await exchange(bytes, true)).toMatch(/^$|^HTTP\/1\.1 [2-4]\d\d /);
  });
  await fc.assert(property, { numRuns: RUNS });
  expect((await call(server, "GET", "/healthz")).status).toBe(200);
});
