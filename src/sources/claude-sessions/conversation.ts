import { Facts, isoTime } from "../claude-transcript/facts.ts";
import { withoutNoise } from "../claude-transcript/noise.ts";
import type { Block, TranscriptRecord } from "../claude-transcript/record.ts";
import { callLine } from "../claude-transcript/tool-call.ts";
import type { TranscriptFile } from "../claude-transcript/transcript-source.ts";
import { excerpt } from "../redaction/excerpt.ts";

/** Who opens a turn: the user, the agent going on by itself, or a summary that took the place of earlier turns. */
export type TurnRole = "user" | "assistant" | "summary";

/** A message of the user with all that answers it, up to the next one. All text in it is redacted. */
export interface Turn {
  readonly role: TurnRole;
  readonly facts: Facts;
  readonly tools: Set<string>;
  /** First line of what opens it. */
  readonly opening: string;
  /** In Markdown. */
  readonly text: string;
}

/** Calls that one turn shows; tool-traces holds all. */
const CALLS_SHOWN_MAX = 100;

interface OpenTurn {
  readonly role: TurnRole;
  readonly facts: Facts;
  readonly tools: Set<string>;
  readonly opening: string;
  readonly parts: string[];
  speaker: "user" | "assistant" | "summary";
  calls: number;
  afterCall: boolean;
}

/** Records of one thread, in the order of the file, as turns. */
export class Conversation {
  readonly facts = new Facts();
  readonly #file: TranscriptFile;
  readonly #turns: OpenTurn[] = [];
  #units = 0;
  #cut = false;

  constructor(file: TranscriptFile) {
    this.#file = file;
  }

  /** Whether something did not fit into the limits. */
  get isCut(): boolean {
    return this.#cut;
  }

  add(record: TranscriptRecord): void {
    this.facts.add(record);
    if (isSummary(record)) this.#summary(record);
    else if (record.type === "user" && !record.isMeta) this.#user(record);
    else if (record.type === "assistant") this.#assistant(record);
  }

  turns(): Turn[] {
    return this.#turns.map(({ role, facts, tools, opening, parts, calls }) => {
      const more = calls - CALLS_SHOWN_MAX;
      const text = more > 0 ? [...parts, `\n- … and ${more.toLocaleString("en-US")} more calls`] : parts;
      return { role, facts, tools, opening, text: text.join("\n").trim() };
    });
  }

  #summary(record: TranscriptRecord): void {
    const text = this.#shown(textOf(record.blocks));
    if (text !== "") this.#open("summary", record, text);
  }

  #user(record: TranscriptRecord): void {
    const text = this.#shown(withoutNoise(textOf(record.blocks)));
    if (text !== "") this.#open("user", record, text);
    else this.#turns.at(-1)?.facts.add(record);
  }

  #assistant(record: TranscriptRecord): void {
    for (const block of record.blocks) {
      if (block.type === "text") {
        const text = this.#shown(block.text);
        if (text === "") continue;
        const last = this.#turns.at(-1);
        if (last === undefined) this.#open("assistant", record, text);
        else {
          this.#speak(last, "assistant");
          this.#push(last, `\n${text}`);
          last.afterCall = false;
        }
      } else if (block.type === "call") this.#call(record, block);
    }
    this.#turns.at(-1)?.facts.add(record);
  }

  #call(record: TranscriptRecord, { name, input }: Extract<Block, { type: "call" }>): void {
    const { redactor } = this.#file;
    const tool = redactor.text(name);
    const last = this.#turns.at(-1) ?? this.#open("assistant", record, "");
    if (last === undefined) return;
    last.tools.add(tool);
    last.calls++;
    if (last.calls > CALLS_SHOWN_MAX) return;
    this.#speak(last, "assistant");
    const line = callLine(input, redactor);
    this.#push(last, `${last.afterCall ? "" : "\n"}- ${tool}${line === "" ? "" : `: ${line}`}`);
    last.afterCall = true;
  }

  /** Undefined when there is no room for another turn. */
  #open(role: TurnRole, record: TranscriptRecord, text: string): OpenTurn | undefined {
    const { turnsMax, sessionUnitsMax } = this.#file.limits;
    if (this.#turns.length >= turnsMax || this.#units >= sessionUnitsMax) {
      this.#cut = true;
      return undefined;
    }
    const facts = new Facts();
    facts.add(record);
    const opening = text.split("\n", 1)[0] ?? "";
    const turn: OpenTurn = {
      role,
      facts,
      tools: new Set(),
      opening,
      parts: [],
      speaker: role,
      calls: 0,
      afterCall: false,
    };
    this.#turns.push(turn);
    this.#push(turn, heading(role, record.timeMs));
    if (text !== "") this.#push(turn, `\n${text}`);
    return turn;
  }

  #speak(turn: OpenTurn, speaker: "assistant"): void {
    if (turn.speaker === speaker) return;
    turn.speaker = speaker;
    this.#push(turn, `\n${heading(speaker, undefined)}`);
  }

  #push(turn: OpenTurn, text: string): void {
    if (this.#units + text.length > this.#file.limits.sessionUnitsMax) {
      this.#cut = true;
      return;
    }
    this.#units += text.length + 1;
    turn.parts.push(text);
  }

  #shown(text: string): string {
    const redacted = this.#file.redactor.text(text).trim();
    return closedFences(excerpt(redacted, this.#file.limits.messageUnitsMax));
  }
}

/** Older versions do not mark the summaries by which they replace a conversation, but begin them all alike. */
function isSummary({ type, isCompactSummary, blocks }: TranscriptRecord): boolean {
  const [first] = blocks;
  const opening = type === "user" && first?.type === "text" ? first.text : "";
  return isCompactSummary || opening.startsWith("This session is being continued from a previous conversation");
}

const HEADINGS: Readonly<Record<TurnRole, string>> = {
  user: "User",
  assistant: "Assistant",
  summary: "Summary of the conversation before (compaction)",
};

function heading(role: TurnRole, timeMs: number | undefined): string {
  const time = timeMs === undefined ? "" : `, ${isoTime(timeMs).slice(0, 16).replace("T", " ")} UTC`;
  return `## ${HEADINGS[role]}${time}\n`.trimEnd();
}

function textOf(blocks: readonly Block[]): string {
  return blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n\n");
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** A block of code that a message leaves open would swallow the headings of all messages after it. */
function closedFences(text: string): string {
  let open: string | undefined;
  for (const line of text.split("\n")) {
    const fence = FENCE.exec(line)?.[1];
    if (fence === undefined) continue;
    if (open === undefined) open = fence;
    else if (fence.startsWith(open) && line.trim() === fence) open = undefined;
  }
  return open === undefined ? text : `${text}\n${open}`;
}
