import { setTimeout as delay } from "node:timers/promises";
import { deadline } from "../../core/deadline.ts";
import { cleanMessage } from "../../core/service-message.ts";
import { VERSION } from "../../core/version.ts";
import { type AttributeValue, type FinishedSpan, OFF_TRACER, type SpanSink, type Tracer, tracerTo } from "./tracer.ts";

/** Spans that wait to be sent; later ones are dropped and counted. */
const WAITING_MAX = 2_048;
const BATCH_MAX = 512;
const EVERY_MS = 5_000;
const TIMEOUT_MS = 10_000;
const TRIES_MAX = 3;
const RETRY_MS = 500;
const RETRY_MS_MAX = 5_000;
const RETRIED = new Set([429, 502, 503, 504]);

type Environment = Readonly<Record<string, string | undefined>>;

export interface OtlpSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly everyMs: number;
  readonly resource: Readonly<Record<string, string>>;
  /** A protocol that was asked for and is not spoken. */
  readonly otherProtocol: string | undefined;
}

/** The settings by the names that OpenTelemetry gives them; undefined where traces are not wanted. */
export function otlpSettings(environment: Environment): OtlpSettings | undefined {
  const value = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const of = (name: string): string | undefined =>
    value(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? value(`OTEL_EXPORTER_OTLP_${name}`);
  const base = value("OTEL_EXPORTER_OTLP_ENDPOINT");
  const url = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? (base && `${base.replace(/\/+$/, "")}/v1/traces`);
  const isOff = value("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || value("OTEL_TRACES_EXPORTER") === "none";
  if (url === undefined || isOff || !/^https?:\/\//.test(url) || !URL.canParse(url)) return undefined;
  const protocol = of("PROTOCOL");
  return {
    url,
    headers: pairs(of("HEADERS")),
    timeoutMs: positive(of("TIMEOUT"), TIMEOUT_MS),
    everyMs: positive(value("OTEL_BSP_SCHEDULE_DELAY"), EVERY_MS),
    resource: {
      ...pairs(value("OTEL_RESOURCE_ATTRIBUTES")),
      "service.name":
        value("OTEL_SERVICE_NAME") ?? pairs(value("OTEL_RESOURCE_ATTRIBUTES"))["service.name"] ?? "winnow",
      "service.version": VERSION,
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.name": "winnow",
      "telemetry.sdk.version": VERSION,
    },
    otherProtocol: protocol === undefined || protocol === "http/json" ? undefined : protocol,
  };
}

/** `key=value,key2=value2`, values percent-encoded. */
function pairs(text: string | undefined): Record<string, string> {
  const found = (text ?? "").split(",").flatMap((pair): [string, string][] => {
    const [, key, value = ""] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (key === undefined) return [];
    try {
      return [[key, decodeURIComponent(value)]];
    } catch {
      return [[key, value]];
    }
  });
  return Object.fromEntries(found);
}

function positive(text: string | undefined, otherwise: number): number {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value > 0 ? value : otherwise;
}

/** A tracer to where the environment says, or one that keeps nothing. `onNotice` is told once of what goes wrong. */
export function openTracer(environment: Environment, onNotice: (message: string) => void): Tracer {
  const settings = otlpSettings(environment);
  if (settings === undefined) return OFF_TRACER;
  if (settings.otherProtocol !== undefined) {
    onNotice(`Traces are sent as http/json; ${cleanMessage(settings.otherProtocol, undefined)} is not spoken.`);
  }
  return tracerTo(new OtlpExporter(settings, onNotice));
}

/** Sends spans in batches, as OTLP over HTTP in JSON. What cannot be sent is dropped: no request ever waits for it. */
class OtlpExporter implements SpanSink {
  readonly #settings: OtlpSettings;
  readonly #onNotice: (message: string) => void;
  readonly #stop = new AbortController();
  #waiting: FinishedSpan[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(settings: OtlpSettings, onNotice: (message: string) => void) {
    this.#settings = settings;
    this.#onNotice = onNotice;
  }

  add(span: FinishedSpan): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#failed("more spans wait than are kept");
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= BATCH_MAX) this.#flush();
    else {
      this.#timer ??= setTimeout(() => this.#flush(), this.#settings.everyMs);
      this.#timer.unref();
    }
  }

  async close(ms: number): Promise<void> {
    this.#flush();
    const late = setTimeout(() => this.#stop.abort(), ms);
    await this.#sending;
    clearTimeout(late);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // One batch after the other, so that a slow collector is not asked twice at once.
    this.#sending = this.#sending.then(async () => {
      while (this.#waiting.length > 0) await this.#send(this.#waiting.splice(0, BATCH_MAX));
    });
  }

  async #send(spans: readonly FinishedSpan[]): Promise<void> {
    const body = JSON.stringify(otlpRequest(spans, this.#settings.resource));
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#post(body);
      if (outcome.done) {
        this.#isFailing = false;
        return;
      }
      if (!outcome.retry || attempt === TRIES_MAX || this.#stop.signal.aborted) {
        this.#failed(outcome.why);
        return;
      }
      const pauseMs = Math.min(RETRY_MS_MAX, outcome.afterMs ?? RETRY_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
      await delay(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  async #post(body: string): Promise<Posted> {
    const { url, headers, timeoutMs } = this.#settings;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body,
        redirect: "error",
        signal: AbortSignal.any([this.#stop.signal, deadline(timeoutMs)]),
      });
      await response.body?.cancel();
      if (response.ok) return { done: true };
      const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
      return {
        done: false,
        retry: RETRIED.has(response.status),
        why: `the collector answers ${response.status}`,
        ...(Number.isFinite(seconds) ? { afterMs: 1000 * seconds } : {}),
      };
    } catch (error) {
      return { done: false, retry: true, why: error instanceof Error ? error.message : String(error) };
    }
  }

  #failed(why: string): void {
    if (!this.#isFailing) this.#onNotice(`Traces are lost: ${cleanMessage(why, undefined)}.`);
    this.#isFailing = true;
  }
}

type Posted =
  | { readonly done: true }
  | { readonly done: false; readonly retry: boolean; readonly why: string; readonly afterMs?: number };

/** The body of an export, as `ExportTraceServiceRequest` is mapped to JSON. */
export function otlpRequest(spans: readonly FinishedSpan[], resource: OtlpSettings["resource"]): unknown {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes(resource) },
        scopeSpans: [{ scope: { name: "winnow", version: VERSION }, spans: spans.map(otlpSpan) }],
      },
    ],
  };
}

function otlpSpan({ context, parentId, name, kind, startMs, endMs, failed, ...span }: FinishedSpan): unknown {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    name,
    kind,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: attributes(span.attributes),
    status: failed ? { code: 2 } : {},
  };
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function attributes(given: Readonly<Record<string, AttributeValue | undefined>>): unknown[] {
  return Object.entries(given).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: AttributeValue): unknown {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((one) => ({ stringValue: one })) } };
}
