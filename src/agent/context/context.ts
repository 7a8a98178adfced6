import { createHash } from "node:crypto";
import type { TokenCounter } from "../../core/token-counter.ts";
import type {
  DecisionEvent,
  EditEvent,
  NoticeEvent,
  RankingEvent,
  RecordEvent,
  RecordedChunk,
  RecordHeader,
  ToolResultEvent,
} from "../../record/events.ts";
import type { Profile } from "../profiles/profile.ts";
import type { Constraint } from "../tools/constraints.ts";
import { toolSchemas } from "../tools/tool-schemas.ts";
import { chunkBlock, stubBlock, textBlock } from "./blocks.ts";
import { documentKeyOf, IdBook } from "./id-book.ts";
import { frameResult } from "./layout.ts";
import { escapeHeadings } from "./lookalikes.ts";
import { type Notes, notesOf } from "./notes.ts";
import { initialPrompt } from "./prompt.ts";
import type { Block, RankedEntry, RenderedContext, RenderedMessage, ShownChunk } from "./rendered.ts";

/** A chunk's place in a tool message. The block goes when the chunk is pruned, and a stub may take its place. */
interface Slot {
  block: Block | undefined;
  readonly shown: ShownChunk;
  stub: Block | undefined;
}

interface ToolEntry {
  readonly kind: "tool";
  readonly callId: string;
  readonly tool: string;
  readonly above: Block | undefined;
  readonly slots: readonly Slot[];
  readonly below: Block | undefined;
  usage: Block | undefined;
  cached: RenderedMessage | undefined;
}

interface FixedEntry {
  readonly kind: "fixed";
  readonly message: RenderedMessage;
  /** Set on notices that only the next decision sees. */
  readonly once: boolean;
}

type Entry = ToolEntry | FixedEntry;

/**
 * The context of a run, folded from its record one event at a time: `render()` after applying the first n events gives
 * the same bytes in the live run, in a replay and in the viewer. Pure but for the token counter, which must be the one
 * that the record names.
 */
export class Context {
  readonly #profile: Profile;
  readonly #counter: TokenCounter;
  readonly #ids: IdBook;
  readonly #entries: Entry[] = [];
  readonly #chunks = new Map<string, RecordedChunk>();
  readonly #shown = new Map<string, ShownChunk>();
  readonly #documents = new Map<string, { readonly corpus: string; readonly id: string }>();
  /** Visible chunks, oldest first. */
  readonly #live = new Map<string, { readonly slot: Slot; readonly entry: ToolEntry }>();
  readonly #overhead: number;
  /** Tokens of the tool schemas, part of every prompt. */
  readonly schemaTokens: number;
  #reasoningTokens = 0;
  #ranking: readonly RankedEntry[] | undefined;
  #notes: Notes | undefined;
  #notesMessage: RenderedMessage | undefined;

  constructor(header: RecordHeader, profile: Profile, counter: TokenCounter) {
    this.#profile = profile;
    this.#counter = counter;
    this.#ids = new IdBook(profile.idStyle);
    this.schemaTokens = counter.count(JSON.stringify(toolSchemas(profile)));
    this.#overhead = profile.framing.perConversation + this.schemaTokens;
    this.#pushFixed("user", [textBlock(initialPrompt(header, profile), counter)]);
  }

  /** Tokens of the reasoning that stands in the context. */
  get reasoningTokens(): number {
    return this.#reasoningTokens;
  }

  /** Applies the next event of the record. Events must come in order, each once. */
  apply(event: RecordEvent): void {
    if (event.type === "ranking") this.#applyRanking(event);
    else if (event.type === "decision") this.#applyDecision(event);
    else if (event.type === "tool_result") this.#applyResult(event);
    else if (event.type === "edit") this.#applyEdit(event);
    else if (event.type === "budget") this.#applyUsageLine(event.line);
    else if (event.type === "notice") this.#applyNotice(event);
  }

  render(): RenderedContext {
    const messages = this.#entries.map((entry) => (entry.kind === "fixed" ? entry.message : this.#renderTool(entry)));
    if (this.#notesMessage !== undefined) messages.push(this.#notesMessage);
    let tokens = this.#overhead;
    for (const message of messages) tokens += message.tokens;
    return { messages, tokens };
  }

  /** What one query of the question ranks; undefined where the run has no such ranking. */
  get ranking(): readonly RankedEntry[] | undefined {
    return this.#ranking;
  }

  /** What the question asks, as the policy last noted it; empty when it keeps no notes. */
  notedConstraints(): readonly Constraint[] {
    return this.#notes?.constraints ?? [];
  }

  /** Visible chunks with their tokens, the longest in the context first. */
  visible(): { readonly shown: ShownChunk; readonly tokens: number }[] {
    return [...this.#live.values()].map(({ slot }) => ({ shown: slot.shown, tokens: slot.block?.tokens ?? 0 }));
  }

  isVisible(key: string): boolean {
    return this.#live.has(key);
  }

  /** True when the chunk was shown at any time, pruned since or not. */
  wasShown(key: string): boolean {
    return this.#shown.has(key);
  }

  /** Every chunk that was ever shown, in order of first appearance. */
  allChunks(): ReadonlyMap<string, RecordedChunk> {
    return this.#chunks;
  }

  shownIdOf(key: string): string | undefined {
    return this.#shown.get(key)?.shownId;
  }

  /** Key of the chunk that the policy knows by this id. */
  chunkKey(shownId: string): string | undefined {
    return this.#ids.chunkKey(shownId);
  }

  /** The document that the policy knows by this id; the id of one of its chunks does as well. */
  document(shownId: string): { readonly corpus: string; readonly id: string } | undefined {
    const key = this.#ids.documentKey(shownId);
    return key === undefined ? undefined : this.#documents.get(key);
  }

  #pushFixed(role: RenderedMessage["role"], blocks: readonly Block[], once = false): void {
    const tokens = this.#profile.framing.perMessage + sum(blocks);
    this.#entries.push({ kind: "fixed", once, message: { role, blocks, tokens } });
  }

  /** Gives the ranked documents their ids; the text of none of them is shown. */
  #applyRanking({ entries }: RankingEvent): void {
    this.#ranking = entries.map((entry) => {
      this.#documents.set(documentKeyOf(entry), { corpus: entry.corpus, id: entry.documentId });
      return { key: entry.key, ...this.#ids.assign(entry), score: entry.score };
    });
  }

  #applyDecision(event: DecisionEvent): void {
    if (event.finishReason !== "calls" && event.finishReason !== "stop") return;
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i];
      if (entry?.kind === "fixed" && entry.once) this.#entries.splice(i, 1);
    }
    const counter = this.#counter;
    const blocks = hasText(event.text) ? [textBlock(event.text.trimStart(), counter)] : [];
    const reasoning = hasText(event.reasoning) ? textBlock(event.reasoning.trimStart(), counter) : undefined;
    const calls = event.calls.map((call) => ({ id: call.id, tool: call.tool, arguments: call.arguments }));
    const { perMessage, perCall } = this.#profile.framing;
    let tokens = perMessage + sum(blocks);
    for (const call of calls) tokens += perCall + counter.count(`${call.tool} ${JSON.stringify(call.arguments)}`);
    if (reasoning !== undefined) {
      tokens += perMessage + reasoning.tokens;
      this.#reasoningTokens += reasoning.tokens;
    }
    const sampledIds = this.#profile.history === "sampled" ? event.tokens?.completion : undefined;
    if (sampledIds !== undefined) tokens = perMessage + sampledIds.length;
    const message = {
      role: "assistant" as const,
      blocks,
      calls,
      tokens,
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(event.providerState === undefined ? {} : { providerState: event.providerState }),
      ...(sampledIds === undefined ? {} : { sampledIds }),
    };
    this.#entries.push({ kind: "fixed", once: false, message });
    this.#applyNotes(notesOf(event.calls, this.#profile, counter));
  }

  /** Notes are no entry: whatever comes behind them, they stand last, so that what stands before them can be cached. */
  #applyNotes(notes: Notes | undefined): void {
    if (notes === undefined) return;
    const { block } = notes;
    this.#notes = notes;
    this.#notesMessage = { role: "user", blocks: [block], tokens: this.#profile.framing.perMessage + block.tokens };
  }

  #applyResult(event: ToolResultEvent): void {
    for (const chunk of event.chunks) {
      this.#chunks.set(chunk.key, chunk);
      this.#documents.set(documentKeyOf(chunk), { corpus: chunk.corpus, id: chunk.documentId });
    }
    const slots: Slot[] = [];
    for (const hit of event.hits) {
      const chunk = this.#chunks.get(hit.key);
      if (chunk === undefined || this.#live.has(hit.key) || slots.some(({ shown }) => shown.key === hit.key)) continue;
      const block = chunkBlock(chunk, this.#ids.assign(chunk), this.#profile, this.#counter);
      if (block.chunk === undefined) continue;
      this.#shown.set(hit.key, block.chunk);
      slots.push({ block, shown: block.chunk, stub: undefined });
    }
    const frame = frameResult(event, this.#profile, (key) => this.shownIdOf(key));
    const line = (text: string): Block | undefined =>
      text === "" ? undefined : textBlock(escapeHeadings(text), this.#counter);
    const entry: ToolEntry = {
      kind: "tool",
      callId: event.callId,
      tool: event.tool,
      above: line(frame.above),
      slots,
      below: line(frame.below),
      usage: undefined,
      cached: undefined,
    };
    for (const slot of slots) this.#live.set(slot.shown.key, { slot, entry });
    this.#entries.push(entry);
  }

  #applyEdit(event: EditEvent): void {
    for (const key of event.pruned) {
      const place = this.#live.get(key);
      if (place === undefined) continue;
      place.slot.block = undefined;
      place.entry.cached = undefined;
      this.#live.delete(key);
    }
  }

  #applyUsageLine(line: string): void {
    const block = textBlock(line, this.#counter, "usage");
    const last = this.#entries.at(-1);
    if (last?.kind === "tool") {
      last.usage = block;
      last.cached = undefined;
    } else {
      this.#pushFixed("user", [block]);
    }
  }

  #applyNotice(event: NoticeEvent): void {
    if (event.shown === "never") return;
    this.#pushFixed("user", [textBlock(event.message, this.#counter)], event.shown === "once");
  }

  #renderTool(entry: ToolEntry): RenderedMessage {
    if (entry.cached !== undefined) return entry.cached;
    const blocks: Block[] = entry.above === undefined ? [] : [entry.above];
    for (const slot of entry.slots) {
      if (slot.block !== undefined) blocks.push(slot.block);
      else if (this.#profile.pruneLeaves === "stub") {
        slot.stub ??= stubBlock(slot.shown, this.#counter);
        blocks.push(slot.stub);
      }
    }
    if (entry.below !== undefined) blocks.push(entry.below);
    if (blocks.length === 0) blocks.push(textBlock("[Pruned]", this.#counter, "stub"));
    if (entry.usage !== undefined) blocks.push(entry.usage);
    const tokens = this.#profile.framing.perMessage + sum(blocks);
    entry.cached = { role: "tool", blocks, callId: entry.callId, tool: entry.tool, tokens };
    return entry.cached;
  }
}

function sum(blocks: readonly Block[]): number {
  let tokens = 0;
  for (const block of blocks) tokens += block.tokens;
  return tokens;
}

function hasText(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== "";
}

/** Blocks and messages do not change once made, so the digest of each is taken once. */
const digests = new WeakMap<object, string>();

function once(key: object, parts: () => string): string {
  let digest = digests.get(key);
  if (digest === undefined) {
    digest = createHash("sha256").update(parts()).digest("hex");
    digests.set(key, digest);
  }
  return digest;
}

const blockDigest = (block: Block): string => once(block, () => block.text);

function messageDigest(message: RenderedMessage): string {
  return once(message, () => {
    const calls = message.calls === undefined ? "" : JSON.stringify(message.calls);
    const reasoning = message.reasoning === undefined ? "" : blockDigest(message.reasoning);
    const parts = [message.role, message.callId ?? "", reasoning, ...message.blocks.map(blockDigest), calls];
    if (message.providerState !== undefined) parts.push(JSON.stringify(message.providerState));
    if (message.sampledIds !== undefined) parts.push(message.sampledIds.join(" "));
    return parts.join("\u0000");
  });
}

/**
 * SHA-256 (hex) over everything that a policy is shown, as a tree: of every message in order its role, reasoning, blocks,
 * calls, provider state and sampled ids. Any changed byte changes it.
 */
export function promptHash(context: RenderedContext): string {
  const hash = createHash("sha256");
  for (const message of context.messages) hash.update(messageDigest(message));
  return hash.digest("hex");
}
