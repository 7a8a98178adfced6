import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { completionBody, completionEvents } from "./wire-completions.ts";
import { anthropicEvents, openAiCompletion, openAiEvents } from "./wire-events.ts";

/** One answer of the model. */
export interface WireAnswer {
  readonly text?: string;
  readonly reasoning?: string;
  /** OpenAI's format only: the field that reasoning is sent in. Default `reasoning_content`. */
  readonly reasoningField?: "reasoning" | "reasoning_content";
  /** Anthropic's format only: signature of the reasoning. */
  readonly signature?: string;
  /** Arguments that are text are sent as they are, JSON or not. */
  readonly calls?: readonly { readonly tool: string; readonly arguments: unknown }[];
  readonly usage?: { readonly prompt: number; readonly completion: number; readonly cached?: number };
  /** Why the answer ends, in the words of the format. Default what fits the answer. */
  readonly finish?: string;
  /** Completions only, as are the next four: the answer's token ids. `text` is then what they spell. */
  readonly ids?: readonly number[];
  /** One for each id; default -0.25 each. */
  readonly logprobs?: readonly number[];
  /** `token_ids` (default): in that field; `logprobs`: as `token_id:N` among the log-probabilities; `none`: nowhere. */
  readonly idsAs?: "token_ids" | "logprobs" | "none";
  /** The prompt that the server says it read; default the one that it was sent. */
  readonly promptIds?: readonly number[];
  /** The id that the server says ended the answer; default the last one; null for none. */
  readonly stopReason?: number | null;
  /** Waits before the answer, milliseconds. */
  readonly delayMs?: number;
}

/** Something else than an answer: a status with a body (JSON, or text as it is). */
export interface WireRefusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Takes the whole answer over: truncated streams, endless ones, other people's formats. */
export type WireScript = (response: ServerResponse, request: WireRequest) => void | Promise<void>;
export type WireReply = WireAnswer | WireRefusal | WireScript;

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The parsed body; undefined where there was none. */
  readonly body: unknown;
}

export interface WireServerOptions {
  /** Replies in turn, the last one for ever; or a function of the request and its number, from 0. */
  readonly replies: readonly WireReply[] | ((request: WireRequest, index: number) => WireReply);
  /** What `GET /v1/models` lists; default none, which is answered with 404. */
  readonly models?: readonly string[];
}

export interface WireServer {
  /** `http://127.0.0.1:PORT/v1`. */
  readonly baseUrl: string;
  /** Requests for answers, in order; those for the list of models are not among them. */
  readonly requests: readonly WireRequest[];
  close(): Promise<void>;
}

/**
 * A model server on this machine that plays a script over real HTTP: OpenAI's format on `POST /v1/chat/completions`,
 * Anthropic's on `POST /v1/messages`, vLLM's with token ids on `POST /v1/completions`; streamed in small pieces or, where
 * the request asks for no stream, whole (not Anthropic's). For tests of programs that talk to models.
 */
export async function startWireServer({ replies, models }: WireServerOptions): Promise<WireServer> {
  const requests: WireRequest[] = [];
  const next = (request: WireRequest): WireReply => {
    const index = requests.length;
    requests.push(request);
    if (typeof replies === "function") return replies(request, index);
    return replies[Math.min(index, replies.length - 1)] ?? {};
  };
  const server = createServer(async (incoming, response) => {
    // A client that goes away is part of the tests, not a failure of this server.
    response.on("error", () => {});
    try {
      const request = await readRequest(incoming);
      if (request.method === "GET") listModels(response, models);
      else await reply(next(request), request, response);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<WireRequest> {
  let text = "";
  incoming.setEncoding("utf8");
  for await (const part of incoming) text += part;
  const { method = "GET", url = "/", headers } = incoming;
  return { method, path: url, headers, body: text === "" ? undefined : JSON.parse(text) };
}

function listModels(response: ServerResponse, models: readonly string[] | undefined): void {
  if (models === undefined) sendJson(response, 404, { error: { message: "Not found" } });
  else sendJson(response, 200, { object: "list", data: models.map((id) => ({ id, object: "model" })) });
}

async function reply(chosen: WireReply, request: WireRequest, response: ServerResponse): Promise<void> {
  if (typeof chosen === "function") return chosen(response, request);
  if ("status" in chosen) {
    const { status, headers = {}, body = {} } = chosen;
    return sendJson(response, status, body, headers);
  }
  if (chosen.delayMs !== undefined) await delay(chosen.delayMs);
  const { stream } = request.body as { readonly stream?: boolean };
  const format = formatOf(request);
  if (stream !== true && format !== "anthropic") return sendJson(response, 200, wholeOf(format, chosen, request));
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of eventsOf(format, chosen, request)) response.write(event);
  response.end();
}

type WireFormat = "anthropic" | "chat" | "completions";

function formatOf({ path }: WireRequest): WireFormat {
  if (path.endsWith("/messages")) return "anthropic";
  return path.endsWith("/chat/completions") ? "chat" : "completions";
}

function modelIn({ body }: WireRequest): string {
  const { model } = body as { readonly model?: string };
  return model ?? "";
}

function wholeOf(format: WireFormat, answer: WireAnswer, request: WireRequest): object {
  const model = modelIn(request);
  return format === "chat" ? openAiCompletion(answer, model) : completionBody(answer, request.body, model);
}

function eventsOf(format: WireFormat, answer: WireAnswer, request: WireRequest): Iterable<string> {
  const model = modelIn(request);
  if (format === "completions") return completionEvents(answer, request.body, model);
  return format === "anthropic" ? anthropicEvents(answer, model) : openAiEvents(answer, model);
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}
