import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";

/** What happens to a request instead of being passed on. */
export type Fate =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The connection breaks. */
  | "broken"
  /** Nothing ever comes. */
  | "silent"
  /** Half of the answer comes, then the connection breaks. */
  | "half";

export interface PlainProxy {
  readonly address: string;
  /** Decides about each request, now or later; undefined passes it on. */
  meddle: (request: { readonly method: string; readonly path: string }) => Fate | undefined | Promise<Fate | undefined>;
  /** Of requests that came, and bytes of bodies that were passed on in either direction. */
  readonly counts: { requests: number; sent: number; received: number };
  close(): Promise<void>;
}

/** Stands between a client and a server and passes everything on as it is, signatures included, but for what a test says. */
export async function plainProxy(target: string): Promise<PlainProxy> {
  const { hostname, port } = new URL(target);
  const counts = { requests: 0, sent: 0, received: 0 };
  const server = createServer((request, response) => {
    counts.requests++;
    decide(request, response).catch(() => response.destroy());
  });
  async function decide(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fate = await proxy.meddle({ method: request.method ?? "GET", path: request.url ?? "/" });
    if (fate === "silent") return;
    if (fate === "broken") response.destroy();
    else if (typeof fate === "object") {
      response.writeHead(fate.status, fate.headers);
      response.end(fate.body);
    } else pass(request, response, fate === "half");
  }
  function pass(request: IncomingMessage, response: ServerResponse, isHalf: boolean): void {
    const { method, url: path, headers } = request;
    const passed = send({ hostname, port, method, path, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("error", () => response.destroy());
      answer.on("end", () => {
        const body = Buffer.concat(parts);
        counts.received += body.length;
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        if (!isHalf || body.length < 2) response.end(body);
        else response.write(body.subarray(0, body.length >> 1), () => response.destroy());
      });
    });
    passed.on("error", () => response.destroy());
    request.on("data", (part: Buffer) => {
      counts.sent += part.length;
    });
    request.pipe(passed);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const place = server.address();
  if (place === null || typeof place === "string") throw new Error("no port");
  const proxy: PlainProxy = {
    address: `http://127.0.0.1:${place.port}`,
    meddle: () => undefined,
    counts,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return proxy;
}
