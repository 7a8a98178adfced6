import { messageText, type RenderedContext, type RenderedMessage, type ShownChunk } from "../../context/rendered.ts";

/** A search that the context shows, with the chunks of its result that are still visible, in their order. */
export interface PastSearch {
  readonly query: string;
  readonly chunks: readonly ShownChunk[];
}

export interface PrunedChunk {
  readonly shownId: string;
  /** The chunk's own id where no stub tells the document. */
  readonly shownDocumentId: string;
  /** What the rules noted when they pruned it, in hundredths of the best score then; undefined when others did. */
  readonly worth: number | undefined;
}

const NOTE = "Set aside, worth";
const NOTE_PATTERN = /^Set aside, worth ([\d, ]+)\./;

/** The sentence in which the rules keep what pruned chunks were worth: they have no memory but what they wrote. */
export function noteOf(worths: readonly number[]): string {
  return `${NOTE} ${worths.join(", ")}.`;
}

/** What the rules know: all of it read from the rendered context, nothing remembered. */
export interface Evidence {
  readonly searches: readonly PastSearch[];
  /** Visible chunks, in the order in which they were shown, with their tokens. */
  readonly chunks: readonly { readonly chunk: ShownChunk; readonly tokens: number }[];
  /** Pruned chunks: those whose stubs are visible, and those of the rules' own calls. */
  readonly pruned: readonly PrunedChunk[];
  /** Searches and joins of the last turn. */
  readonly last: readonly PastSearch[];
  /** Joins that were made: `key=value`. */
  readonly joined: ReadonlySet<string>;
  /** Those of them that were made with a query which found nothing: what they share stands in other words. */
  readonly fruitless?: ReadonlySet<string>;
}

export function readEvidence(context: RenderedContext): Evidence {
  const queries = new Map<string, string>();
  const searches: PastSearch[] = [];
  const chunks: { chunk: ShownChunk; tokens: number }[] = [];
  const stubs: { shownId: string; shownDocumentId: string }[] = [];
  const notes = new Map<string, number | undefined>();
  const joins = new Map<string, string>();
  const asked = new Set<string>();
  const fruitless = new Set<string>();
  let last: PastSearch[] = [];
  for (const message of context.messages) {
    if (message.role === "assistant") {
      last = [];
      readNote(message, notes);
      for (const call of message.calls ?? []) {
        const query = queryOf(call.arguments);
        if (call.tool === "search_corpus" && query !== undefined) queries.set(call.id, query);
        if (call.tool === "follow_metadata") joins.set(call.id, joinOf(call.arguments));
        if (call.tool === "follow_metadata" && query !== undefined) asked.add(call.id);
      }
    }
    if (message.role !== "tool" || message.callId === undefined) continue;
    const shown = message.blocks.flatMap((block) =>
      block.chunk === undefined ? [] : [{ chunk: block.chunk, tokens: block.tokens }],
    );
    chunks.push(...shown);
    stubs.push(...message.blocks.flatMap((block) => block.pruned ?? []));
    const query = queries.get(message.callId);
    const join = joins.get(message.callId);
    const search = { query: query ?? join ?? "", chunks: shown.map(({ chunk }) => chunk) };
    if (join !== undefined) {
      if (shown.length === 0 && asked.has(message.callId)) fruitless.add(join);
      else fruitless.delete(join);
    }
    if (query !== undefined) searches.push(search);
    if (query !== undefined || join !== undefined) last.push(search);
  }
  const pruned = stubs.map((stub) => ({ ...stub, worth: notes.get(stub.shownId) }));
  const stubbed = new Set(stubs.map(({ shownId }) => shownId));
  const visible = new Set(chunks.map(({ chunk }) => chunk.shownId));
  for (const [shownId, worth] of notes) {
    if (!stubbed.has(shownId) && !visible.has(shownId)) pruned.push({ shownId, shownDocumentId: shownId, worth });
  }
  return { searches, chunks, pruned, last, joined: new Set(joins.values()), ...(fruitless.size > 0 && { fruitless }) };
}

/** Adds the chunks that the message prunes, with the worth that its text notes for each, in order. */
function readNote(message: RenderedMessage, notes: Map<string, number | undefined>): void {
  const text = messageText(message);
  const worths = NOTE_PATTERN.exec(text)?.[1]?.split(", ").map(Number) ?? [];
  for (const call of message.calls ?? []) {
    if (call.tool !== "prune_chunks") continue;
    for (const [i, id] of idsOf(call.arguments).entries()) notes.set(id, worths[i]);
  }
}

function idsOf(values: unknown): string[] {
  if (typeof values !== "object" || values === null || !("chunk_ids" in values)) return [];
  return Array.isArray(values.chunk_ids) ? values.chunk_ids.filter((id) => typeof id === "string") : [];
}

function queryOf(values: unknown): string | undefined {
  if (typeof values !== "object" || values === null || !("query" in values)) return undefined;
  return typeof values.query === "string" ? values.query : undefined;
}

/** `key=value` of a join, as `joinsOf` writes it. */
function joinOf(values: unknown): string {
  if (typeof values !== "object" || values === null || !("key" in values) || !("value" in values)) return "";
  return `${values.key}=${values.value}`;
}
