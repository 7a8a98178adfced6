import { oneLine, plural } from "../../core/text.ts";
import type { Metadata, SourceDocument } from "../../core/types.ts";
import type { Title, TranscriptRecord } from "../claude-transcript/record.ts";
import type { Collector, TranscriptFile } from "../claude-transcript/transcript-source.ts";
import { uniqueId } from "../claude-transcript/unique-id.ts";
import { Conversation, type Turn } from "./conversation.ts";

export type SessionUnit = "session" | "turn";

const TITLE_UNITS_MAX = 120;
const TOOLS_MAX = 100;
const SIDECHAINS_MAX = 1_000;

/**
 * One transcript as documents: the session (or each of its turns), and one for every subagent. A record that is in the
 * file twice, as after a session was resumed, counts once; copies in the files of other sessions are not looked for.
 */
export class SessionCollector implements Collector {
  readonly #file: TranscriptFile;
  readonly #unit: SessionUnit;
  readonly #main: Conversation;
  readonly #sidechains = new Map<string, Conversation>();
  /** The thread of a subagent that a record belongs to, for versions that give it no id. */
  readonly #threads = new Map<string, string>();
  readonly #seen = new Set<string>();
  readonly #ids = new Set<string>();
  readonly #titles: Title[] = [];
  #repeated = 0;
  #cut = false;

  constructor(file: TranscriptFile, unit: SessionUnit) {
    this.#file = file;
    this.#unit = unit;
    this.#main = new Conversation(file);
  }

  add(record: TranscriptRecord): void {
    if (record.title !== undefined) {
      this.#titles.push(record.title);
      return;
    }
    if (record.uuid !== undefined) {
      if (this.#seen.has(record.uuid)) {
        this.#repeated++;
        return;
      }
      this.#seen.add(record.uuid);
    }
    this.#threadOf(record)?.add(record);
  }

  end(): { documents: SourceDocument[]; notes: string[] } {
    const turns = this.#main.turns();
    const main = this.#unit === "session" ? this.#session(turns) : this.#eachTurn(turns);
    // A file that holds nothing but one subagent is that subagent.
    const alone = main.length === 0 && this.#sidechains.size === 1;
    const others = [...this.#sidechains].flatMap(([id, thread]) => this.#sidechain(alone ? undefined : id, thread));
    const notes: string[] = [];
    if (this.#repeated > 0) notes.push(`Left out ${plural(this.#repeated, "record")} that it holds twice.`);
    const isCut = this.#cut || this.#main.isCut || [...this.#sidechains.values()].some((thread) => thread.isCut);
    if (isCut) notes.push("Only its beginning is indexed: it is over the limits for one transcript.");
    return { documents: [...main, ...others], notes };
  }

  #threadOf(record: TranscriptRecord): Conversation | undefined {
    if (!record.isSidechain) return this.#main;
    const parent = record.parentUuid === undefined ? undefined : this.#threads.get(record.parentUuid);
    const id = record.agentId ?? parent ?? record.uuid ?? "unknown";
    if (record.uuid !== undefined) this.#threads.set(record.uuid, id);
    const known = this.#sidechains.get(id);
    if (known !== undefined) return known;
    if (this.#sidechains.size >= SIDECHAINS_MAX) {
      this.#cut = true;
      return undefined;
    }
    const thread = new Conversation(this.#file);
    this.#sidechains.set(id, thread);
    return thread;
  }

  #session(turns: readonly Turn[]): SourceDocument[] {
    if (turns.length === 0) return [];
    const metadata = { ...this.#metadata(this.#main), ...toolsOf(turns), turns: turns.length };
    const title = this.#title() ?? openingOf(turns) ?? this.#fallbackTitle();
    return [this.#document("", title, turns, metadata)];
  }

  #eachTurn(turns: readonly Turn[]): SourceDocument[] {
    const session = this.#metadata(this.#main);
    return turns.map((turn, index) => {
      const metadata = {
        ...session,
        ...turn.facts.metadata(this.#file, this.#file.redactor),
        ...toolsOf([turn]),
        turn_role: turn.role,
        turn_index: index + 1,
      };
      const title = openingOf([turn]) ?? this.#title() ?? this.#fallbackTitle();
      return this.#document(`#${index + 1}`, title, [turn], metadata);
    });
  }

  #sidechain(id: string | undefined, thread: Conversation): SourceDocument[] {
    const turns = thread.turns();
    if (turns.length === 0) return [];
    const suffix =
      id === undefined ? "" : uniqueId(`#agent-${this.#file.redactor.text(id).replace(/[^\w.-]+/g, "_")}`, this.#ids);
    const metadata = { ...this.#metadata(thread), ...toolsOf(turns), turns: turns.length, sidechain: true };
    return [this.#document(suffix, openingOf(turns) ?? `Subagent of ${this.#fallbackTitle()}`, turns, metadata)];
  }

  #document(suffix: string, title: string, turns: readonly Turn[], metadata: Metadata): SourceDocument {
    const { key } = this.#file;
    const text = `${turns.map((turn) => turn.text).join("\n\n")}\n`;
    return {
      id: `${key}${suffix}`,
      uri: key,
      title: oneLine(title, TITLE_UNITS_MAX),
      format: "markdown",
      text,
      metadata,
    };
  }

  #metadata(thread: Conversation): Metadata {
    return { ...thread.facts.metadata(this.#file, this.#file.redactor), source: "claude-sessions" };
  }

  /** The last name of the highest rank; a summary counts only where it is of a message of this file. */
  #title(): string | undefined {
    let best: Title | undefined;
    for (const title of this.#titles) {
      if (title.leafUuid !== undefined && !this.#seen.has(title.leafUuid)) continue;
      if (best === undefined || title.rank >= best.rank) best = title;
    }
    const text = best === undefined ? "" : this.#file.redactor.text(best.text).trim();
    return text === "" ? undefined : text;
  }

  #fallbackTitle(): string {
    const name = this.#file.key.slice(this.#file.key.lastIndexOf("/") + 1).replace(/\.jsonl$/i, "");
    return `Session ${this.#file.redactor.text(name)}`;
  }
}

/** What the user first asked for, and where nobody asked, what was first said. */
function openingOf(turns: readonly Turn[]): string | undefined {
  const first =
    turns.find(({ role, opening }) => role === "user" && opening !== "") ?? turns.find(({ opening }) => opening !== "");
  return first?.opening;
}

function toolsOf(turns: readonly Turn[]): Metadata {
  const tools = [...new Set(turns.flatMap((turn) => [...turn.tools]))].slice(0, TOOLS_MAX);
  return tools.length === 0 ? {} : { tools_used: tools };
}
