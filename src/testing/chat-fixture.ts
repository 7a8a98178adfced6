import { setTimeout as delay } from "node:timers/promises";
import type { ChatAnswer, ChatOptions, ChatRequest } from "../models/chat/chat-model.ts";
import type { ChatModelOptions } from "../models/chat/endpoint.ts";
import { openChatModel } from "../models/chat/open-chat-model.ts";
import { startWireServer, type WireReply, type WireRequest, type WireServer } from "./wire-server.ts";

export const KEY = "sk-secret-0123456789";

/** A chat model at the address, without pauses; those it would make are pushed to `pauses`. */
export const openTestModel = (baseUrl: string, more: Partial<ChatModelOptions> = {}, pauses: number[] = []) =>
  openChatModel({
    kind: "openai-compatible",
    model: "m",
    baseUrl,
    environment: { KEY },
    // A real pause gives way to timers, so that time limits are met between attempts.
    sleep: async (ms, signal) => {
      pauses.push(ms);
      await delay(1, undefined, signal === undefined ? {} : { signal });
    },
    random: () => 0,
    ...more,
  });

export const testRequest: ChatRequest = {
  messages: [{ role: "user", text: "Find it." }],
  tools: [{ name: "search", description: "Search.", parameters: { type: "object", properties: {} } }],
  maxTokens: 4_096,
};

export interface Asked {
  readonly answer: ChatAnswer | undefined;
  readonly error: unknown;
  /** Codes, in order. */
  readonly notices: readonly string[];
  readonly pauses: readonly number[];
  readonly requests: readonly WireRequest[];
  readonly server: WireServer;
}

/** Asks a model behind a server that plays the replies. The server goes on: the caller closes it. */
export async function askWire(
  replies: readonly WireReply[],
  more: Partial<ChatModelOptions> = {},
  options: ChatOptions = {},
): Promise<Asked> {
  const server = await startWireServer({ replies });
  const [notices, pauses]: [string[], number[]] = [[], []];
  const model = openTestModel(server.baseUrl, more, pauses);
  const asked = { notices, pauses, requests: server.requests, server };
  try {
    const answer = await model.complete(testRequest, { onNotice: (code) => notices.push(code), ...options });
    return { ...asked, answer, error: undefined };
  } catch (error) {
    return { ...asked, answer: undefined, error };
  }
}

export const refusal = (status: number, message: string, headers = {}): WireReply => ({
  status,
  headers,
  body: { error: { message } },
});

/** A stream of our own making; it stays open where it is not ended. */
export const rawStream =
  (write: (line: (value: unknown) => void, end: () => void) => void): WireReply =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    write(
      (value) => response.write(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`),
      () => response.end(),
    );
  };

/** A stream of these lines and no more. */
export const lines = (...values: readonly unknown[]): WireReply =>
  rawStream((line, end) => {
    for (const value of values) line(value);
    end();
  });

/** One piece of an answer in OpenAI's format. */
export const delta = (value: unknown, finish: string | null = null) => ({
  choices: [{ index: 0, delta: value, finish_reason: finish }],
});
