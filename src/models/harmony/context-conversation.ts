import {
  CONSTRAIN_JSON,
  type HarmonyMessage,
  type HarmonyTool,
  type ReasoningEffort,
  type TextMessage,
  type TextPart,
  textMessage,
} from "./conversation.ts";
import { PARALLEL_TOOL } from "./decision.ts";
import { FUNCTIONS } from "./instructions.ts";
import { pythonJson } from "./json-text.ts";

/** A call in a context. */
export interface ContextCall {
  readonly id: string;
  readonly tool: string;
  readonly arguments: unknown;
}

/**
 * A message as a harness has it, of which a rendered context is one. Blocks are encoded apart, so their ends must be
 * places across which the tokenizer cannot merge. Messages and blocks are taken as immutable.
 */
export interface ContextMessage {
  readonly role: "user" | "assistant" | "tool";
  readonly blocks: readonly TextPart[];
  readonly reasoning?: TextPart;
  readonly calls?: readonly ContextCall[];
  /** Tool messages: the call that this answers, and its tool. */
  readonly callId?: string;
  readonly tool?: string;
  /** The ids that an assistant's turn was sampled as; given, they stand for all the rest of it. */
  readonly sampledIds?: readonly number[];
}

/** How calls and results are written where the format leaves it open. */
export interface HarmonyLayout {
  /** `packed`: several calls of a turn are one call of `multi_tool_use`; `separate`: each is a message of its own. */
  readonly parallel: "packed" | "separate";
  /**
   * `text`: a result is the text itself, in blocks. `json`: it is a JSON text, and the results of a packed call are one
   * list, as the published harness of Context-1 writes them (its doubled namespace in a single result's name included).
   */
  readonly results: "text" | "json";
}

/** What the format's own description shows, with calls packed as far as the model samples only one. */
export const PLAIN_LAYOUT: HarmonyLayout = { parallel: "packed", results: "text" };
/** To the byte what the published harness gives its model (reference: context-1.md §2). */
export const PUBLISHED_LAYOUT: HarmonyLayout = { parallel: "packed", results: "json" };

export interface ContextSettings {
  readonly tools: readonly HarmonyTool[];
  /** ISO date for the system message; null for none. */
  readonly date: string | null;
  readonly effort: ReasoningEffort;
  readonly instructions?: string;
  readonly layout: HarmonyLayout;
}

const PARALLEL_DESCRIPTION = "Make several calls at once.";
const PARALLEL_PARAMETERS = {
  type: "object",
  properties: {
    tool_calls: {
      type: "array",
      description: "The calls, each with the name of a tool and its parameters.",
      items: {
        type: "object",
        properties: { tool_name: { type: "string" }, parameters: { type: "object" } },
        required: ["tool_name", "parameters"],
      },
    },
  },
  required: ["tool_calls"],
} as const;

/**
 * Turns contexts into harmony conversations. Keep one for a run: messages that did not change come out as the same
 * objects, whose ids the renderer knows.
 */
export class ContextConversation {
  readonly #layout: HarmonyLayout;
  readonly #head: readonly HarmonyMessage[];
  readonly #known = new WeakMap<ContextMessage, readonly HarmonyMessage[]>();

  constructor({ tools, date, effort, instructions, layout }: ContextSettings) {
    this.#layout = layout;
    const parallel = { name: PARALLEL_TOOL, description: PARALLEL_DESCRIPTION, parameters: PARALLEL_PARAMETERS };
    const offered = layout.parallel === "packed" && tools.length > 0 ? withParallel(tools, parallel) : tools;
    const system: HarmonyMessage = { role: "system", kind: "settings", effort, date };
    const developer: HarmonyMessage = {
      role: "developer",
      kind: "settings",
      ...(instructions === undefined ? {} : { instructions }),
      ...(offered.length === 0 ? {} : { tools: [{ name: FUNCTIONS, tools: offered }] }),
    };
    this.#head = instructions === undefined && offered.length === 0 ? [system] : [system, developer];
  }

  /** The whole conversation: settings, then every message in order. */
  of(messages: readonly ContextMessage[]): HarmonyMessage[] {
    const out: HarmonyMessage[] = [...this.#head];
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i];
      if (message === undefined) continue;
      const results = this.#packedResults(messages, i);
      const [first] = results;
      if (first === undefined) out.push(...this.#messagesOf(message));
      else {
        out.push(packedResult(results));
        i += results.length - 1;
      }
    }
    return out;
  }

  /** The results from here on that answer one packed call; none where results are messages of their own. */
  #packedResults(messages: readonly ContextMessage[], from: number): readonly ContextMessage[] {
    if (this.#layout.results !== "json" || this.#layout.parallel !== "packed") return [];
    if (messages[from]?.role !== "tool") return [];
    const calls = messages.slice(0, from).findLast(({ role }) => role === "assistant")?.calls ?? [];
    if (calls.length < 2) return [];
    const end = messages.findIndex(({ role }, i) => i > from && role !== "tool");
    return messages.slice(from, end < 0 ? messages.length : end);
  }

  #messagesOf(message: ContextMessage): readonly HarmonyMessage[] {
    let known = this.#known.get(message);
    if (known === undefined) {
      known = message.role === "assistant" ? this.#assistant(message) : [this.#other(message)];
      this.#known.set(message, known);
    }
    return known;
  }

  #other(message: ContextMessage): TextMessage {
    if (message.role !== "tool") return { role: "user", kind: "text", parts: message.blocks };
    const tool = `${FUNCTIONS}.${message.tool ?? "tool"}`;
    const json = this.#layout.results === "json";
    const parts = json ? [{ text: pythonJson(textOf(message)) }] : message.blocks;
    const name = json ? `${FUNCTIONS}.${tool}` : tool;
    return { role: "tool", kind: "text", name, recipient: "assistant", channel: "commentary", parts };
  }

  #assistant({ sampledIds, reasoning, blocks, calls = [] }: ContextMessage): HarmonyMessage[] {
    if (sampledIds !== undefined) return [{ role: "assistant", kind: "sampled", ids: sampledIds }];
    const out: HarmonyMessage[] = [];
    const speak = (channel: string, parts: readonly TextPart[]): void => {
      out.push({ role: "assistant", kind: "text", channel, parts: trimmedEnd(parts) });
    };
    if (reasoning !== undefined) speak("analysis", [reasoning]);
    // Beside calls, text is what the model says before them; alone, it is the answer.
    if (blocks.length > 0) speak(calls.length > 0 ? "commentary" : "final", blocks);
    if (calls.length > 1 && this.#layout.parallel === "packed") {
      const packed = calls.map((call) => ({ tool_name: call.tool, parameters: call.arguments }));
      out.push(callMessage(PARALLEL_TOOL, packed));
    } else for (const call of calls) out.push(callMessage(call.tool, call.arguments));
    return out;
  }
}

/** The published harness lists it before the tool that prunes. */
function withParallel(tools: readonly HarmonyTool[], parallel: HarmonyTool): HarmonyTool[] {
  const prune = tools.findIndex(({ name }) => name === "prune_chunks");
  const at = prune < 0 ? tools.length : prune;
  return [...tools.slice(0, at), parallel, ...tools.slice(at)];
}

function callMessage(tool: string, value: unknown): TextMessage {
  const recipient = `${FUNCTIONS}.${tool}`;
  return textMessage("assistant", pythonJson(value), { recipient, channel: "commentary", contentType: CONSTRAIN_JSON });
}

function packedResult(results: readonly ContextMessage[]): TextMessage {
  const list = results.map((result) => ({
    type: "tool_result",
    name: result.tool ?? "tool",
    content: [textOf(result)],
  }));
  const name = `${FUNCTIONS}.${PARALLEL_TOOL}`;
  return textMessage("tool", pythonJson(list), { name, recipient: "assistant", channel: "commentary" });
}

function textOf({ blocks }: ContextMessage): string {
  return blocks.map(({ text }) => text).join("");
}

/** A model ends its messages without the blank line that blocks end in. */
function trimmedEnd(parts: readonly TextPart[]): readonly TextPart[] {
  const last = parts.at(-1);
  const text = last?.text.trimEnd();
  return last === undefined || text === undefined || text === last.text ? parts : [...parts.slice(0, -1), { text }];
}
