import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What is answered in the server's place. */
export interface Substitute {
  readonly status: number;
  readonly body: unknown;
}

export interface MeddlingProxy {
  readonly address: string;
  /** Runs before a request is passed on; what it throws breaks the connection. */
  before: (path: string) => Promise<void> | void;
  /** Undefined passes a request on. */
  instead: (path: string) => Substitute | undefined;
  close(): Promise<void>;
}

/** Stands between a client and a server, so that a test can act between two of the client's requests. */
export async function meddlingProxy(target: string): Promise<MeddlingProxy> {
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const path = request.url ?? "/";
    await proxy.before(path);
    const substitute = proxy.instead(path);
    if (substitute !== undefined) {
      send(response, substitute.status, Buffer.from(JSON.stringify(substitute.body)));
      return;
    }
    const method = request.method ?? "GET";
    const answer = await fetch(`${target}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(parts.length === 0 ? {} : { body: Buffer.concat(parts) }),
    });
    send(response, answer.status, Buffer.from(await answer.arrayBuffer()));
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const place = server.address();
  if (place === null || typeof place === "string") throw new Error("no port");
  const proxy: MeddlingProxy = {
    address: `http://127.0.0.1:${place.port}`,
    before: () => undefined,
    instead: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return proxy;
}

function send(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": body.byteLength });
  response.end(body);
}
