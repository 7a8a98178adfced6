import { afterEach, describe, expect, test } from "vitest";
import { askWire, KEY, openTestModel, refusal, testRequest } from "../../testing/chat-fixture.ts";
import { startWireServer, type WireServerOptions } from "../../testing/wire-server.ts";
import type { ChatRequest } from "./chat-model.ts";
import type { ChatModelOptions } from "./endpoint.ts";

const servers: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function ask(...args: Parameters<typeof askWire>) {
  const asked = await askWire(...args);
  servers.push(asked.server);
  return asked;
}

async function serve(replies: WireServerOptions["replies"]) {
  const server = await startWireServer({ replies });
  servers.push(server);
  return server;
}

describe("an answer in OpenAI's format", () => {
  test("text, reasoning, parallel calls and usage with cached tokens, in pieces", async () => {
    const deltas = { reasoning: "", text: "" };
    const { answer, server, notices } = await ask(
      [
        {
          reasoning: "Two facts are needed.",
          text: "Looking – ü 漢字",
          calls: [
            { tool: "search", arguments: { query: "a" } },
            { tool: "search", arguments: { query: "b" } },
          ],
          usage: { prompt: 100, completion: 20, cached: 64 },
        },
      ],
      { apiKeyEnv: "KEY", prices: { m: { input: 2, output: 10, cachedInput: 0.5 } } },
      {
        onDelta: (kind, text) => {
          deltas[kind] += text;
        },
      },
    );
    expect(answer).toEqual({
      text: "Looking – ü 漢字",
      reasoning: "Two facts are needed.",
      calls: [
        { tool: "search", arguments: '{"query":"a"}' },
        { tool: "search", arguments: '{"query":"b"}' },
      ],
      finish: "calls",
      usage: { promptTokens: 100, completionTokens: 20, cachedTokens: 64 },
      state: { reasoningField: "reasoning_content" },
      costUsd: (36 * 2 + 64 * 0.5 + 20 * 10) / 1_000_000,
    });
    expect(deltas).toEqual({ reasoning: "Two facts are needed.", text: "Looking – ü 漢字" });
    expect(notices).toEqual([]);
    expect(server.requests[0]).toMatchObject({
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${KEY}` },
      body: {
        model: "m",
        stream: true,
        max_tokens: 4_096,
        tool_choice: "auto",
        tools: [{ function: { name: "search" } }],
      },
    });
  });

  test("no price, no usage and a content filter are told", async () => {
    expect((await ask([{ text: "x" }])).notices).toEqual(["no_price"]);
    const priced = { prices: { "openai-compatible:m": { input: 1, output: 1 } } };
    expect((await ask([{ text: "x" }], priced)).notices).toEqual(["no_usage"]);
    const filtered = await ask([{ text: "x", finish: "content_filter" }]);
    expect(filtered.answer?.finish).toBe("filtered");
    expect(filtered.notices).toContain("content_filter");
  });

  test.each(["reasoning", "reasoning_content"] as const)("reasoning that came as %s goes back as it", async (field) => {
    const { answer, server } = await ask([
      { reasoning: "Hm.", reasoningField: field, calls: [{ tool: "search", arguments: {} }] },
    ]);
    const model = openTestModel(server.baseUrl);
    await model.complete({
      ...testRequest,
      messages: [
        ...testRequest.messages,
        {
          role: "assistant",
          text: "",
          reasoning: "Hm.",
          state: answer?.state,
          calls: [{ id: "call00001", tool: "search", arguments: {} }],
        },
        { role: "tool", results: [{ callId: "call00001", tool: "search", text: "Nothing." }] },
      ],
    });
    const sent = server.requests[1]?.body as { messages: Record<string, unknown>[] };
    expect(sent.messages[1]).toMatchObject({
      role: "assistant",
      content: null,
      [field]: "Hm.",
      tool_calls: [{ id: "call00001" }],
    });
    const other = field === "reasoning" ? "reasoning_content" : "reasoning";
    expect(sent.messages[1]).not.toHaveProperty(other);
    expect(sent.messages[2]).toMatchObject({ role: "tool", tool_call_id: "call00001", content: "Nothing." });
  });

  test("a server that wants no reasoning back gets none, once it has said so", async () => {
    const server = await serve((_, index) => {
      if (index === 0) return refusal(400, "property 'reasoning_content' is unsupported");
      return { text: "fine" };
    });
    const messages: ChatRequest["messages"] = [
      ...testRequest.messages,
      { role: "assistant", text: "x", reasoning: "Hm.", state: { reasoningField: "reasoning_content" }, calls: [] },
      { role: "user", text: "Go on." },
    ];
    const model = openTestModel(server.baseUrl);
    const notices: string[] = [];
    const onNotice = (code: string) => void notices.push(code);
    expect((await model.complete({ ...testRequest, messages }, { onNotice })).text).toBe("fine");
    await model.complete({ ...testRequest, messages }, { onNotice });
    // Told each time: the second may be another run's.
    expect(notices).toEqual(["reasoning_refused", "no_price", "reasoning_refused", "no_price"]);
    expect(server.requests).toHaveLength(3);
    expect(JSON.stringify(server.requests[1]?.body)).not.toContain("Hm.");
    expect(JSON.stringify(server.requests[2]?.body)).not.toContain("Hm.");
  });

  test("openai: has another name for the limit and takes effort and seed", async () => {
    const server = await serve([{ text: "x" }]);
    const model = openTestModel(server.baseUrl, { kind: "openai", apiKeyEnv: "KEY", reasoning: "low" });
    await model.complete({ ...testRequest, seed: 7 });
    expect(server.requests[0]?.body).toMatchObject({ max_completion_tokens: 4_096, reasoning_effort: "low", seed: 7 });
    expect(server.requests[0]?.body).not.toHaveProperty("max_tokens");
  });
});

describe("temperature", () => {
  const warm = { ...testRequest, temperature: 0.7 };
  const said =
    "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.";

  test("is sent, and the answer says with what it was sampled", async () => {
    const server = await serve([{ text: "x" }]);
    const model = openTestModel(server.baseUrl);
    expect((await model.complete({ ...warm, seed: 7 })).sampling).toEqual({ temperature: 0.7, seed: 7 });
    expect(server.requests[0]?.body).toMatchObject({ temperature: 0.7, seed: 7 });
    expect(await model.complete({ ...warm, temperature: 0 })).toMatchObject({ sampling: { temperature: 0 } });
    expect(await model.complete(testRequest)).not.toHaveProperty("sampling");
    expect(server.requests[2]?.body).not.toHaveProperty("temperature");
  });

  test("a server that refuses it is asked once more without it, and not at all again", async () => {
    const server = await serve(({ body }) => {
      return typeof body === "object" && body !== null && "temperature" in body ? refusal(400, said) : { text: "fine" };
    });
    const model = openTestModel(server.baseUrl);
    const notices: string[] = [];
    const onNotice = (code: string, message: string) => void notices.push(`${code}: ${message}`);
    const answer = await model.complete({ ...warm, seed: 7 }, { onNotice });
    expect(answer).toMatchObject({ text: "fine", sampling: { seed: 7 } });
    expect(answer.sampling).not.toHaveProperty("temperature");
    expect(server.requests).toHaveLength(2);
    const { temperature: _, ...rest } = (server.requests[0]?.body ?? {}) as Record<string, unknown>;
    expect(server.requests[1]?.body).toEqual(rest);
    expect(notices[0]).toMatch(
      /^temperature_refused: The model server takes no temperature.*it is left out.*does not support 0\.7/,
    );
    await model.complete(warm, { onNotice });
    expect(server.requests).toHaveLength(3);
    expect(notices.filter((notice) => notice.startsWith("temperature_refused"))).toHaveLength(2);
  });

  test("a server that refuses for ever is asked twice", async () => {
    const server = await serve([refusal(400, said)]);
    await expect(openTestModel(server.baseUrl).complete(warm)).rejects.toMatchObject({ code: "policy_failed" });
    expect(server.requests).toHaveLength(2);
  });

  test("a request without one is not asked again, whatever the server says", async () => {
    const { error, requests } = await ask([refusal(400, said)]);
    expect(error).toMatchObject({ code: "policy_failed", message: expect.stringMatching(/temperature/) });
    expect(requests).toHaveLength(1);
  });

  test("both refused, temperature and reasoning: each is left out", async () => {
    const messages: ChatRequest["messages"] = [
      ...testRequest.messages,
      { role: "assistant", text: "x", reasoning: "Hm.", state: { reasoningField: "reasoning_content" }, calls: [] },
      { role: "user", text: "Go on." },
    ];
    const server = await serve(({ body }) => {
      const text = JSON.stringify(body);
      if (text.includes("Hm.")) return refusal(422, "property 'reasoning_content' is unsupported");
      return text.includes('"temperature"') ? refusal(400, said) : { text: "fine" };
    });
    expect(await openTestModel(server.baseUrl).complete({ ...warm, messages })).toMatchObject({ text: "fine" });
    expect(server.requests).toHaveLength(3);
  });

  test.each([
    ["claude-sonnet-4-5", 1.5, 1, "1 is sent instead."],
    ["claude-x", 0.5, undefined, "it is left out, and the server's own holds."],
  ])("%s at %d: what the SDK sends in its place is what the answer says, with a notice", async (...given) => {
    const [name, wanted, sent, instead] = given;
    const server = await serve([{ text: "x" }]);
    const notices: string[] = [];
    const model = openTestModel(server.baseUrl, { kind: "anthropic", model: name, apiKeyEnv: "KEY" });
    const request = { ...testRequest, temperature: wanted };
    const answer = await model.complete(request, { onNotice: (_, message) => notices.push(message) });
    const body = (server.requests[0]?.body ?? {}) as { readonly temperature?: number };
    expect(body.temperature).toBe(sent);
    expect(answer.sampling?.temperature).toBe(sent);
    expect(notices[0]).toBe(`Anthropic takes no temperature of ${wanted} with ${name}; ${instead}`);
  });
});

describe("an answer in Anthropic's format", () => {
  const anthropic = { kind: "anthropic", model: "claude-x", apiKeyEnv: "KEY" } as const;

  test("thinking goes back with its signature, byte by byte", async () => {
    const thought = "  First this,\n\nthen that. ";
    const { answer, server } = await ask(
      [
        {
          reasoning: thought,
          signature: "c2lnbmVk",
          text: "I search.",
          calls: [{ tool: "search", arguments: { query: "a" } }],
          usage: { prompt: 50, completion: 9, cached: 30 },
        },
      ],
      anthropic,
    );
    expect(answer).toMatchObject({
      reasoning: thought,
      text: "I search.",
      finish: "calls",
      calls: [{ tool: "search", arguments: '{"query":"a"}' }],
      state: { thinking: [{ text: thought, signature: "c2lnbmVk" }] },
      usage: { promptTokens: 50, completionTokens: 9, cachedTokens: 30 },
    });
    const model = openTestModel(server.baseUrl, anthropic);
    await model.complete({
      ...testRequest,
      messages: [
        ...testRequest.messages,
        {
          role: "assistant",
          text: "I search.",
          reasoning: "First this",
          state: answer?.state,
          calls: [{ id: "call00001", tool: "search", arguments: {} }],
        },
        { role: "tool", results: [{ callId: "call00001", tool: "search", text: "Nothing." }] },
        { role: "user", text: "Hurry." },
      ],
    });
    expect(server.requests[0]).toMatchObject({ path: "/v1/messages", headers: { "x-api-key": KEY } });
    const { messages } = (server.requests[1]?.body ?? {}) as {
      messages: { role: string; content: Record<string, unknown>[] }[];
    };
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(messages[1]?.content).toMatchObject([
      { type: "thinking", thinking: thought, signature: "c2lnbmVk" },
      { type: "text", text: "I search." },
      { type: "tool_use", id: "call00001" },
    ]);
    expect(messages[0]?.content.at(-1)).toHaveProperty("cache_control");
    expect(messages[2]?.content.at(-1)).toHaveProperty("cache_control");
  });

  test("models that bind thinking to what stands before it drop it after an edit", async () => {
    const bound = await ask([{ text: "x" }], { ...anthropic, model: "claude-opus-5-5", reasoning: "high" });
    expect(bound.server.requests[0]?.body).toMatchObject({
      thinking: { type: "adaptive", block_binding: { prefix_mismatch_behavior: "drop_block" } },
    });
    const free = await ask([{ text: "x" }], anthropic);
    expect(free.server.requests[0]?.body).not.toHaveProperty("thinking");
  });
});

describe("the key", () => {
  test("is taken out of what a server repeats, wherever it is split", async () => {
    let shown = "";
    const echo = `your key is ${KEY}, right?`;
    const { answer } = await ask(
      [{ text: echo, reasoning: echo, calls: [{ tool: KEY, arguments: { query: KEY } }] }],
      { apiKeyEnv: "KEY" },
      {
        onDelta: (_, text) => {
          shown += text;
        },
      },
    );
    expect(JSON.stringify(answer)).not.toContain(KEY);
    expect(shown).not.toContain(KEY);
    expect(answer?.text).toBe("your key is …, right?");
    expect(shown).toBe("your key is …, right?".repeat(2));
  });

  test.each([
    [{ apiKeyEnv: "NONE" }, /NONE holds no key/],
    [{ apiKeyEnv: KEY }, /^What should name the variable with the key is not a variable's name\.$/],
    [{ apiKeyEnv: "BAD", environment: { BAD: "two\nlines" } }, /BAD is not one/],
    [{ kind: "openai", environment: {} }, /OPENAI_API_KEY holds no key/],
    [{ kind: "anthropic", environment: {} }, /ANTHROPIC_API_KEY holds no key/],
    [{ baseUrl: undefined }, /address of the server of m is missing/],
    [{ baseUrl: "ftp://host" }, /not an http/],
    [{ baseUrl: "http://user:pass@host/v1" }, /holds a user/],
    [{ baseUrl: "http://host/v1?key=abc" }, /a query/],
    [{ model: " " }, /needs the name of a model/],
  ] as [Partial<ChatModelOptions>, RegExp][])("%o is refused before anything is sent", (more, message) => {
    const build = () => openTestModel("http://127.0.0.1:1/v1", more);
    expect(build).toThrow(
      expect.objectContaining({ code: "invalid_argument", message: expect.stringMatching(message) }),
    );
  });
});
