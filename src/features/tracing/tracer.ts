import { randomBytes } from "node:crypto";

export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** What a span's children and other services know of it. */
export interface SpanContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Whether the one who began the trace wants it kept. */
  readonly sampled: boolean;
}

/** Numbers as OTLP has them. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;

export interface FinishedSpan {
  readonly context: SpanContext;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: number;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
}

export interface SpanOptions {
  readonly kind?: keyof typeof SPAN_KIND;
  readonly parent?: SpanContext | undefined;
  /** Milliseconds since the epoch; now by default. */
  readonly startMs?: number;
  readonly attributes?: Attributes;
}

export interface Span {
  readonly context: SpanContext;
  set(attributes: Attributes): void;
  /** Marks it as failed; `type` is a code, never text of a document or a model. */
  fail(type: string): void;
  /** Hands it to the exporter; again does nothing. */
  end(endMs?: number): void;
}

/** Makes spans; what is done with finished ones is up to `export`. */
export interface Tracer {
  /** False where nothing is exported: then nobody needs to look at a run's events. */
  readonly isOn: boolean;
  start(name: string, options?: SpanOptions): Span;
  /** Sends what waits, within `ms`. */
  close(ms: number): Promise<void>;
}

const NO_CONTEXT: SpanContext = { traceId: "0".repeat(32), spanId: "0".repeat(16), sampled: false };
const NO_SPAN: Span = { context: NO_CONTEXT, set: () => {}, fail: () => {}, end: () => {} };

/** Keeps nothing. */
export const OFF_TRACER: Tracer = { isOn: false, start: () => NO_SPAN, close: async () => {} };

export interface SpanSink {
  add(span: FinishedSpan): void;
  close(ms: number): Promise<void>;
}

export function tracerTo(sink: SpanSink): Tracer {
  return {
    isOn: true,
    start(name, { kind = "internal", parent, startMs = Date.now(), attributes: first = {} } = {}) {
      const context: SpanContext = {
        traceId: parent?.traceId ?? randomBytes(16).toString("hex"),
        spanId: randomBytes(8).toString("hex"),
        sampled: parent?.sampled ?? true,
      };
      const attributes: Record<string, AttributeValue | undefined> = { ...first };
      let failed = false;
      let ended = false;
      return {
        context,
        set: (more) => void Object.assign(attributes, more),
        fail(type) {
          failed = true;
          attributes["error.type"] = type;
        },
        end(endMs = Date.now()) {
          if (ended || !context.sampled) return;
          ended = true;
          const span = { context, parentId: parent?.spanId, name, kind: SPAN_KIND[kind], startMs, attributes, failed };
          sink.add({ ...span, endMs: Math.max(startMs, endMs) });
        },
      };
    },
    close: (ms) => sink.close(ms),
  };
}

/** The trace that a caller's `traceparent` header (W3C Trace Context) names; undefined for none or one that is malformed. */
export function parentOf(traceparent: string | undefined): SpanContext | undefined {
  const [, version, traceId = "", spanId = "", flags = ""] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent ?? "") ?? [];
  if (version === undefined || version === "ff" || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
