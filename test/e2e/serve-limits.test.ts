import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import * as answers from "../../src/http/answers.ts";
import { startWireServer, type WireServer } from "../../src/testing/wire-server.ts";
import { runCommand } from "../support/command.ts";
import { call, eventsOf, parseEvents, type Served, startServe, until } from "../support/serve.ts";

const packed = inject("packed");
const folder = join(packed.folder, "serve-limits");
const runsFolder = join(folder, ".winnow", "runs");
const QUESTION = "In which hall sits the team that owns retries?";

const start = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Served> =>
  startServe(packed, folder, args, env);
const lastEvent = (runId: string): unknown =>
  JSON.parse(
    readFileSync(join(runsFolder, `${runId}.jsonl`), "utf8")
      .trim()
      .split("\n")
      .at(-1) ?? "",
  );
/** The id of a streamed run; the newest record may be another test's. */
function runIdOf(running: { text(): string }): string {
  const header = parseEvents(running.text()).find(({ event }) => event === "header")?.data;
  return (header as { runId?: string } | undefined)?.runId ?? "";
}

/** A model that never ends by itself: each turn asks for something else. */
function endlessModel(delayMs: number): Promise<WireServer> {
  let turn = 0;
  return startWireServer({
    models: ["wire"],
    replies: () => ({ calls: [{ tool: "search_corpus", arguments: { query: `walrus ${turn++}` } }], delayMs }),
  });
}

beforeAll(async () => {
  mkdirSync(join(folder, "docs"), { recursive: true });
  writeFileSync(join(folder, "docs", "retries.md"), "# Retries\n\nFive attempts. Owned by the Harbour team.\n");
  writeFileSync(join(folder, "docs", "harbour.md"), "# Harbour team\n\nThe Harbour team sits in hall nine.\n");
  const indexed = await runCommand(packed.cli, ["index", "docs"], { cwd: folder, home: packed.home });
  expect(indexed.code).toBe(0);
});

describe("with a model that never ends", () => {
  let model: WireServer;
  beforeAll(async () => {
    model = await endlessModel(150);
  });
  afterAll(() => model.close());
  const access = () => ["--base-url", model.baseUrl];
  const withModel = (...args: readonly string[]) => start(["--policy", "openai-compatible:wire", ...access(), ...args]);

  /** Starts a search and resolves when its first events are there; `leave` closes the connection. */
  function open(
    server: Served,
    body: object,
    onBegin = (): void => {},
  ): Promise<{ leave(): void; readonly text: () => string; readonly ended: Promise<void> }> {
    const { hostname, port } = new URL(server.url);
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", accept: "text/event-stream" };
      const sent = request(
        { hostname, port, path: "/v1/search", method: "POST", headers, agent: false },
        (response) => {
          onBegin();
          let text = "";
          const ended = new Promise<void>((done) => response.once("close", done));
          response.on("error", () => {});
          response.setEncoding("utf8").on("data", (part: string) => {
            text += part;
            if (text.includes("event: budget")) resolve({ leave: () => sent.destroy(), text: () => text, ended });
          });
        },
      );
      sent.on("error", reject);
      sent.end(JSON.stringify(body));
    });
  }

  test("a client that goes away ends its run within a turn, and the server goes on", async () => {
    const server = await withModel();
    const running = await open(server, { query: "Which walrus?" });
    const runId = runIdOf(running);
    running.leave();
    const requests = model.requests.length;
    await until(() => (lastEvent(runId) as { type: string }).type === "end", "the end of the run");
    expect(lastEvent(runId)).toMatchObject({ type: "end", stopReason: "cancelled" });
    expect(model.requests.length - requests).toBeLessThanOrEqual(1);
    expect((await call(server, "POST", "/v1/find", { query: "Harbour" })).status).toBe(200);
    const { text } = await call(server, "GET", "/metrics");
    expect(text).toContain('winnow_runs_ended_total{stop_reason="cancelled"} 1');
    expect(await server.stop()).toBe(0);
  });

  test("more than may run wait, more than may wait are told when to come again", async () => {
    const server = await withModel("--max-runs", "1", "--max-waiting", "1");
    const running = await open(server, { query: "Which walrus?" });
    let begins = 0;
    const waiting = open(server, { query: "Which walrus?" }, () => begins++);
    await until(
      async () => (await call(server, "GET", "/metrics")).text.includes("\nwinnow_runs_waiting 1\n"),
      "the wait",
    );
    const refused = await call(server, "POST", "/v1/search", { query: "Which walrus?" });
    expect(refused).toMatchObject({ status: 429, body: { error: { code: "busy" } } });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await call(server, "POST", "/v1/find", { query: "Harbour" })).status).toBe(200);
    // A stream that waits begins all the same, so that proxies do not give it up.
    await until(() => begins === 1, "the beginning of the stream");
    expect((await call(server, "GET", "/metrics")).text).toContain("\nwinnow_runs_waiting 1\n");
    running.leave();
    (await waiting).leave();
    expect(await server.stop()).toBe(0);
  });

  test("what is wrong with a search that had to wait is said in its stream", async () => {
    const server = await withModel("--max-runs", "1", "--max-waiting", "1");
    const running = await open(server, { query: "Which walrus?" });
    const asked = { query: "Which walrus?", where: ["no-such-key=1"], stream: true };
    const waiting = call(server, "POST", "/v1/search", asked);
    await delay(2_500);
    running.leave();
    const { status, text } = await waiting;
    expect(status).toBe(200);
    expect(parseEvents(text)).toEqual([
      { event: "error", data: { error: expect.objectContaining({ code: "invalid_filter" }) } },
    ]);
    expect(await call(server, "POST", "/v1/search", asked)).toMatchObject({ status: 400 });
    expect(await server.stop()).toBe(0);
  });

  test("a time limit of the caller ends the run with a list; policies are those that the operator allows", async () => {
    const server = await start(["--allow-policy", "openai-compatible:wire", ...access()]);
    const asked = { query: "Which walrus?", policy: "openai-compatible:wire", timeoutMs: 1_000 };
    const { body } = await call(server, "POST", "/v1/search", asked);
    expect(answers.searchResult.parse(body).stopReason).toBe("timeout");
    const own = await call(server, "POST", "/v1/search", { query: QUESTION, policy: "rules" });
    expect(answers.searchResult.parse(own.body).stopReason).toBe("finished");
    expect(await server.stop()).toBe(0);
  });

  test("told to end, it takes nothing new, gives what runs its time, then cancels it, and ends with 0", async () => {
    const server = await withModel("--grace", "1");
    const running = await open(server, { query: "Which walrus?" });
    const runId = runIdOf(running);
    const idle = connect(Number(new URL(server.url).port), "127.0.0.1");
    idle.on("error", () => {});
    server.kill("SIGTERM");
    await until(async () => (await call(server, "GET", "/readyz")).status === 503, "not ready");
    expect(await call(server, "POST", "/v1/find", { query: "a" })).toMatchObject({
      status: 503,
      body: { error: { code: "unavailable" } },
    });
    expect((await call(server, "GET", "/healthz")).status).toBe(200);
    expect(await server.ended).toBe(0);
    await running.ended;
    const last = parseEvents(running.text()).at(-1);
    expect(last).toMatchObject({ event: "result", data: { stopReason: "cancelled" } });
    expect(lastEvent(runId)).toMatchObject({ type: "end", stopReason: "cancelled" });
    idle.destroy();
  });
});

describe("rollouts", () => {
  test("as many as the operator allows, each with its own record and its own events", async () => {
    const server = await start(["--max-rollouts", "2"]);
    const asked = { query: QUESTION, rollouts: 2 };
    expect((await call(server, "POST", "/v1/search", { ...asked, rollouts: 3 })).status).toBe(403);
    const events = await eventsOf(server, asked);
    const { runId } = answers.searchResult.parse(events.at(-1)?.data);
    const runs = new Set(events.slice(0, -1).map(({ data }) => (data as { runId: string }).runId));
    expect([...runs].sort()).toEqual([runId, `${runId}.1`, `${runId}.2`]);
    const child = answers.runRecord.parse((await call(server, "GET", `/v1/runs/${runId}.2`)).body);
    expect(child.header).toMatchObject({ parent: runId });
    expect(await server.stop()).toBe(0);
  });
});

describe("tokens beside the index", () => {
  test("are asked for once one has been made there", async () => {
    const own = join(packed.folder, "serve-tokens");
    mkdirSync(join(own, "docs"), { recursive: true });
    writeFileSync(join(own, "docs", "a.md"), "# A\n\nWalruses.\n");
    const winnow = (...args: readonly string[]) => runCommand(packed.cli, args, { cwd: own, home: packed.home });
    expect((await winnow("index", "docs")).code).toBe(0);
    // The name that the server lists it under, which is no folder here.
    const made = await winnow("serve", "--new-token", "me", "--corpus", "serve-tokens", "--json");
    const { token, corpora } = JSON.parse(made.stdout);
    expect(corpora).toEqual(["serve-tokens"]);
    expect(await winnow("serve", "--new-token", "you", "--corpus", "nowhere")).toMatchObject({ code: 1, stdout: "" });
    expect(readdirSync(join(own, ".winnow"))).toContain("tokens.json");
    expect(await winnow("serve", "--new-token", "me")).toMatchObject({ code: 2, stdout: "" });
    const server = await startServe(packed, own, []);
    expect((await call(server, "GET", "/v1/corpora")).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await call(server, "GET", "/v1/corpora", undefined, headers)).status).toBe(200);
    expect(await call(server, "HEAD", "/healthz")).toMatchObject({ status: 200, text: "" });
    // Taking its entry out takes it back, while the server goes on.
    writeFileSync(join(own, ".winnow", "tokens.json"), '{ "schema": "tokens/1", "tokens": [] }');
    await until(
      async () => (await call(server, "GET", "/v1/corpora", undefined, headers)).status === 401,
      "the refusal of a token that was taken back",
    );
    expect((await winnow("index")).code).toBe(0);
    expect((await winnow("find", "Walruses", "--json")).code).toBe(0);
    expect(await server.stop()).toBe(0);
  });
});

describe("tracing", () => {
  interface Sent {
    readonly name: string;
    readonly traceId: string;
    readonly spanId: string;
    readonly parentSpanId?: string;
    readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  }

  test("a collector gets the request, the run, its turns and its tool calls, and no text", async () => {
    const bodies: string[] = [];
    const collector = createServer(async (incoming, response) => {
      let text = "";
      for await (const part of incoming) text += part;
      bodies.push(text);
      response.end("{}");
    });
    await new Promise<void>((done) => collector.listen(0, "127.0.0.1", done));
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    const server = await start([], { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: "docs" });
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    const { body } = await call(server, "POST", "/v1/search", { query: QUESTION }, { traceparent });
    const { runId, usage } = answers.searchResult.parse(body);
    await call(server, "GET", "/v1/runs/none", undefined, { traceparent });
    expect(await server.stop()).toBe(0);
    collector.close();
    const exported = bodies.flatMap((text) => JSON.parse(text).resourceSpans);
    expect(exported[0].resource.attributes).toContainEqual({ key: "service.name", value: { stringValue: "docs" } });
    const spans: Sent[] = exported.flatMap(({ scopeSpans }) => scopeSpans[0].spans);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const named = (name: string): Sent[] => spans.filter((span) => span.name === name);
    const attributeOf = (span: Sent | undefined, key: string): unknown =>
      Object.values(span?.attributes.find((one) => one.key === key)?.value ?? {})[0];
    const [asked] = named("POST /v1/search");
    const [run] = named("invoke_agent winnow");
    expect(asked?.parentSpanId).toBe("b7ad6b7169203331");
    expect(attributeOf(asked, "http.response.status_code")).toBe("200");
    expect(run?.parentSpanId).toBe(asked?.spanId);
    expect(attributeOf(run, "winnow.run.id")).toBe(runId);
    expect(spans.filter(({ name }) => name.startsWith("turn "))).toHaveLength(usage.turns);
    expect(spans.filter(({ name }) => name.startsWith("execute_tool "))).toHaveLength(usage.toolCalls);
    expect(attributeOf(named("GET /v1/runs/{id}")[0], "error.type")).toBe("run_not_found");
    const text = bodies.join("");
    for (const word of ["Fastify", "undici", "Harbour", folder]) expect(text).not.toContain(word);
  });

  test("a collector that is gone costs nothing but a note", async () => {
    const server = await start([], { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
    expect((await call(server, "POST", "/v1/find", { query: "Harbour" })).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(server.said.join("\n")).toMatch(/note: Traces are lost/);
  });
});
