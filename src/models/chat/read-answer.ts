import type { ChatAnswer, ChatState } from "./chat-model.ts";
import { oversized } from "./guarded-fetch.ts";
import type { ModelUsage } from "./prices.ts";
import { OWN_METADATA, type SdkStream } from "./sdk-model.ts";

/** UTF-16 units of one answer: text, reasoning, signatures and arguments together. */
export const ANSWER_UNITS_MAX = 1_048_576;
/** Pieces of one answer: two for each of the tokens that are asked for at most. */
const PARTS_MAX = 32_768;
/** Calls of one answer; the harness runs far fewer. */
const CALLS_MAX = 256;

type SdkPart = SdkStream extends ReadableStream<infer Part> ? Part : never;
type Finish = Extract<SdkPart, { type: "finish" }>;
type Metadata = Finish["providerMetadata"];

/** What the server sent instead of the rest of an answer. */
export class StreamFault extends Error {
  override readonly name = "StreamFault";
  readonly fault: unknown;

  constructor(fault: unknown) {
    super("The stream held an error.");
    this.fault = fault;
  }
}

/** The answer ended before the server said why it ends. */
export class BrokenOffError extends Error {
  override readonly name = "BrokenOffError";
}

type ThinkingBlock = NonNullable<ChatState["thinking"]>[number];

interface Thought {
  text: string;
  signature: string | undefined;
  redacted: string | undefined;
}

/**
 * Reads a stream to its end. Calls are taken only from an answer that is complete: half a call is none. Rejects with
 * `StreamFault`, `BrokenOffError`, the errors of the stream, and `policy_failed` for an answer without measure.
 */
export async function readAnswer(
  stream: SdkStream,
  onDelta: (kind: "reasoning" | "text", delta: string) => void,
): Promise<Omit<ChatAnswer, "costUsd">> {
  const reader = new AnswerReader(onDelta);
  let parts = 0;
  // Leaving the loop early cancels the stream, and with it the connection.
  for await (const part of stream) {
    parts++;
    if (parts > PARTS_MAX) throw oversized(`${PARTS_MAX} pieces`);
    reader.take(part);
    if (reader.units > ANSWER_UNITS_MAX) throw oversized(`${ANSWER_UNITS_MAX} characters`);
  }
  return reader.answer();
}

class AnswerReader {
  readonly #onDelta: (kind: "reasoning" | "text", delta: string) => void;
  #text = "";
  readonly #thoughts = new Map<string, Thought>();
  readonly #calls: { tool: string; arguments: string; signature: string | null }[] = [];
  #begun = 0;
  #end: Finish | undefined;
  units = 0;

  constructor(onDelta: (kind: "reasoning" | "text", delta: string) => void) {
    this.#onDelta = onDelta;
  }

  take(part: SdkPart): void {
    switch (part.type) {
      case "text-delta":
        this.#text += part.delta;
        this.units += part.delta.length;
        this.#onDelta("text", part.delta);
        return;
      case "reasoning-start":
      case "reasoning-end":
        this.#think(part.id, "", part.providerMetadata);
        return;
      case "reasoning-delta":
        this.#think(part.id, part.delta, part.providerMetadata);
        return;
      case "tool-input-start":
        this.#begun++;
        if (this.#begun > CALLS_MAX) throw oversized(`${CALLS_MAX} calls`);
        return;
      case "tool-input-delta":
        this.units += part.delta.length;
        return;
      case "tool-call":
        this.units += part.toolName.length;
        this.#calls.push({
          tool: part.toolName,
          arguments: part.input,
          signature: callSignature(part.providerMetadata),
        });
        return;
      case "error":
        throw new StreamFault(part.error);
      case "finish":
        this.#end = part;
        return;
      default:
        return;
    }
  }

  #think(id: string, delta: string, metadata: Metadata): void {
    const thought = this.#thoughts.get(id) ?? { text: "", signature: undefined, redacted: undefined };
    this.#thoughts.set(id, thought);
    const { signature, redactedData } = metadata?.["anthropic"] ?? {};
    if (typeof signature === "string") thought.signature = (thought.signature ?? "") + signature;
    if (typeof redactedData === "string") thought.redacted = redactedData;
    this.units += delta.length + (typeof signature === "string" ? signature.length : 0);
    thought.text += delta;
    if (delta !== "") this.#onDelta("reasoning", delta);
  }

  answer(): Omit<ChatAnswer, "costUsd"> {
    const end = this.#end;
    if (end?.finishReason.raw === undefined) throw new BrokenOffError("The answer broke off.");
    const state = this.#state(end);
    const reasoning = [...this.#thoughts.values()].map(({ text }) => text).filter((text) => text.trim() !== "");
    return {
      text: this.#text,
      reasoning: reasoning.join("\n\n"),
      calls: this.#calls.map(({ tool, arguments: written }) => ({ tool, arguments: written })),
      finish: finishOf(end.finishReason.unified, this.#calls.length > 0),
      usage: usageOf(end.usage),
      ...(state === undefined ? {} : { state }),
    };
  }

  #state(end: Finish): ChatState | undefined {
    const field = end.providerMetadata?.[OWN_METADATA]?.["reasoningField"];
    const thinking = [...this.#thoughts.values()].flatMap(({ text, signature, redacted }): ThinkingBlock[] => {
      if (redacted !== undefined) return [{ redacted }];
      return signature === undefined ? [] : [{ text, signature }];
    });
    const signed = this.#calls.some(({ signature }) => signature !== null);
    const state: ChatState = {
      ...(field === "reasoning" || field === "reasoning_content" ? { reasoningField: field } : {}),
      ...(thinking.length === 0 ? {} : { thinking }),
      ...(signed ? { callSignatures: this.#calls.map(({ signature }) => signature) } : {}),
    };
    return Object.keys(state).length === 0 ? undefined : state;
  }
}

/** Google's signature of a call; the SDK files it under the provider's name. */
function callSignature(metadata: Metadata): string | null {
  for (const values of Object.values(metadata ?? {})) {
    const signature = values?.["thoughtSignature"];
    if (typeof signature === "string") return signature;
  }
  return null;
}

function finishOf(reason: Finish["finishReason"]["unified"], hasCalls: boolean): ChatAnswer["finish"] {
  if (reason === "length") return "length";
  if (reason === "content-filter") return "filtered";
  return hasCalls ? "calls" : "stop";
}

function usageOf({ inputTokens, outputTokens }: Finish["usage"]): ModelUsage {
  const usage = {
    promptTokens: inputTokens.total,
    completionTokens: outputTokens.total,
    cachedTokens: inputTokens.cacheRead,
    cacheWriteTokens: inputTokens.cacheWrite,
  };
  // Servers that report nothing make zeros of it in the SDK; a prompt of no tokens does not exist.
  if (usage.promptTokens === 0 && usage.completionTokens === 0) return {};
  const counted = ([, tokens]: [string, number | undefined]): boolean =>
    tokens !== undefined && Number.isFinite(tokens) && tokens >= 0;
  return Object.fromEntries(Object.entries(usage).filter(counted));
}
