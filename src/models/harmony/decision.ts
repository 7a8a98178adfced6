import { trimmedOf } from "../../core/text.ts";
import { FUNCTIONS } from "./instructions.ts";
import { readLooseJson } from "./loose-json.ts";
import type { ParsedMessage, ParsedTokens } from "./parse.ts";
import { type Repair, RepairList } from "./repairs.ts";

export interface HarmonyCall {
  readonly tool: string;
  /** Parsed JSON; the text as written where it is none. */
  readonly arguments: unknown;
}

/** What models put around the name of a tool. */
const AROUND_NAME = /[\s"'`().,;:]/;

/** An output as an agent takes it. */
export interface HarmonyDecision {
  readonly reasoning?: string;
  /** The final answer; beside calls, what the model said before them. */
  readonly text?: string;
  readonly calls: readonly HarmonyCall[];
  /** What was not as the format asks for: in the tokens, then in the messages. */
  readonly repairs: readonly Repair[];
  /** True when the last message had no end: the sampling was stopped within it. */
  readonly cut: boolean;
}

/** The tool under which several calls are packed into one; gpt-oss samples only one call a turn. */
export const PARALLEL_TOOL = "multi_tool_use";
/** The name it has in other formats of the same vendor. */
const PARALLEL_NAMES: readonly string[] = [PARALLEL_TOOL, `${PARALLEL_TOOL}.parallel`];
/** Calls that are taken from one output. */
const CALLS_MAX = 128;
/** Recipients that are no tool. */
const PEOPLE: readonly string[] = ["all", "assistant", "user"];

/**
 * Turns parsed messages into a decision, with the redirections that the published harness makes: a call counts wherever
 * it stands, text without a channel is reasoning, parallel calls are unpacked. Never throws.
 */
export function readDecision({ messages, repairs }: ParsedTokens): HarmonyDecision {
  const list = new RepairList();
  const reader = new DecisionReader(list);
  for (const message of messages) reader.take(message);
  const last = messages.at(-1);
  return { ...reader.finish(), repairs: [...repairs, ...list.items], cut: last?.end === "cut" };
}

class DecisionReader {
  readonly #repairs: RepairList;
  readonly #reasoning: string[] = [];
  readonly #final: string[] = [];
  readonly #preamble: { readonly text: string; readonly at: number }[] = [];
  readonly #calls: HarmonyCall[] = [];
  #hadCall = false;

  constructor(repairs: RepairList) {
    this.#repairs = repairs;
  }

  take(message: ParsedMessage): void {
    if (message.role !== "assistant") {
      this.#repairs.add("foreign_role", message.start, message.name ?? message.role);
      return;
    }
    const { recipient, channel, text, start } = message;
    if (recipient === "") this.#repairs.add("empty_recipient", start, text);
    else if (recipient !== undefined && !PEOPLE.includes(recipient)) {
      this.#call(message, recipient);
      return;
    }
    if (text.trim() === "") return;
    if (channel === "final") this.#final.push(text);
    else if (channel === "commentary") this.#preamble.push({ text, at: start });
    else {
      if (channel !== "analysis") this.#repairs.add("text_as_reasoning", start, channel ?? text);
      this.#reasoning.push(text);
    }
  }

  finish(): Pick<HarmonyDecision, "reasoning" | "text" | "calls"> {
    const [preamble] = this.#preamble;
    const answer = [...this.#preamble.map(({ text }) => text), ...this.#final];
    if (preamble !== undefined && !this.#hadCall && this.#final.length === 0) {
      this.#repairs.add("commentary_as_answer", preamble.at, preamble.text);
    }
    return {
      ...(this.#reasoning.length === 0 ? {} : { reasoning: this.#reasoning.join("\n\n") }),
      ...(answer.length === 0 ? {} : { text: answer.join("\n\n") }),
      calls: this.#calls,
    };
  }

  #call({ channel, text, start }: ParsedMessage, recipient: string): void {
    this.#hadCall = true;
    if (channel !== "commentary") this.#repairs.add("call_redirected", start, channel ?? "no channel");
    const tool = this.#toolName(recipient, start);
    const value = this.#json(text, start);
    if (!PARALLEL_NAMES.includes(tool)) {
      this.#push({ tool, arguments: value }, start);
      return;
    }
    const entries = entriesOf(value);
    if (entries === undefined || entries.length === 0) {
      this.#repairs.add("parallel_entry", start, text);
      this.#push({ tool, arguments: value }, start);
      return;
    }
    for (const entry of entries) this.#entry(entry, start);
  }

  #entry(entry: unknown, at: number): void {
    const given = (typeof entry === "object" && entry !== null ? entry : {}) as Readonly<Record<string, unknown>>;
    const name = given["tool_name"] ?? given["recipient_name"] ?? given["name"];
    const tool = typeof name === "string" ? this.#toolName(name, at) : "";
    if (tool === "" || PARALLEL_NAMES.includes(tool)) {
      this.#repairs.add("parallel_entry", at, JSON.stringify(entry));
      this.#push({ tool: PARALLEL_TOOL, arguments: entry }, at);
      return;
    }
    const value = given["parameters"] ?? given["arguments"] ?? {};
    this.#push({ tool, arguments: typeof value === "string" ? this.#json(value, at) : value }, at);
  }

  #push(call: HarmonyCall, at: number): void {
    if (this.#calls.length < CALLS_MAX) this.#calls.push(call);
    else this.#repairs.add("too_many_calls", at);
  }

  #json(text: string, at: number): unknown {
    if (text.trim() === "") return {};
    const read = readLooseJson(text);
    if (read === undefined) {
      this.#repairs.add("json_unusable", at, text);
      return text;
    }
    for (const code of read.repairs) this.#repairs.add(code, at, text);
    return read.value;
  }

  /** The name without its namespace, and without what models put around it. */
  #toolName(written: string, at: number): string {
    let name = trimmedOf(written.replace(/<\|[^|]*\|>.*$/s, ""), AROUND_NAME);
    let namespaces = 0;
    for (; name.startsWith(`${FUNCTIONS}.`); namespaces++) name = name.slice(FUNCTIONS.length + 1);
    if (namespaces > 1 || !written.endsWith(name)) this.#repairs.add("tool_name", at, written);
    return name;
  }
}

/** The list of calls in the arguments of a parallel call, in any of the forms that models give it. */
function entriesOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const list = given["tool_calls"] ?? given["tool_uses"] ?? given["calls"];
  if (Array.isArray(list)) return list;
  if (typeof list === "string") return entriesOf(readLooseJson(list)?.value);
  return "tool_name" in given || "recipient_name" in given ? [given] : undefined;
}
