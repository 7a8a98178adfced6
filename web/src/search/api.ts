import { EventSourceParserStream } from "eventsource-parser/stream";
import { WinnowError } from "../../../src/core/errors.ts";
import type { RecordEvent, RecordHeader } from "../../../src/record/events.ts";
import { type Run, runFromText } from "../model/load.ts";

/** A corpus as the page offers it. */
export interface CorpusChoice {
  readonly name: string;
  readonly documents: number;
  readonly updatedAt: string;
}

/** A recorded run as the page lists it. */
export interface PastRun {
  readonly runId: string;
  readonly query: string;
  readonly at: number;
  readonly documents: number;
  readonly turns: number;
  readonly stopReason: string;
}

/** What is asked. Empty parts are left out of the request. */
export interface Question {
  readonly query: string;
  readonly corpora: readonly string[];
  readonly since: string;
  readonly where: string;
  /** Documents at most. */
  readonly k: number;
}

/** One message of a stream: a line of the run's record, or what a model is just writing. */
export type Message =
  | { readonly type: "header"; readonly header: RecordHeader }
  | { readonly type: "event"; readonly event: RecordEvent }
  | { readonly type: "delta"; readonly text: string };

/** Types of messages that are events of a record. */
const EVENT_TYPES: readonly string[] = ["decision", "tool_result", "edit", "budget", "notice", "end"];
const UNAUTHORIZED = 401;

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** The server needs a token, or another one. */
export class TokenNeeded extends Error {}

/** The server that gave the page. The token, where one is needed, is kept in memory only. */
export class Api {
  readonly #fetch: Fetch;
  #token = "";

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  set token(token: string) {
    this.#token = token.trim();
  }

  async corpora(): Promise<readonly CorpusChoice[]> {
    const { corpora } = (await (await this.#ask("/v1/corpora")).json()) as { corpora: readonly CorpusChoice[] };
    return corpora;
  }

  async runs(count: number): Promise<readonly PastRun[]> {
    const { runs } = (await (await this.#ask(`/v1/runs?n=${count}`)).json()) as {
      runs: readonly (PastRun & { readonly parent: string | null })[];
    };
    return runs.filter(({ parent }) => parent === null);
  }

  async run(runId: string): Promise<Run> {
    const answer = await this.#ask(`/v1/runs/${encodeURIComponent(runId)}?format=jsonl`);
    return runFromText(runId, await answer.text());
  }

  /** A run as it goes. Throws what the server says is wrong; ends when the run does. */
  async *search(question: Question, signal: AbortSignal): AsyncGenerator<Message> {
    const { query, corpora, since, where, k } = question;
    const body = {
      ...{ query, k, stream: true },
      ...(corpora.length > 0 && { corpora }),
      ...(since !== "" && { since }),
      ...(where.trim() !== "" && { where: where.split(/\s+AND\s+/i).map((one) => one.trim()) }),
    };
    const headers = { "content-type": "application/json", accept: "text/event-stream" };
    const answer = await this.#ask("/v1/search", { method: "POST", headers, body: JSON.stringify(body), signal });
    if (answer.body === null) throw new WinnowError("internal", "The server gave no stream.");
    const events = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    const reader = events.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const { event = "", data } = next.value;
        const value = JSON.parse(data) as { delta?: unknown; error?: ErrorBody };
        if (event === "header") yield { type: "header", header: value as unknown as RecordHeader };
        else if (EVENT_TYPES.includes(event)) yield { type: "event", event: value as unknown as RecordEvent };
        else if (event === "text_delta" || event === "reasoning_delta") {
          yield { type: "delta", text: String(value.delta ?? "") };
        } else if (event === "error") throw failure(value.error);
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...init.headers, ...(this.#token !== "" && { authorization: `Bearer ${this.#token}` }) };
    const answer = await this.#fetch(path, { ...init, headers }).catch((error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw new WinnowError("unavailable", "The server cannot be reached.", {
        hint: "Does winnow serve still run?",
        cause: error,
      });
    });
    if (answer.ok) return answer;
    if (answer.status === UNAUTHORIZED) throw new TokenNeeded();
    const { error } = (await answer.json().catch(() => ({}))) as { error?: ErrorBody };
    throw failure(error);
  }
}

interface ErrorBody {
  readonly message?: string;
  readonly hint?: string;
}

function failure(error: ErrorBody | undefined): WinnowError {
  const { message = "The server refused.", hint } = error ?? {};
  return new WinnowError("internal", message, hint === undefined ? {} : { hint });
}
