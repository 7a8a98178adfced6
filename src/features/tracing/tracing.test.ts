import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Run, RunEvent } from "../../agent/run.ts";
import { openTracer, otlpRequest, otlpSettings } from "./otlp-exporter.ts";
import { traceRun } from "./trace-run.ts";
import { type FinishedSpan, parentOf, type Tracer, tracerTo } from "./tracer.ts";

function memoryTracer(): { readonly tracer: Tracer; readonly spans: FinishedSpan[] } {
  const spans: FinishedSpan[] = [];
  return { spans, tracer: tracerTo({ add: (span) => spans.push(span), close: async () => {} }) };
}

const TEXT = "what a document says";
const chunk = { key: "c", text: TEXT, title: TEXT };
const line = (type: string, at: number, turn: number, more: object): object => ({ type, at, turn, seq: 1, ...more });

function runOf(events: readonly object[], error?: Error): Run {
  const result = error === undefined ? Promise.resolve({} as Awaited<Run["result"]>) : Promise.reject(error);
  result.catch(() => {});
  return {
    runId: "r",
    result,
    async *[Symbol.asyncIterator]() {
      yield* events as RunEvent[];
    },
  };
}

const header = {
  ...{ type: "header", schema: "run/1", runId: "r", at: 1_000, harness: "0.1.0", query: TEXT },
  ...{ corpora: [{ name: "docs" }], policy: { name: "chat", model: "gpt" }, profile: { name: "chat" } },
};
const decision = (at: number, turn: number, more: object = {}): object =>
  line("decision", at, turn, {
    ...{ attempt: 1, finishReason: "calls", promptTokens: 10, completionTokens: 5, text: TEXT, reasoning: TEXT },
    ...{ calls: [{ id: "1", tool: "search_corpus", arguments: { query: TEXT } }], ...more },
  });
const toolResult = (at: number, turn: number, more: object = {}): object =>
  line("tool_result", at, turn, {
    callId: "1",
    tool: "search_corpus",
    chunks: [chunk],
    hits: [{}, {}],
    omitted: 0,
    ...more,
  });
const end = line("end", 1_900, 2, {
  ...{ stopReason: "finished", outcome: "found", concluded: "policy", documents: [{}] },
  usage: { turns: 2, prunedChunks: 3, promptTokens: 30, completionTokens: 7 },
});

describe("traceRun", () => {
  test("makes a span of the run, of each turn, each answer and each tool call, nested and timed by the record", async () => {
    const { tracer, spans } = memoryTracer();
    const request = tracer.start("POST /v1/search", { kind: "server" });
    const edit = line("edit", 1_310, 1, { pruned: ["a", "b"] });
    await traceRun(
      tracer,
      runOf([
        header,
        { type: "text_delta", turn: 1, delta: TEXT },
        decision(1_200, 1, { finishReason: "error", error: { code: "policy_failed", message: TEXT } }),
        decision(1_250, 1, { attempt: 2, usage: { promptTokens: 11, completionTokens: 6 } }),
        toolResult(1_300, 1),
        edit,
        decision(1_700, 2, { calls: [] }),
        end,
      ]),
      request.context,
    );
    const shape = spans.map(({ name, startMs, endMs, failed }) => [name, startMs, endMs, failed]);
    expect(shape).toEqual([
      ["chat gpt", 1_000, 1_200, true],
      ["chat gpt", 1_200, 1_250, false],
      ["execute_tool search_corpus", 1_250, 1_300, false],
      ["turn 1", 1_000, 1_310, false],
      ["chat gpt", 1_310, 1_700, false],
      ["turn 2", 1_310, 1_900, false],
      ["invoke_agent winnow", 1_000, 1_900, false],
    ]);
    const byName = (name: string): FinishedSpan | undefined => spans.find((span) => span.name === name);
    const run = byName("invoke_agent winnow");
    expect(run?.parentId).toBe(request.context.spanId);
    expect(byName("turn 1")?.parentId).toBe(run?.context.spanId);
    expect(byName("execute_tool search_corpus")?.parentId).toBe(byName("turn 1")?.context.spanId);
    expect(new Set(spans.map(({ context }) => context.traceId))).toEqual(new Set([request.context.traceId]));
    expect(run?.attributes).toMatchObject({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.usage.input_tokens": 30,
      "winnow.stop_reason": "finished",
      "winnow.corpora": ["docs"],
    });
    expect(byName("turn 1")?.attributes).toMatchObject({ "gen_ai.usage.input_tokens": 11, "winnow.pruned_chunks": 2 });
    expect(JSON.stringify(otlpRequest(spans, {}))).not.toContain(TEXT);
  });

  test("rollouts stand below their parent; a run without an end is closed as failed", async () => {
    const { tracer, spans } = memoryTracer();
    const request = tracer.start("request");
    const child = { ...header, runId: "r.1", parent: "r" };
    const events = [{ ...header, runId: "r" }, child, { ...decision(1_200, 1), runId: "r.1" }];
    await traceRun(tracer, runOf(events, new Error("disk")), request.context);
    const [parent, rollout] = ["r", "r.1"].map((id) => spans.find((span) => span.attributes["winnow.run.id"] === id));
    expect(rollout?.parentId).toBe(parent?.context.spanId);
    expect([parent?.failed, rollout?.failed]).toEqual([true, true]);
    expect(spans.find(({ name }) => name === "turn 1")?.parentId).toBe(rollout?.context.spanId);
  });
});

describe("parentOf", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  test("reads a traceparent header, and nothing that is malformed", () => {
    const expected = { traceId: trace, spanId: "b7ad6b7169203331", sampled: true };
    expect(parentOf(`00-${trace}-b7ad6b7169203331-01`)).toEqual(expected);
    expect(parentOf(`00-${trace}-b7ad6b7169203331-00`)).toMatchObject({ sampled: false });
    for (const wrong of [
      undefined,
      "",
      "00-1-2-01",
      `ff-${trace}-b7ad6b7169203331-01`,
      `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    ]) {
      expect(parentOf(wrong)).toBeUndefined();
    }
  });

  test("spans of a trace that its beginner does not want kept are not exported", () => {
    const { tracer, spans } = memoryTracer();
    tracer.start("a", { parent: { traceId: trace, spanId: "b7ad6b7169203331", sampled: false } }).end();
    expect(spans).toEqual([]);
  });
});

describe("otlpSettings", () => {
  const base = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318/" };
  test.each([
    [{}],
    [{ ...base, OTEL_SDK_DISABLED: "true" }],
    [{ ...base, OTEL_TRACES_EXPORTER: "none" }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "file:///etc" }],
  ])("off with %j", (environment) => {
    expect(otlpSettings(environment)).toBeUndefined();
  });

  test("the names of OpenTelemetry, those for traces first", () => {
    expect(otlpSettings(base)).toMatchObject({ url: "http://127.0.0.1:4318/v1/traces", timeoutMs: 10_000 });
    const settings = otlpSettings({
      ...base,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector.example/x",
      OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Basic%20abc, b = c",
      OTEL_EXPORTER_OTLP_TIMEOUT: "500",
      OTEL_SERVICE_NAME: "docs",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test,service.name=other",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    });
    expect(settings).toMatchObject({
      url: "https://collector.example/x",
      headers: { Authorization: "Basic abc", b: "c" },
      timeoutMs: 500,
      resource: { "service.name": "docs", "deployment.environment": "test" },
      otherProtocol: "grpc",
    });
  });
});

describe("the exporter", () => {
  const servers: { close(): void }[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function collector(statuses: readonly number[]) {
    const bodies: string[] = [];
    const headers: IncomingHttpHeaders[] = [];
    const server = createServer(async (request, response) => {
      let text = "";
      for await (const part of request) text += part;
      headers.push(request.headers);
      response
        .writeHead(statuses[Math.min(bodies.length, statuses.length - 1)] ?? 200, { "retry-after": "0" })
        .end("{}");
      bodies.push(text);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    servers.push(server);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      bodies,
      headers,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_HEADERS: "x-key=1" },
    };
  }

  test("sends what waits when it is closed, in OTLP's JSON, after a refusal that may pass", async () => {
    const { bodies, headers, environment } = await collector([503, 200]);
    const onNotice = vi.fn();
    const tracer = openTracer(environment, onNotice);
    tracer
      .start("a", { kind: "server", startMs: 1_795_000_000_000.5, attributes: { n: 1, x: 0.5, b: true, s: "t" } })
      .end();
    await tracer.close(5_000);
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toBe(bodies[1]);
    expect(headers[0]).toMatchObject({ "content-type": "application/json", "x-key": "1" });
    const [{ scopeSpans, resource }] = JSON.parse(bodies[1] ?? "").resourceSpans;
    expect(resource.attributes).toContainEqual({ key: "service.name", value: { stringValue: "winnow" } });
    expect(scopeSpans[0].spans).toEqual([
      {
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        name: "a",
        kind: 2,
        startTimeUnixNano: "1795000000000500000",
        endTimeUnixNano: expect.stringMatching(/^\d{19}$/),
        attributes: [
          { key: "n", value: { intValue: "1" } },
          { key: "x", value: { doubleValue: 0.5 } },
          { key: "b", value: { boolValue: true } },
          { key: "s", value: { stringValue: "t" } },
        ],
        status: {},
      },
    ]);
    expect(onNotice).not.toHaveBeenCalled();
  });

  test("tells once that traces are lost, and holds nobody up", async () => {
    const { bodies, environment } = await collector([400]);
    const onNotice = vi.fn();
    const tracer = openTracer(environment, onNotice);
    for (let i = 0; i < 1_500; i++) tracer.start("a").end();
    await tracer.close(5_000);
    expect(bodies.length).toBeGreaterThanOrEqual(2);
    expect(onNotice).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/lost: the collector answers 400/));
  });
});
