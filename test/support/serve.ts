import { spawn } from "node:child_process";
import { type IncomingHttpHeaders, request } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { Packed } from "./packed.ts";

/** A started `winnow serve`. */
export interface Served {
  readonly url: string;
  readonly pid: number;
  /** Lines on stderr until now. */
  readonly said: readonly string[];
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the packed command on a free port and waits for the address that it prints. */
export async function startServe(
  { cli, home }: Pick<Packed, "cli" | "home">,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const child = spawn(process.execPath, [cli, "serve", "--port", "0", ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  for await (const url of createInterface({ input: child.stdout })) {
    return {
      url,
      pid: child.pid ?? 0,
      said,
      ended,
      kill: (signal) => void child.kill(signal),
      stop() {
        child.kill("SIGTERM");
        return ended;
      },
    };
  }
  throw new Error(`winnow serve printed no address:\n${said.join("\n")}`);
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON where it is JSON. */
  readonly body: unknown;
}

/** One request over a connection of its own; `body` is sent as JSON unless it is text. The path is sent as it is. */
export function call(
  { url }: Pick<Served, "url">,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request(
      {
        hostname: hostname.replace(/^\[|\]$/g, ""),
        port,
        path,
        method,
        headers: { ...json, ...headers },
        agent: false,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("error", reject);
        response.on("end", () => {
          const isJson = (response.headers["content-type"] ?? "").startsWith("application/json;");
          const { statusCode: status = 0 } = response;
          resolve({
            status,
            headers: response.headers,
            text,
            body: isJson && text !== "" ? JSON.parse(text) : undefined,
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  });
}

export interface StreamedEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Messages of a stream of server-sent events, comments left out. */
export function parseEvents(text: string): StreamedEvent[] {
  return text.split("\n\n").flatMap((block) => {
    const event = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    return event === undefined || data === undefined ? [] : [{ event, data: JSON.parse(data) }];
  });
}

/** A search as a stream, read to its end. */
export async function eventsOf(
  server: Pick<Served, "url">,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<StreamedEvent[]> {
  const { status, text } = await call(server, "POST", "/v1/search", body, { accept: "text/event-stream", ...headers });
  if (status !== 200) throw new Error(`${status}: ${text}`);
  return parseEvents(text);
}

/** Looks again and again until something is so, for ten seconds. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await isSo()) return;
    await delay(50);
  }
  throw new Error(`It never came: ${what}.`);
}
