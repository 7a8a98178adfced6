import type { z } from "zod";
import type { Gate } from "../core/gate.ts";
import type { Caller } from "../features/access-tokens.ts";
import type { Span, Tracer } from "../features/tracing/tracer.ts";
import type { Workspace } from "../features/workspace.ts";
import type { EventStream } from "./event-stream.ts";
import type { Metrics } from "./metrics.ts";

/** What all requests of a server share. */
export interface Service {
  readonly workspace: Workspace;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** Runs of the agent: searches and briefs. */
  readonly runs: Gate;
  /** Everything else that asks a corpus. */
  readonly queries: Gate;
  /** Rollouts that a caller may ask for. */
  readonly rolloutsMax: number;
  /** Told of the server's own faults. */
  readonly onError: (error: unknown) => void;
  /** True from the first sign of the end on. */
  isClosing(): boolean;
}

/** One request, after all checks. */
export interface Call<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  /** The part of the path that stands for `{id}`. */
  readonly id: string;
  readonly caller: Caller;
  /** What the caller may use of the service's workspace. */
  readonly workspace: Workspace;
  /** Aborts when the client is gone or the server ends. */
  readonly signal: AbortSignal;
  /** Of the request. */
  readonly span: Span;
  /** Whether the `Accept` header names this type. */
  accepts(type: string): boolean;
  /** For the access log of `--verbose` only. */
  describe(what: string): void;
}

export type Answer =
  | { readonly kind: "json"; readonly value: unknown; readonly status?: number }
  | { readonly kind: "text"; readonly type: string; readonly text: string }
  | { readonly kind: "file"; readonly type: string; readonly path: string }
  | { readonly kind: "events"; write(stream: EventStream): Promise<void> };

/** A part of an answer or a request as it is described: a media type with its schema, or without one where it is plain text. */
export type Contents = Readonly<Record<string, z.ZodType | undefined>>;

export interface Route {
  readonly method: "GET" | "POST";
  /** `{id}` stands for one part of the path. */
  readonly path: string;
  /** Name of the operation in the description. */
  readonly operation: string;
  readonly summary: string;
  /** Answered without a token, and while the server shuts down. */
  readonly isOpen?: boolean;
  readonly body?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly answers: Contents;
  /** Statuses of errors besides those that any request may meet. */
  readonly errors?: readonly number[];
  handle(call: Call<never, never>, service: Service): Promise<Answer>;
}

interface RouteDefinition<Body extends z.ZodObject, Query extends z.ZodObject> extends Omit<Route, "handle"> {
  readonly body?: Body;
  readonly query?: Query;
  handle(call: Call<z.output<Body>, z.output<Query>>, service: Service): Promise<Answer>;
}

/** A route whose handler gets what its own schemas let through. */
export function route<Body extends z.ZodObject, Query extends z.ZodObject>(
  definition: RouteDefinition<Body, Query>,
): Route {
  return definition as unknown as Route;
}

export function json(value: unknown, status = 200): Answer {
  return { kind: "json", value, status };
}
