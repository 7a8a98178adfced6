import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { layOut } from "../../scripts/demo/corpus.mjs";
import * as answers from "../../src/http/answers.ts";
import { startWireServer, type WireScript, type WireServer } from "../../src/testing/wire-server.ts";
import { runCommand } from "../support/command.ts";
import { checkout, type Packed, packAndUnpack } from "../support/packed.ts";
import { call, eventsOf, type Served, startServe } from "../support/serve.ts";
import { skipUnless } from "../support/skip-unless.ts";

/** What the process may take at its peak, the store's binary and the embedder included. */
const RSS_BYTES_MAX = 1_000 * 2 ** 20;
const STREAMS = 200;
const IDLE_CONNECTIONS = 1_000;
const SLOW_CLIENTS = 10;
const QUESTIONS = [
  "How do I mock the HTTP requests that my Fastify server makes with undici while I test its routes?",
  "What is a MockPool, and how is it told from a MockAgent?",
  "Which logger does Fastify use, and how are secrets kept out of its log?",
  "How does the AI SDK report telemetry of tool calls?",
  "When does an undici Pool open another connection?",
];

const { describe, test } = skipUnless(process.platform === "linux", "peaks of memory are read from /proc.");

let packed: Packed & { remove(): void };
let folder: string;
beforeAll(async () => {
  packed = packAndUnpack();
  folder = join(packed.folder, "load");
  mkdirSync(folder);
  layOut(checkout, join(folder, "docs"));
  const indexed = await runCommand(packed.cli, ["index", "docs"], { cwd: folder, home: packed.home });
  expect(indexed.code).toBe(0);
});
afterAll(() => packed.remove());

/** The most memory that a process has ever had, bytes. */
function peakOf({ pid }: Served): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

async function metric(server: Served, name: string): Promise<number> {
  const { text } = await call(server, "GET", "/metrics");
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")[1] ?? 0,
  );
}

/** Connections to a server; each is told what to send first. */
async function connections(server: Served, count: number, first: string): Promise<Socket[]> {
  const { port } = new URL(server.url);
  return Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(Number(port), "127.0.0.1", () => {
            if (first !== "") socket.write(first);
            resolve(socket);
          });
          socket.once("error", reject);
        }),
    ),
  );
}

describe("many callers at once", () => {
  test(`${STREAMS} streams all end with a result, in bounded memory`, async () => {
    const server = await startServe(packed, folder, ["--max-runs", "8", "--max-waiting", "256", "--quiet"]);
    const before = peakOf(server);
    const started = performance.now();
    const streams = await Promise.all(
      Array.from({ length: STREAMS }, (_, i) => eventsOf(server, { query: QUESTIONS[i % QUESTIONS.length], k: 5 })),
    );
    const seconds = (performance.now() - started) / 1000;
    const results = streams.map((events) => answers.searchResult.parse(events.at(-1)?.data));
    for (const { stopReason, documents } of results) {
      expect(stopReason).toBe("finished");
      expect(documents.length).toBeGreaterThan(0);
    }
    const ids = results.map(({ runId }) => runId);
    expect(new Set(ids).size).toBe(STREAMS);
    const peak = peakOf(server);
    console.log(
      `${STREAMS} streams in ${seconds.toFixed(1)} s; peak memory ${Math.round(peak / 2 ** 20)} MiB, ${Math.round(before / 2 ** 20)} before`,
    );
    expect(peak).toBeLessThan(RSS_BYTES_MAX);
    expect(await metric(server, "winnow_runs_active")).toBe(0);
    expect(await metric(server, "winnow_http_requests_active")).toBe(1);
    expect(await server.stop()).toBe(0);
    const records = readdirSync(join(folder, ".winnow", "runs"));
    for (const id of ids) expect(records).toContain(`${id}.jsonl`);
  });

  test(`${IDLE_CONNECTIONS} connections that say nothing, or never end what they say, hold nobody up`, async () => {
    const server = await startServe(packed, folder, ["--quiet"]);
    const half = IDLE_CONNECTIONS / 2;
    const silent = await connections(server, half, "");
    const halfSaid = await connections(server, half, "POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ");
    const sockets = [...silent, ...halfSaid];
    let closed = 0;
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.once("close", () => closed++);
      socket.resume();
    }
    const started = performance.now();
    expect((await call(server, "GET", "/healthz")).status).toBe(200);
    const found = await call(server, "POST", "/v1/find", { query: "MockAgent" });
    expect(answers.foundDocuments.parse(found.body).documents.length).toBeGreaterThan(0);
    const searched = await call(server, "POST", "/v1/search", { query: QUESTIONS[1] });
    expect(answers.searchResult.parse(searched.body).stopReason).toBe("finished");
    expect(performance.now() - started).toBeLessThan(20_000);
    // The server itself ends what takes longer than the time for headers.
    for (let i = 0; i < 120 && closed < sockets.length; i++) await delay(500);
    expect(closed).toBe(sockets.length);
    expect(peakOf(server)).toBeLessThan(RSS_BYTES_MAX);
    expect(await server.stop()).toBe(0);
  });
});

describe("clients that do not read", () => {
  let model: WireServer;
  let small: string;
  beforeAll(async () => {
    // One short document, so that no run ends because its window is full.
    small = join(packed.folder, "small");
    mkdirSync(join(small, "docs"), { recursive: true });
    writeFileSync(join(small, "docs", "walrus.md"), "# Walrus\n\nThe walrus lives in hall nine.\n");
    const indexed = await runCommand(packed.cli, ["index", "docs"], { cwd: small, home: packed.home });
    expect(indexed.code).toBe(0);
    let turn = 0;
    // Half a megabyte of reasoning a turn, then another search: far more than sockets hold, and few tokens, being blank.
    const babble: WireScript = async (response, { body }) => {
      await delay(400);
      const { model: name } = body as { readonly model: string };
      const chunk = (delta: unknown, finish: string | null = null): string =>
        `data: ${JSON.stringify({ id: "a", object: "chat.completion.chunk", created: 0, model: name, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk({ role: "assistant", content: null }));
      for (let i = 0; i < 50; i++) response.write(chunk({ reasoning_content: " ".repeat(10_000) }));
      const written = JSON.stringify({ query: `walrus ${turn++}` });
      const called = { index: 0, id: "c", type: "function", function: { name: "search_corpus", arguments: written } };
      response.write(chunk({ tool_calls: [called] }));
      response.end(`${chunk({}, "tool_calls")}data: [DONE]\n\n`);
    };
    model = await startWireServer({ models: ["wire"], replies: () => babble });
  });
  afterAll(() => model.close());

  test(`${SLOW_CLIENTS} of them are cut and their runs end, in bounded memory`, async () => {
    const access = ["--policy", "openai-compatible:wire", "--base-url", model.baseUrl];
    const server = await startServe(packed, small, [...access, "--max-runs", String(SLOW_CLIENTS), "--quiet"]);
    const { hostname, port } = new URL(server.url);
    const body = JSON.stringify({ query: QUESTIONS[0] });
    const clients = Array.from({ length: SLOW_CLIENTS }, () => {
      const headers = { "content-type": "application/json", accept: "text/event-stream" };
      const sent = request({ hostname, port, path: "/v1/search", method: "POST", headers, agent: false });
      // The response is never read: its first part stays where it is.
      sent.on("response", (response) => response.pause().on("error", () => {}));
      sent.on("error", () => {});
      sent.end(body);
      return sent;
    });
    for (let i = 0; i < 240 && (await metric(server, "winnow_slow_clients_total")) < SLOW_CLIENTS; i++)
      await delay(500);
    expect(await metric(server, "winnow_slow_clients_total")).toBe(SLOW_CLIENTS);
    for (let i = 0; i < 60 && (await metric(server, "winnow_runs_active")) > 0; i++) await delay(500);
    expect(await metric(server, "winnow_runs_active")).toBe(0);
    expect(await metric(server, 'winnow_runs_ended_total{stop_reason="cancelled"}')).toBe(SLOW_CLIENTS);
    const peak = peakOf(server);
    console.log(`${SLOW_CLIENTS} clients that do not read: peak memory ${Math.round(peak / 2 ** 20)} MiB`);
    expect(peak).toBeLessThan(RSS_BYTES_MAX);
    expect((await call(server, "POST", "/v1/find", { query: "walrus" })).status).toBe(200);
    for (const client of clients) client.destroy();
    expect(await server.stop()).toBe(0);
  });
});
