import type { ServerResponse } from "node:http";
import { WinnowError } from "../core/errors.ts";
import { jsonText } from "../core/json-text.ts";

/** A comment that keeps proxies from closing a stream on which nothing happens. */
const KEEP_ALIVE_MS = 15_000;

/** Of `ServerResponse`, what a stream needs. */
export type StreamTarget = Pick<
  ServerResponse,
  "writeHead" | "write" | "end" | "destroy" | "once" | "off" | "destroyed" | "flushHeaders" | "writableNeedDrain"
>;

export interface EventStreamOptions {
  /** How long a client may leave everything unread, milliseconds. */
  readonly stallMsMax: number;
  /** Told when a client is cut for that. */
  readonly onStall: () => void;
}

/**
 * Server-sent events over one response. A message is written when the client has taken what came before, so what is
 * buffered is bounded; a client that takes nothing for too long is cut.
 */
export class EventStream {
  readonly #target: StreamTarget;
  readonly #options: EventStreamOptions;
  readonly #keepAlive: NodeJS.Timeout;
  #deadline: NodeJS.Timeout | undefined;

  constructor(target: StreamTarget, options: EventStreamOptions, headers: Readonly<Record<string, string>>) {
    this.#target = target;
    this.#options = options;
    target.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Buffering proxies would hold events back.
      "x-accel-buffering": "no",
    });
    target.flushHeaders();
    this.#keepAlive = setInterval(() => {
      if (!target.destroyed && !target.writableNeedDrain) target.write(": going on\n\n");
    }, KEEP_ALIVE_MS);
    this.#keepAlive.unref();
  }

  /** Resolves when there is room for the next one. Rejects with `cancelled` when the client is gone or does not read. */
  async send(event: string, data: unknown): Promise<void> {
    if (this.#target.destroyed) throw gone();
    // One line of data, also for clients that know more line ends than the format does.
    if (this.#target.write(`event: ${event}\ndata: ${jsonText(data)}\n\n`)) return;
    await this.#room();
  }

  /** Cuts the stream unless it ends within `ms`: whatever is to come is known, and only the client's reading holds it up. */
  endWithin(ms: number): void {
    this.#deadline ??= setTimeout(() => {
      this.#options.onStall();
      this.#target.destroy();
    }, ms);
    this.#deadline.unref();
  }

  /** Ends the response; nothing is sent after it. */
  end(): void {
    clearInterval(this.#keepAlive);
    clearTimeout(this.#deadline);
    if (!this.#target.destroyed) this.#target.end();
  }

  #room(): Promise<void> {
    const target = this.#target;
    return new Promise((resolve, reject) => {
      const settle = (then: () => void) => (): void => {
        clearTimeout(timer);
        target.off("drain", onDrain);
        target.off("close", onClose);
        then();
      };
      const onDrain = settle(resolve);
      const onClose = settle(() => reject(gone()));
      const timer = setTimeout(
        settle(() => {
          this.#options.onStall();
          target.destroy();
          reject(gone());
        }),
        this.#options.stallMsMax,
      );
      target.once("drain", onDrain);
      target.once("close", onClose);
    });
  }
}

function gone(): WinnowError {
  return new WinnowError("cancelled", "The client is gone, or did not read what it was sent.");
}
