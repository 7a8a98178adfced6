import { createServer, type ServerResponse } from "node:http";
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { isLoopbackHost } from "../core/address.ts";
import {
  isSameSecret,
  type ListenOptions,
  listenOn,
  requireTokenBeyondLoopback,
} from "../features/callers/listening.ts";
import type { Workspace } from "../features/workspace.ts";
import { createMcpServer } from "./server.ts";

/** Where the protocol is spoken. */
export const MCP_PATH = "/mcp";
const BODY_BYTES_MAX = 1_000_000;
const CONNECTIONS_MAX = 1_000;
/** Time that a client has to send its headers and its whole request. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface HttpOptions extends ListenOptions {
  /** What callers have to send as a bearer token; required beyond this machine. */
  readonly token?: string | undefined;
  readonly onError: (error: Error) => void;
}

export interface HttpServer {
  /** Address of the endpoint. */
  readonly url: string;
  /** Stops accepting, ends what is running, and resolves when all connections are closed. */
  close(): Promise<void>;
}

/**
 * Serves Streamable HTTP. Rejects with `invalid_argument` for an address of another machine's reach without a token, or
 * one that is in use.
 */
export async function serveOverHttp(workspace: Workspace, options: HttpOptions): Promise<HttpServer> {
  const { host, port, token, onError } = options;
  const isLocal = isLoopbackHost(host);
  requireTokenBeyondLoopback(
    host,
    token !== undefined && token !== "",
    "Put one into a variable and name it with --token-env NAME.",
  );
  const handler = createMcpHandler(() => createMcpServer(workspace), {
    onerror: onError,
    maxRequestBodySize: BODY_BYTES_MAX,
  });
  const answer = toNodeHandler(handler, { onerror: onError, maxRequestBodySize: BODY_BYTES_MAX });
  const hasGoodHost = localhostHostValidation();
  const hasGoodOrigin = localhostOriginValidation();
  const server = createServer((request, response) => {
    // A page in a browser may make this machine's names point anywhere, but it cannot lie about Host and Origin.
    if (isLocal && !hasGoodHost(request, response)) return;
    if (!hasGoodOrigin(request, response)) return;
    if ((request.url ?? "/").split("?")[0] !== MCP_PATH) return refuse(response, 404, "not found");
    if (token !== undefined && !isSameSecret(request.headers.authorization ?? "", `Bearer ${token}`))
      return refuse(response, 401, "a bearer token is needed");
    // Node types a header that is absent as undefined, the library as missing.
    answer(request as Parameters<typeof answer>[0], response).catch(onError);
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  const url = await listenOn(server, { host, port }, onError);
  return {
    url: `${url}${MCP_PATH}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await handler.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(response: ServerResponse, status: number, message: string): void {
  const headers = { "content-type": "application/json", connection: "close" };
  response.writeHead(status, status === 401 ? { ...headers, "www-authenticate": "Bearer" } : headers);
  response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32_000, message } }));
}
