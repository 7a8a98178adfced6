import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { oneLine, stripControl } from "../core/text.ts";
import type { TokenBook } from "../features/access-tokens.ts";
import { scopedWorkspace } from "../features/scoped-workspace.ts";
import { OFF_TRACER, parentOf, type Span } from "../features/tracing/tracer.ts";
import { EventStream } from "./event-stream.ts";
import { closing, errorBody, errorHeaders, isOwnFault, statusOf } from "./failure.ts";
import { callerOf, checkSite, type GuardOptions } from "./guards.ts";
import { checked, queryOf, readJsonBody } from "./input.ts";
import type { Answer, Call, Route, Service } from "./route.ts";

/** How long a client may leave a stream unread. */
const STALL_MS_MAX = 15_000;
/** How long a client may take to read an answer that is no stream. */
const ANSWER_MS_MAX = 300_000;
const LOGGED_UNITS_MAX = 200;
const NO_PARAMETERS = z.strictObject({});
const HEADERS = {
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  // Nobody frames a page of ours, and it talks to this server alone.
  "content-security-policy": "frame-ancestors 'none'; base-uri 'none'; object-src 'none'; connect-src 'self'",
};

export interface DispatchOptions {
  readonly service: Service;
  readonly routes: readonly Route[];
  readonly guard: GuardOptions;
  readonly book: TokenBook | undefined;
  /** A line for each request that ended. */
  readonly log: (line: string) => void;
  /** Whether lines hold what was asked. */
  readonly verbose: boolean;
}

/** One request under way. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly search: string;
  readonly controller: AbortController;
  span: Span;
  route?: Route;
  caller?: string;
  about?: string;
}

/** Answers requests by the routes' table. `active` holds what is under way, so that it can be awaited and cancelled. */
export class Dispatcher {
  readonly active = new Set<AbortController>();
  readonly #options: DispatchOptions;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const [path = "/", ...rest] = (request.url ?? "/").split("?");
    const controller = new AbortController();
    const span = OFF_TRACER.start("");
    const exchange: Exchange = { request, response, path, search: rest.join("?"), controller, span };
    this.active.add(controller);
    response.once("close", () => {
      // A client that went away wants no more work.
      if (!response.writableFinished) controller.abort();
      this.active.delete(controller);
      this.#note(exchange, performance.now() - started);
      exchange.span.set({ "http.response.status_code": statusShown(response) });
      exchange.span.end();
    });
    response.on("error", () => {});
    try {
      await this.#send(exchange, await this.#handle(exchange));
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  async #handle(exchange: Exchange): Promise<Answer> {
    const { service, guard, book } = this.#options;
    const { request, controller } = exchange;
    checkSite(request.headers, guard);
    const { route, id } = this.#find(exchange);
    exchange.route = route;
    // Probes are no work that anybody traces.
    if (route.isOpen !== true) exchange.span = this.#span(request, route);
    const caller = route.isOpen === true ? { name: "anybody", corpora: [] } : await callerOf(request.headers, book);
    exchange.caller = caller.name;
    exchange.span.set({ "winnow.caller": caller.name });
    if (service.isClosing() && route.isOpen !== true) throw closing();
    // Probes and pages may be asked with parameters of others.
    const query = route.query ?? (route.isOpen === true ? undefined : NO_PARAMETERS);
    const given = {
      query: query === undefined ? {} : checked(query, queryOf(exchange.search, query), "query"),
      body: route.body === undefined ? {} : checked(route.body, await readJsonBody(request), "body"),
    };
    const accepted = (request.headers.accept ?? "").split(",").map((type) => type.split(";")[0]?.trim());
    const call: Call<unknown, unknown> = {
      ...given,
      id,
      caller,
      workspace: scopedWorkspace(service.workspace, caller.corpora),
      signal: controller.signal,
      span: exchange.span,
      accepts: (type) => accepted.includes(type),
      describe: (what) => {
        exchange.about = what;
      },
    };
    return route.handle(call as Call<never, never>, service);
  }

  #span({ headers }: IncomingMessage, { method, path }: Route): Span {
    return this.#options.service.tracer.start(`${method} ${path}`, {
      kind: "server",
      parent: parentOf(headers["traceparent"]?.toString()),
      attributes: { "http.request.method": method, "http.route": path, "url.scheme": "http" },
    });
  }

  #find({ request, path }: Exchange): { readonly route: Route; readonly id: string } {
    const fitting = this.#options.routes.flatMap((route) => {
      const id = idIn(path, route.path);
      return id === undefined ? [] : [{ route, id }];
    });
    // Node leaves the body out of what HEAD is answered with.
    const method = request.method === "HEAD" ? "GET" : request.method;
    const found = fitting.find(({ route }) => route.method === method);
    if (found !== undefined) return found;
    if (fitting.length === 0) {
      throw new WinnowError("not_found", "There is nothing at this address.", {
        hint: "GET /openapi.json lists all addresses.",
      });
    }
    throw new WinnowError("method_not_allowed", "This address does not take that method.", {
      hint: `It takes: ${fitting.map(({ route }) => route.method).join(", ")}.`,
    });
  }

  async #send({ response, controller }: Exchange, answer: Answer): Promise<void> {
    if (answer.kind !== "events") boundReading(response);
    if (answer.kind === "events") {
      const onStall = (): void => this.#options.service.metrics.slowClients.add();
      const stream = new EventStream(response, { stallMsMax: STALL_MS_MAX, onStall }, HEADERS);
      try {
        await answer.write(stream);
      } finally {
        stream.end();
      }
      return;
    }
    if (answer.kind === "file") {
      response.writeHead(200, { ...HEADERS, "content-type": answer.type });
      await pipeline(createReadStream(answer.path), response, { signal: controller.signal });
      return;
    }
    const isText = answer.kind === "text";
    write(response, isText ? 200 : (answer.status ?? 200), isText ? answer.text : JSON.stringify(answer.value), {
      "content-type": isText ? answer.type : "application/json; charset=utf-8",
    });
  }

  #fail({ response, request, span, controller }: Exchange, thrown: unknown): void {
    const { service } = this.#options;
    // What breaks because the client went away is no fault of anybody here.
    const isGone = controller.signal.aborted || response.destroyed || (request.destroyed && !request.complete);
    const error = isGone ? new WinnowError("cancelled", "The client is gone.") : toWinnowError(thrown);
    if (isOwnFault(error)) service.onError(thrown);
    service.metrics.refused.add({ code: error.code });
    span.fail(error.code);
    if (response.headersSent) {
      // A stream that cannot go on is cut, so that nobody takes it for whole.
      response.destroy();
      return;
    }
    const headers = { "content-type": "application/json; charset=utf-8", ...errorHeaders(error) };
    // What is left of a body is not waited for.
    const rest = request.complete ? {} : { connection: "close" };
    write(response, statusOf(error), JSON.stringify(errorBody(error)), { ...headers, ...rest });
  }

  #note({ request, response, path, route, caller, about, search }: Exchange, ms: number): void {
    const { service, log, verbose } = this.#options;
    const status = statusShown(response);
    const cut = response.writableFinished ? "" : " cut";
    service.metrics.requests.add({ route: route?.path ?? "none", status: String(status) });
    const shown = oneLine(stripControl(path), LOGGED_UNITS_MAX);
    const asked = about ?? search;
    const detail = verbose && asked !== "" ? ` ${JSON.stringify(oneLine(stripControl(asked), LOGGED_UNITS_MAX))}` : "";
    const who = caller === undefined ? "-" : caller;
    log(`${request.method ?? "?"} ${shown} ${status}${cut} ${Math.round(ms)} ms ${who}${detail}`);
  }
}

/** Cuts a client that takes nothing of an answer for too long, or takes too long for all of it. */
function boundReading(response: ServerResponse): void {
  const cut = (): void => void response.destroy();
  const timer = setTimeout(cut, ANSWER_MS_MAX);
  timer.unref();
  response.setTimeout(STALL_MS_MAX, cut);
  response.once("close", () => clearTimeout(timer));
}

/** A client that went away before there was an answer gets the status that proxies note for it. */
function statusShown(response: ServerResponse): number {
  return response.headersSent ? response.statusCode : 499;
}

function write(response: ServerResponse, status: number, text: string, headers: Record<string, string>): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...HEADERS, ...headers, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** What stands for `{id}`, empty where the pattern has none; undefined when the path does not fit. */
function idIn(path: string, pattern: string): string | undefined {
  const [before = "", after] = pattern.split("{id}");
  if (after === undefined) return path === pattern ? "" : undefined;
  const id =
    path.startsWith(before) && path.endsWith(after) ? path.slice(before.length, path.length - after.length) : "";
  return id === "" || id.includes("/") ? undefined : id;
}
