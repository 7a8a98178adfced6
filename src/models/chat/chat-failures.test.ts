import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import {
  askWire,
  delta,
  KEY,
  lines,
  openTestModel,
  rawStream,
  refusal,
  testRequest,
} from "../../testing/chat-fixture.ts";
import { startWireServer, type WireReply } from "../../testing/wire-server.ts";
import { PromptTooLongError } from "./chat-model.ts";

const servers: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function ask(...args: Parameters<typeof askWire>) {
  const asked = await askWire(...args);
  servers.push(asked.server);
  return asked;
}

const anthropic = { kind: "anthropic", model: "claude-x", apiKeyEnv: "KEY" } as const;
const half = lines(delta({ content: "half" }));
const halfCall = lines(
  delta({ tool_calls: [{ index: 0, id: "c", function: { name: "search", arguments: '{"query":"a"}' } }] }),
);
const cut: WireReply = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write('data: {"choices"', () => response.destroy());
};
const torn: WireReply = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write('data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n', () => response.destroy());
};
const page: WireReply = (response) => {
  response.writeHead(200, { "content-type": "text/html" }).end("<html>");
};
const redirect: WireReply = { status: 307, headers: { location: "http://127.0.0.1:1/" } };
const overloaded: WireReply = { status: 529, body: { error: { type: "overloaded_error", message: "Overloaded" } } };

describe("load", () => {
  test("429 with Retry-After waits that long", async () => {
    const { answer, pauses, notices } = await ask([refusal(429, "slow down", { "retry-after": "7" }), { text: "x" }]);
    expect(answer?.text).toBe("x");
    expect(pauses).toEqual([7_000]);
    expect(notices).toEqual(["retry", "no_price"]);
  });

  test("429 without it waits longer each time, and not for ever", async () => {
    const { error, pauses } = await ask([refusal(429, "slow down")]);
    expect(error).toMatchObject({ code: "policy_unavailable", message: expect.stringMatching(/429: slow down/) });
    expect(pauses).toEqual([250, 500, 1_000, 2_000]);
  });

  test("an hour is not waited for", async () => {
    const { error, pauses } = await ask([refusal(429, "slow down", { "retry-after": "3600" })]);
    expect(error).toMatchObject({ code: "policy_unavailable" });
    expect(pauses).toEqual([]);
  });
});

describe("what may pass is tried again", () => {
  const cases: [string, WireReply][] = [
    ["500", refusal(500, "boom")],
    ["a stream that breaks off", half],
    ["a connection that is cut", cut],
    ["an error inside the stream", lines({ error: { message: "the engine died" } })],
    ["no choices", lines({ choices: [] }, "[DONE]")],
    ["a line that is not JSON", lines("{oops")],
  ];
  test.each(cases)("%s", async (_name, reply) => {
    const { answer, requests } = await ask([reply, { text: "x" }]);
    expect(answer?.text).toBe("x");
    expect(requests).toHaveLength(2);
  });

  test("Anthropic is overloaded, or breaks off", async () => {
    const start = { id: "m", model: "c", role: "assistant", content: [], usage: { input_tokens: 1, output_tokens: 1 } };
    const { answer, requests } = await ask(
      [overloaded, lines({ type: "message_start", message: start }), { text: "x" }],
      anthropic,
    );
    expect(answer?.text).toBe("x");
    expect(requests).toHaveLength(3);
  });
});

describe("what does not pass ends in an error that says so, without the key and without the request", () => {
  const cases: [string, WireReply, string, RegExp, number][] = [
    ["500 for ever", refusal(500, "boom"), "policy_unavailable", /status 500: boom/, 5],
    ["a broken stream", half, "policy_failed", /broke off/, 5],
    ["a connection that is cut inside an answer", torn, "policy_failed", /broke off/, 5],
    ["half a call", halfCall, "policy_failed", /broke off/, 5],
    ["an error of another shape", lines({ error: "the engine died" }), "policy_unavailable", /engine died/, 5],
    ["400", refusal(400, "Invalid schema"), "policy_failed", /status 400: Invalid schema/, 1],
    ["401", refusal(401, `bad key ${KEY}`), "policy_unavailable", /status 401: bad key …/, 1],
    ["no tools", refusal(400, "m does not support tools"), "policy_unavailable", /cannot call tools/, 1],
    ["no quota", refusal(429, "You exceeded your current quota"), "policy_unavailable", /quota/, 1],
    ["another path", { status: 404, body: "<html>nope" }, "policy_unavailable", /status 404/, 1],
    ["a page", page, "policy_unavailable", /a page/, 1],
    ["plain JSON", { status: 200, body: { choices: [] } }, "policy_unavailable", /plain JSON/, 1],
    ["a redirect", redirect, "policy_unavailable", /redirects/, 1],
    ["content that is no text", lines(delta({ content: 7 })), "policy_failed", /not a piece/, 2],
  ];
  test.each(cases)("%s", async (_name, reply, code, message, count) => {
    const { error, requests } = await ask([reply], { apiKeyEnv: "KEY" });
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(requests).toHaveLength(count);
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain(KEY);
    expect((error as Error).cause).toBeUndefined();
  });

  test("a model of another name is answered with those that there are", async () => {
    const replies = [refusal(404, "The model `llama` does not exist.")];
    const server = await startWireServer({ replies, models: ["llama3", "qwen"] });
    servers.push(server);
    await expect(openTestModel(server.baseUrl, { model: "llama" }).complete(testRequest)).rejects.toMatchObject({
      code: "policy_unavailable",
      message: 'The model server has no model "llama". Did you mean "llama3"? It has: llama3, qwen.',
    });
    expect(server.requests).toHaveLength(1);
  });

  test("a model that is listed and refused all the same is not proposed in its own place", async () => {
    const replies = [refusal(404, "The model `llama` does not exist.")];
    const server = await startWireServer({ replies, models: ["llama", "qwen"] });
    servers.push(server);
    await expect(openTestModel(server.baseUrl, { model: "llama" }).complete(testRequest)).rejects.toMatchObject({
      message:
        'The model server lists, but does not serve, the model "llama". It says: The model `llama` does not exist.',
    });
  });

  test("nobody at the address", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await new Promise((done) => probe.once("listening", done));
    const { port } = probe.address() as AddressInfo;
    await new Promise((done) => probe.close(done));
    await expect(openTestModel(`http://127.0.0.1:${port}/v1`).complete(testRequest)).rejects.toMatchObject({
      code: "policy_unavailable",
      message: expect.stringMatching(/cannot be reached at .*ECONNREFUSED/),
    });
  });
});

test("null content is an empty answer", async () => {
  const { answer } = await ask([lines(delta({ role: "assistant", content: null }, "stop"))]);
  expect(answer).toMatchObject({ text: "", reasoning: "", calls: [], finish: "stop" });
});

describe("time", () => {
  test("a server that is silent gets a second chance", async () => {
    const { error, requests } = await ask([() => {}], { answerTimeoutMs: 60 });
    expect(error).toMatchObject({ code: "timeout" });
    expect(requests).toHaveLength(2);
  });

  test("a server that drips runs out of time as well", async () => {
    const drips: WireReply = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(() => response.write(`data: ${JSON.stringify(delta({ content: "a" }))}\n\n`), 10);
      response.once("close", () => clearInterval(timer));
    };
    expect((await ask([drips], { answerTimeoutMs: 80 })).error).toMatchObject({ code: "timeout" });
  });

  const stuck: [string, WireReply][] = [
    ["the request", () => {}],
    ["the stream", rawStream((line) => line(delta({ content: "a" })))],
    ["a pause", refusal(500, "boom")],
  ];
  test.each(stuck)("a caller cancels in %s", async (_name, reply) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const sleep = (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    const { error } = await ask([reply], { sleep }, { signal: controller.signal });
    expect(error).toMatchObject({ code: "cancelled" });
  });
});

describe("size", () => {
  const big = "a".repeat(65_536);
  const event = (value: unknown): string => `data: ${JSON.stringify(delta(value))}\n\n`;
  const call = (written: string, name?: string) => ({
    tool_calls: [{ index: 0, id: "c", function: { name, arguments: written } }],
  });
  const floods: [string, string, string][] = [
    ["one line", "", big],
    ["comments", "", `: ${big}\n`],
    ["text", "", event({ content: big })],
    ["reasoning", "", event({ reasoning: big })],
    ["arguments", event(call('{"q":"', "search")), event(call(big))],
    ["tiny arguments", event(call('{"q":"', "search")), event(call("a")).repeat(200)],
    [
      "calls",
      "",
      event({
        tool_calls: Array.from({ length: 500 }, (_, i) => ({
          index: i,
          id: `c${i}`,
          function: { name: "s", arguments: "{}" },
        })),
      }),
    ],
  ];
  test.each(floods)("an endless flood of %s is cut", async (_name, first, piece) => {
    const flood: WireReply = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(first);
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    };
    const { error, requests } = await ask([flood]);
    expect(error).toMatchObject({ code: "policy_failed", message: expect.stringMatching(/larger than/) });
    expect(requests).toHaveLength(1);
  });

  test("a refusal of 6 MB is read as far as it says something", async () => {
    const { error } = await ask([refusal(400, big.repeat(100))]);
    expect(error).toMatchObject({ code: "policy_failed" });
    expect((error as Error).message.length).toBeLessThan(500);
  });

  test("a window smaller than thought: asked again for a short answer, then given up", async () => {
    const long = refusal(400, "This model's maximum context length is 8192 tokens.");
    const once = await ask([long, { text: "x" }]);
    expect(once.answer?.text).toBe("x");
    expect(once.notices).toContain("window_small");
    expect(once.requests.map(({ body }) => (body as { max_tokens: number }).max_tokens)).toEqual([4_096, 2_048]);
    const always = await ask([long]);
    expect(always.error).toBeInstanceOf(PromptTooLongError);
    expect(always.requests).toHaveLength(2);
    const anthropics = await ask([refusal(400, "prompt is too long: 208310 tokens > 200000 maximum")], anthropic);
    expect(anthropics.error).toBeInstanceOf(PromptTooLongError);
  });
});
