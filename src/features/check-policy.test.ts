import { afterEach, describe, expect, test } from "vitest";
import { delta, lines, refusal } from "../testing/chat-fixture.ts";
import { answerOf, callOf } from "../testing/harmony-fixture.ts";
import { startWireServer, type WireReply, type WireServer } from "../testing/wire-server.ts";
import { checkPolicy } from "./check-policy.ts";

const servers: WireServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function check(reply: WireReply, spec = "openai-compatible:qwen", models?: readonly string[]) {
  const server = await startWireServer({ replies: [reply], ...(models === undefined ? {} : { models }) });
  servers.push(server);
  const found = await checkPolicy(spec, { baseUrl: server.baseUrl, environment: {} });
  return { ...found, requests: server.requests };
}

const ready = { tool: "ready", arguments: {} };

describe("winnow doctor --policy", () => {
  test("a model that calls the tool is fine, with what it costs", async () => {
    const { requests, ...found } = await check({ calls: [ready], usage: { prompt: 90, completion: 12 } });
    expect(found).toEqual({
      name: "policy",
      state: "ok",
      detail: expect.stringMatching(
        /^openai-compatible:qwen answers and calls tools \(\d+\.\d s; 90 \+ 12 tokens, no price/,
      ),
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.body).toMatchObject({ max_tokens: 1_024 });
  });

  const troubles: [string, WireReply, "warn" | "fail", RegExp, RegExp][] = [
    ["talks only", { text: "Sure, I am ready!" }, "warn", /did not call the tool/, /enable-auto-tool-choice/],
    ["thinks only", { reasoning: "Hm", finish: "length" }, "warn", /without calling/, /still thinking/],
    ["has no tools", refusal(400, "qwen does not support tools"), "fail", /cannot call tools/, /calls tools/],
    ["is busy", refusal(503, "loading model"), "fail", /503: loading model/, /server's own messages/],
    ["wants a key", refusal(401, "no key"), "fail", /401/, /--api-key-env/],
    ["is tiny", refusal(400, "the request exceeds the available context size"), "fail", /too long/, /larger context/],
    ["breaks off", lines(delta({ content: "half" })), "fail", /broke off/, /memory/],
  ];
  test.each(troubles)("a server that %s", async (_name, reply, state, detail, hint) => {
    const { requests, ...found } = await check(reply);
    expect(found).toMatchObject({
      state,
      detail: expect.stringMatching(detail),
      hint: expect.stringMatching(hint),
    });
    expect(requests).toHaveLength(1);
  });

  test("a wrong name is answered with the names that there are", async () => {
    const { detail } = await check(refusal(404, 'model "qwen" not found, try pulling it first'), "ollama:qwen", [
      "qwen3:8b",
      "gemma",
    ]);
    expect(detail).toMatch(/Ollama has no model "qwen"\..* It has: qwen3:8b, gemma\./);
  });

  test.each([
    ["openai:gpt", /OPENAI_API_KEY holds no key/],
    ["anthropic:claude", /ANTHROPIC_API_KEY holds no key/],
    ["openai-compatible:x", /address of the server of x is missing/],
    ["openai-compatible:", /needs the name of a model/],
    ["olama:x", /no policy "olama:x". Did you mean "ollama"/],
  ])("%s cannot even be asked", async (spec, detail) => {
    expect(await checkPolicy(spec, { environment: {} })).toMatchObject({
      state: "fail",
      detail: expect.stringMatching(detail),
      hint: expect.any(String),
    });
  });

  test("a server that is down, and a policy without one", async () => {
    const down = await checkPolicy("ollama:x", { baseUrl: "http://127.0.0.1:9/v1", environment: {} });
    expect(down).toMatchObject({ state: "fail", detail: expect.stringMatching(/Ollama cannot be reached/) });
    expect(await checkPolicy("rules", {})).toMatchObject({ state: "ok", detail: "rules needs no server" });
  });

  test("the configured address is for openai-compatible alone", async () => {
    const configured = { baseUrl: "http://127.0.0.1:9/v1" };
    const environment = { OPENAI_API_KEY: "sk-0123456789abcdef" };
    const asked: string[] = [];
    const original = globalThis.fetch;
    globalThis.fetch = async (input) => {
      asked.push(String(input));
      throw new TypeError("fetch failed");
    };
    try {
      for (const spec of ["openai-compatible:x", "openai:x", "ollama:x"]) {
        await checkPolicy(spec, { configured, environment });
      }
    } finally {
      globalThis.fetch = original;
    }
    expect(asked.map((address) => new URL(address).host)).toEqual(["127.0.0.1:9", "api.openai.com", "127.0.0.1:11434"]);
  });
});

describe("winnow doctor --policy harmony:MODEL", () => {
  const spec = "harmony:context-1";

  test("a model that calls the tool is fine, with what the server gives", async () => {
    const { requests, ...found } = await check(await answerOf(callOf("ready", {})), spec);
    expect(found).toEqual({
      name: "policy",
      state: "ok",
      detail: expect.stringMatching(
        /^harmony:context-1 answers and calls tools \(\d+\.\d s; token ids, log-probabilities\)$/,
      ),
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ path: "/v1/completions", body: { max_tokens: 1_024 } });
  });

  test.each([
    ["gives no ids", callOf("ready", {}), "none", /no token ids/, /training/],
    ["is another model", "Sure, I am ready!", "token_ids", /not in the harmony format/, /gpt-oss/],
    ["talks only", "<|channel|>final<|message|>Hi.<|return|>", "token_ids", /did not call/, /weights/],
  ] as const)("a server that %s", async (_name, output, idsAs, detail, hint) => {
    const reply = await answerOf(output, { idsAs });
    expect(await check(reply, spec)).toMatchObject({
      state: "warn",
      detail: expect.stringMatching(detail),
      hint: expect.stringMatching(hint),
    });
  });

  test.each<[string, WireReply, RegExp]>([
    ["is down to chat", refusal(404, "Not Found"), /404/],
    ["has other models", refusal(404, "The model `context-1` does not exist."), /has no model "context-1"/],
    ["breaks off", lines({ choices: [{ index: 0, text: "half", token_ids: [72] }] }), /broke off/],
  ])("a server that %s", async (_name, reply, detail) => {
    const { requests, ...found } = await check(reply, spec);
    expect(found).toMatchObject({ state: "fail", detail: expect.stringMatching(detail), hint: expect.any(String) });
    expect(requests).toHaveLength(1);
  });

  test.each([
    ["harmony:x", /address of the server of x is missing/],
    ["harmony:", /harmony needs the name of a model/],
    ["harmny:x", /Did you mean "harmony"/],
  ])("%s cannot even be asked", async (spec, detail) => {
    expect(await checkPolicy(spec, { environment: {} })).toMatchObject({
      state: "fail",
      detail: expect.stringMatching(detail),
      hint: expect.any(String),
    });
  });
});
