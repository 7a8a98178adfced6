import { WinnowError } from "../../core/errors.ts";
import type { HarmonyCodec } from "./codec.ts";
import type { HarmonyMessage, SampledTurn, TextMessage, TextPart } from "./conversation.ts";
import { developerText, offersFunctions, systemText } from "./instructions.ts";
import { CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START, specialTokenName } from "./special-tokens.ts";

export interface RenderOptions {
  /**
   * `assistant` (default): the ids end with the beginning of the assistant's next message, for a model to go on from.
   * `none`: they end with the last message.
   */
  readonly next?: "assistant" | "none";
  /**
   * True applies the format's rule for chats: once the assistant has given a final answer, its analysis before the first
   * such answer is left out. False (default) keeps all reasoning, as agents need it. Sampled turns are never touched.
   */
  readonly dropReasoning?: boolean;
  /** True ends a final answer that stands last with `<|return|>`, as it is sampled: for training targets. */
  readonly training?: boolean;
}

export interface RenderedTokens {
  readonly ids: readonly number[];
  /** Which ids are which message: `index` in the conversation, `start` inclusive, `end` exclusive. */
  readonly spans: readonly { readonly index: number; readonly start: number; readonly end: number }[];
}

const ASSISTANT = "assistant";
/** Headers repeat; a conversation has a handful of different ones. */
const HEADERS_CACHED_MAX = 1_000;
const CONSTRAIN_NAME = specialTokenName(CONSTRAIN);

/**
 * Renders conversations into the ids that a gpt-oss model is given, built from ids: no text, whatever it spells, can
 * become structure. The ids of messages, and of parts of them, are kept by object identity, so that a conversation that
 * grows or changes in one place costs only what is new.
 */
export class HarmonyRenderer {
  readonly #codec: HarmonyCodec;
  readonly #headers = new Map<string, readonly number[]>();
  readonly #parts = new WeakMap<TextPart, readonly number[]>();
  readonly #messages = new WeakMap<HarmonyMessage, { readonly functions: boolean; readonly ids: readonly number[] }>();

  constructor(codec: HarmonyCodec) {
    this.#codec = codec;
  }

  /** Rejects a tool message without a name with `invalid_argument`. */
  render(conversation: readonly HarmonyMessage[], options: RenderOptions = {}): RenderedTokens {
    const { next = "assistant", dropReasoning = false, training = false } = options;
    const functions = offersFunctions(conversation);
    const dropped = dropReasoning ? reasoningDropped(conversation) : new Set<number>();
    const ids: number[] = [];
    const spans: { index: number; start: number; end: number }[] = [];
    for (const [index, message] of conversation.entries()) {
      if (dropped.has(index)) continue;
      const start = ids.length;
      for (const id of this.message(message, functions)) ids.push(id);
      spans.push({ index, start, end: ids.length });
    }
    const last = conversation.at(-1);
    if (training && last !== undefined && isFinal(last) && ids.length > 0) ids[ids.length - 1] = RETURN;
    if (next === "assistant") ids.push(START, ...this.#header(ASSISTANT));
    return { ids, spans };
  }

  /** Ids of one message. `functions` says whether the conversation offers functions; only system messages depend on it. */
  message(message: HarmonyMessage, functions: boolean): readonly number[] {
    const known = this.#messages.get(message);
    if (known !== undefined && known.functions === functions) return known.ids;
    const ids = this.#messageIds(message, functions);
    this.#messages.set(message, { functions, ids });
    return ids;
  }

  #messageIds(message: HarmonyMessage, functions: boolean): readonly number[] {
    if (message.kind === "sampled") return this.#sampledIds(message);
    if (message.kind === "text") return this.#textIds(message);
    const text = message.role === "system" ? systemText(message, functions) : developerText(message);
    return [START, ...this.#header(message.role), MESSAGE, ...this.#codec.encode(text), END];
  }

  #textIds({ role, name, recipient, channel, contentType, parts }: TextMessage): number[] {
    if (role === "tool" && name === undefined) {
      throw new WinnowError("invalid_argument", "A tool message has no name.", {
        hint: 'Name the tool that answered, e.g. "functions.search_corpus".',
      });
    }
    const ids = [START];
    const write = (text: string): void => {
      for (const id of this.#header(text)) ids.push(id);
    };
    if (role === "tool") write(name ?? role);
    else {
      write(role);
      if (name !== undefined) write(`:${name}`);
    }
    if (recipient !== undefined && recipient !== "all") write(` to=${recipient}`);
    if (channel !== undefined) {
      ids.push(CHANNEL);
      write(channel);
    }
    if (contentType?.startsWith(CONSTRAIN_NAME) === true) {
      write(" ");
      ids.push(CONSTRAIN);
      write(contentType.slice(CONSTRAIN_NAME.length));
    } else if (contentType !== undefined) write(` ${contentType}`);
    ids.push(MESSAGE);
    for (const part of parts) for (const id of this.#part(part)) ids.push(id);
    ids.push(role === ASSISTANT && recipient !== undefined ? CALL : END);
    return ids;
  }

  /** What was sampled, and an end where the sampling was cut: the next message can begin only after one. */
  #sampledIds({ ids }: SampledTurn): number[] {
    const turn = [START, ...this.#header(ASSISTANT), ...ids];
    const last = ids.at(-1);
    if (last !== END && last !== RETURN && last !== CALL) turn.push(END);
    return turn;
  }

  #header(text: string): readonly number[] {
    let ids = this.#headers.get(text);
    if (ids === undefined) {
      ids = this.#codec.encode(text);
      if (this.#headers.size >= HEADERS_CACHED_MAX) this.#headers.clear();
      this.#headers.set(text, ids);
    }
    return ids;
  }

  #part(part: TextPart): readonly number[] {
    let ids = this.#parts.get(part);
    if (ids === undefined) {
      ids = this.#codec.encode(part.text);
      this.#parts.set(part, ids);
    }
    return ids;
  }
}

function channelOf(message: HarmonyMessage): string | undefined {
  return message.kind === "text" ? message.channel : undefined;
}

function isFinal(message: HarmonyMessage): boolean {
  return message.role === ASSISTANT && channelOf(message) === "final";
}

/** Analysis before the first final answer, if the assistant's last message is one. */
function reasoningDropped(conversation: readonly HarmonyMessage[]): ReadonlySet<number> {
  const last = conversation.findLast(({ role }) => role === ASSISTANT);
  if (last === undefined || !isFinal(last)) return new Set();
  const first = conversation.findIndex((message) => channelOf(message) === "final");
  const indexes = conversation.slice(0, first).flatMap((message, i) => (channelOf(message) === "analysis" ? [i] : []));
  return new Set(indexes);
}
