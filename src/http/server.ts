import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { isLoopbackHost } from "../core/address.ts";
import { WinnowError } from "../core/errors.ts";
import { Gate } from "../core/gate.ts";
import type { TokenBook } from "../features/access-tokens.ts";
import { type ListenOptions, listenOn, requireTokenBeyondLoopback } from "../features/callers/listening.ts";
import type { Tracer } from "../features/tracing/tracer.ts";
import type { Workspace } from "../features/workspace.ts";
import { ROUTES } from "./all-routes.ts";
import { Dispatcher, type DispatchOptions } from "./dispatch.ts";
import { closing, errorBody } from "./failure.ts";
import { addProcessMetrics, Metrics } from "./metrics.ts";
import type { Service } from "./route.ts";

/** Time that a client has to send its headers and its whole request, and that an idle connection is kept. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;
/** How often connections that are over these times are looked for. */
const LATE_CONNECTIONS_EVERY_MS = 2_000;
const CONNECTIONS_MAX = 2_000;
/** Queries at once, and those that wait: they are short. */
const QUERIES_RUNNING_MAX = 16;
const QUERIES_WAITING_MAX = 512;
const QUERY_WAIT_MS_MAX = 30_000;
/** Longest wait of a run for its turn. */
const RUN_WAIT_MS_MAX = 300_000;
/** Time that cancelled runs have to write their end. */
const CANCEL_MS = 2_000;
/** Time that the last spans have to be sent. */
const TRACES_MS = 2_000;
const LOOK_EVERY_MS = 20;

export interface ServeOptions
  extends ListenOptions,
    Pick<DispatchOptions, "log" | "verbose">,
    Pick<Service, "onError"> {
  readonly book: TokenBook | undefined;
  /** Names besides this machine's that `Host` may have. */
  readonly allowedHosts: readonly string[];
  /** Runs at once, runs that may wait, and rollouts that a caller may ask for. */
  readonly runsMax: number;
  readonly waitingMax: number;
  readonly rolloutsMax: number;
  /** Closed with the server. */
  readonly tracer: Tracer;
}

export interface ApiServer {
  readonly url: string;
  /**
   * Takes no new work, gives what is under way `graceMs` to end, cancels what is left, and resolves when all connections
   * are closed.
   */
  close(graceMs: number): Promise<void>;
}

/** Serves the HTTP API. Rejects with `invalid_argument` for an address of another machine's reach without tokens. */
export async function serveApi(workspace: Workspace, options: ServeOptions): Promise<ApiServer> {
  const { host, port, book, allowedHosts, log, verbose, onError } = options;
  requireTokenBeyondLoopback(
    host,
    book !== undefined,
    "Make one with --new-token NAME, or name a variable that holds one with --token-env NAME.",
  );
  let isClosing = false;
  const service: Service = {
    workspace,
    metrics: new Metrics(),
    tracer: options.tracer,
    runs: new Gate({ runningMax: options.runsMax, waitingMax: options.waitingMax, waitMsMax: RUN_WAIT_MS_MAX }),
    queries: new Gate({
      runningMax: QUERIES_RUNNING_MAX,
      waitingMax: QUERIES_WAITING_MAX,
      waitMsMax: QUERY_WAIT_MS_MAX,
    }),
    rolloutsMax: options.rolloutsMax,
    onError,
    isClosing: () => isClosing,
  };
  const guard = { isLocal: isLoopbackHost(host), allowedHosts };
  const dispatcher = new Dispatcher({ service, routes: ROUTES, guard, book, log, verbose });
  const timing = { connectionsCheckingInterval: LATE_CONNECTIONS_EVERY_MS };
  const server = createServer(timing, (request, response) => void dispatcher.answer(request, response));
  server.on("clientError", refuseUnread);
  server.maxConnections = CONNECTIONS_MAX;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  addMetrics(service, dispatcher);
  const url = await listenOn(server, { host, port }, onError);

  const settled = async (ms: number): Promise<void> => {
    const until = performance.now() + ms;
    while (service.runs.running + dispatcher.active.size > 0 && performance.now() < until) await delay(LOOK_EVERY_MS);
  };
  return {
    url,
    async close(graceMs) {
      isClosing = true;
      service.runs.close(closing());
      service.queries.close(closing());
      // Until the last run has ended, callers are still told that this server is going.
      await settled(graceMs);
      for (const controller of dispatcher.active) controller.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await settled(CANCEL_MS);
      server.closeAllConnections();
      await closed;
      await options.tracer.close(TRACES_MS);
    },
  };
}

function addMetrics({ metrics, runs, queries }: Service, dispatcher: Dispatcher): void {
  metrics.gauge("winnow_runs_active", "Runs of the agent under way.", () => runs.running);
  metrics.gauge("winnow_runs_waiting", "Runs that wait for their turn.", () => runs.waiting);
  metrics.gauge("winnow_queries_active", "Other queries under way.", () => queries.running);
  metrics.gauge("winnow_http_requests_active", "Requests under way.", () => dispatcher.active.size);
  addProcessMetrics(metrics);
}

const UNREAD: Readonly<Record<string, readonly [status: string, error: WinnowError]>> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    new WinnowError("limit_exceeded", "The address and the headers are too long together."),
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", new WinnowError("timeout", "The request did not arrive in time.")],
};
const UNREADABLE = ["400 Bad Request", new WinnowError("invalid_argument", "This is no HTTP request.")] as const;

/** Answers what is no request that can be read: there is no response yet to answer with. */
function refuseUnread({ code = "" }: NodeJS.ErrnoException, socket: Duplex): void {
  if (code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, error] = UNREAD[code] ?? UNREADABLE;
  const text = JSON.stringify(errorBody(error));
  const headers = `connection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${text}`, () => socket.destroy());
}
