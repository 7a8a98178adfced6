import type {
  BudgetEvent,
  DecisionEvent,
  EditEvent,
  EndEvent,
  JsonValue,
  NoticeEvent,
  RecordedCall,
  ToolResultEvent,
} from "../../../src/record/events.ts";
import type { RunRecord } from "../../../src/record/parse-record.ts";

/** A call and what came of it. */
export interface TurnCall {
  readonly call: RecordedCall;
  readonly result: ToolResultEvent | undefined;
}

/** One turn of a run, as the timeline shows it. */
export interface Turn {
  readonly number: number;
  /** All answers of the policy in this turn; the last one is what was done. */
  readonly decisions: readonly DecisionEvent[];
  readonly calls: readonly TurnCall[];
  readonly edits: readonly EditEvent[];
  readonly notices: readonly NoticeEvent[];
  readonly budget: BudgetEvent | undefined;
  /** Milliseconds from the first event of the turn to the last. */
  readonly milliseconds: number;
  readonly newChunks: number;
  readonly prunedChunks: number;
  /** Messages of failed calls and refused answers. */
  readonly errors: readonly string[];
}

/** The record cut into turns, from the first decision; what happened before it is turn 1's. */
export function turnsOf(record: RunRecord): readonly Turn[] {
  const drafts = new Map<number, Draft>();
  for (const event of record.events) {
    const number = Math.max(1, event.turn);
    let draft = drafts.get(number);
    if (draft === undefined) {
      draft = { decisions: [], results: [], edits: [], notices: [], budget: undefined, from: event.at, to: event.at };
      drafts.set(number, draft);
    }
    draft.to = event.at;
    if (event.type === "decision") draft.decisions.push(event);
    else if (event.type === "tool_result") draft.results.push(event);
    else if (event.type === "edit") draft.edits.push(event);
    else if (event.type === "notice") draft.notices.push(event);
    else if (event.type === "budget") draft.budget = event;
  }
  return [...drafts]
    .filter(([, draft]) => draft.decisions.length > 0)
    .sort(([a], [b]) => a - b)
    .map(([number, draft]) => turnOf(number, draft));
}

interface Draft {
  readonly decisions: DecisionEvent[];
  readonly results: ToolResultEvent[];
  readonly edits: EditEvent[];
  readonly notices: NoticeEvent[];
  budget: BudgetEvent | undefined;
  readonly from: number;
  to: number;
}

function turnOf(number: number, draft: Draft): Turn {
  const { decisions, results, edits, notices, budget, from, to } = draft;
  const taken = decisions.findLast(({ finishReason }) => finishReason === "calls" || finishReason === "stop");
  const refused = decisions.filter((decision) => decision !== taken);
  const calls = (taken?.calls ?? []).map((call) => ({
    call,
    result: results.find(({ callId }) => callId === call.id),
  }));
  return {
    number,
    decisions,
    calls,
    edits,
    notices,
    budget,
    milliseconds: Math.max(0, to - from),
    newChunks: results.reduce((sum, { chunks }) => sum + chunks.length, 0),
    prunedChunks: edits.reduce((sum, { pruned }) => sum + pruned.length, 0),
    errors: [
      ...refused.map(({ error, finishReason }) => error?.message ?? `The answer was not accepted: ${finishReason}.`),
      ...results.flatMap(({ error }) => (error === undefined ? [] : [error.message])),
    ],
  };
}

/** The `end` event of a run; undefined where its process died, or it is still going. */
export function endOf(record: RunRecord): EndEvent | undefined {
  return record.events.findLast((event): event is EndEvent => event.type === "end");
}

/** What the policy said in a turn, first its text, else its reasoning, else nothing. */
export function saidIn({ decisions }: Turn): string {
  const last = decisions.at(-1);
  const text = last?.text?.trim() ?? "";
  return text === "" ? (last?.reasoning?.trim() ?? "") : text;
}

/** The arguments of a call in one phrase: the query, pattern or document asked for, or how many ids or documents. */
export function callPhrase({ tool, arguments: given }: RecordedCall): string {
  const value = isObject(given) ? given : {};
  for (const name of ["query", "pattern", "doc_id", "key"]) {
    const text = value[name];
    if (typeof text === "string") return name === "query" || name === "pattern" ? `“${text}”` : text;
  }
  for (const [name, noun] of [
    ["chunk_ids", "chunk"],
    ["documents", "document"],
    ["constraints", "constraint"],
  ] as const) {
    const list = value[name];
    if (Array.isArray(list)) return list.length === 1 ? `1 ${noun}` : `${list.length} ${noun}s`;
  }
  return tool === "finish" ? "" : JSON.stringify(given);
}

function isObject(value: JsonValue): value is { readonly [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const TOOL_WORDS: Readonly<Record<string, string>> = {
  search_corpus: "search",
  grep_corpus: "grep",
  read_document: "read",
  follow_metadata: "follow",
  prune_chunks: "prune",
  update_notes: "notes",
  finish: "finish",
};

/** The short name of a tool. */
export function toolWord(tool: string): string {
  return TOOL_WORDS[tool] ?? tool;
}

/** What a call brought, in a few words; empty for calls that bring nothing to count. */
export function callOutcome({ result }: TurnCall): string {
  if (result === undefined) return "";
  if (result.error !== undefined) return "failed";
  if (result.message !== undefined) return "";
  const parts: string[] = [];
  const fresh = result.chunks.length;
  const back = result.hits.length - fresh;
  if (fresh > 0) parts.push(`${fresh} new`);
  if (back > 0) parts.push(`${back} again`);
  if (result.alreadyShown.length > 0) parts.push(`${result.alreadyShown.length} in view`);
  if (result.hiddenPruned.length > 0) parts.push(`${result.hiddenPruned.length} hidden`);
  if (result.omitted > 0) parts.push(`${result.omitted} left out`);
  return parts.length === 0 ? "no hit" : parts.join(", ");
}
