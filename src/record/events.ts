import type { DocumentName, Metadata } from "../core/types.ts";

/**
 * The record of a run (design §6): one JSON object a line, append-only. The first line is the header, the last one an
 * `end` event unless the process died. It holds the whole, unpruned trajectory: rendering, exports and the viewer are
 * all derived from it, and nothing in it is ever rewritten.
 */
export const RECORD_SCHEMA = "run/1";

/**
 * Formats that are read. `run/0` was the name until training segments had been made from records; `run/1` has the same
 * fields with the same meaning, so nothing is converted and old records replay to the same bytes.
 */
export const RECORD_SCHEMAS = ["run/0", RECORD_SCHEMA] as const;
export type RecordSchema = (typeof RECORD_SCHEMAS)[number];

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface RecordHeader {
  readonly type: "header";
  readonly schema: RecordSchema;
  readonly runId: string;
  /** Milliseconds since the epoch, here and in every event. */
  readonly at: number;
  readonly harness: string;
  readonly query: string;
  readonly corpora: readonly { readonly name: string; readonly generation: number; readonly embedder: string | null }[];
  readonly policy: { readonly name: string; readonly model?: string };
  /** The profile as data, so that a record renders without the code's table of profiles. */
  readonly profile: JsonValue;
  readonly hashes: { readonly profile: string; readonly prompt: string; readonly tools: string };
  readonly tokenCounter: string;
  readonly seed: number;
  /** Longest list of documents the run may return. */
  readonly documentsMax: number;
  readonly steering: {
    readonly where: readonly string[];
    readonly exclude: readonly string[];
    readonly known: readonly string[];
  };
  /** Decisions at most; the other limits (time, cost) depend on the world and are not repeated by a replay. */
  readonly turnsMax: number;
  /** The run that started this one (rollouts). */
  readonly parent?: string;
}

interface EventBase {
  /** Position in the record, from 1, without gaps. */
  readonly seq: number;
  readonly at: number;
  /** 0 before the first decision, then the decision's number. */
  readonly turn: number;
}

export interface RecordedCall {
  /** Unique within the run. */
  readonly id: string;
  readonly tool: string;
  readonly arguments: JsonValue;
  /** What the policy wrote, where it was not the JSON above. */
  readonly raw?: string;
}

export interface RecordedUsage {
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly cachedTokens?: number;
  readonly costUsd?: number;
}

/** A decision as token ids, from drivers that have them. */
export interface RecordedTokens {
  /**
   * The prompt as ids: the first `keep` ids of the previous recorded prompt and completion, joined, then `add`. The
   * previous one is that of the last decision before this with `tokens`, whatever its attempt or finish reason; `keep` is
   * 0 where there is none.
   */
  readonly prompt: { readonly keep: number; readonly add: readonly number[] };
  /** As sampled, stop token included. */
  readonly completion: readonly number[];
  /** One per completion id, natural log, <= 0; absent when the server gave none. */
  readonly logprobs?: readonly number[];
  /** What made the prompt's ids, with its version: `harmony/1`. */
  readonly renderer: string;
  /** False when the server gave no ids and the text was encoded again. */
  readonly sampled: boolean;
}

/** What was not as the model's format asks for, and was overlooked or mended. */
export interface DecisionRepair {
  readonly code: string;
  /** Index in the completion's ids. */
  readonly at: number;
  readonly detail?: string;
}

/** How an answer was sampled, as the policy set it; what is absent was the server's choice. */
export interface SamplingSettings {
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
}

export type FinishReason = "calls" | "stop" | "length" | "rejected" | "error";

/** One answer of the policy, retries included. Only accepted ones (`calls`, `stop`) become part of the context. */
export interface DecisionEvent extends EventBase {
  readonly type: "decision";
  /** From 1 within the turn. */
  readonly attempt: number;
  /** SHA-256 of the rendered prompt, hex. */
  readonly promptHash: string;
  readonly promptTokens: number;
  /** Limit given to the policy for this answer, tokens. */
  readonly maxTokens: number;
  readonly finishReason: FinishReason;
  readonly reasoning?: string;
  readonly text?: string;
  readonly calls: readonly RecordedCall[];
  /** Tokens of reasoning, text and calls by our counter. */
  readonly completionTokens: number;
  readonly usage?: RecordedUsage;
  /** What the model's API wants back with this message; opaque. */
  readonly providerState?: JsonValue;
  readonly tokens?: RecordedTokens;
  readonly sampling?: SamplingSettings;
  readonly repairs?: readonly DecisionRepair[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** A chunk as first shown. Its text stands here once; later events name it by `key`. */
export interface RecordedChunk {
  readonly key: string;
  readonly corpus: string;
  readonly id: string;
  readonly documentId: string;
  readonly index: number;
  readonly count: number;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly tokens: number;
  readonly title: string;
  readonly headings: readonly string[];
  readonly uri: string;
  readonly metadata: Metadata;
  readonly text: string;
}

export interface RecordedHit {
  readonly key: string;
  readonly score?: number;
  /** 1-based line and text of a grep match. */
  readonly match?: { readonly line: number; readonly text: string };
}

/** Where a chunk belongs, without its text. */
export type RecordedPlace = Pick<RecordedChunk, "key" | "corpus" | "documentId" | "index">;

/**
 * What one query of the question ranks, before the first decision: the best chunk of each document, best first. It shows
 * nothing; a policy that lists documents by it knows them by id alone.
 */
export interface RankingEvent extends EventBase {
  readonly type: "ranking";
  readonly entries: readonly RankedPlace[];
}

export interface RankedPlace extends RecordedPlace {
  readonly score: number;
}

export interface ToolResultEvent extends EventBase {
  readonly type: "tool_result";
  readonly callId: string;
  readonly tool: string;
  /** Chunks of this result that the run had not seen before. */
  readonly chunks: readonly RecordedChunk[];
  /** What was shown, in order. */
  readonly hits: readonly RecordedHit[];
  /** Chunks that matched but stand in the context already: named, not repeated. */
  readonly alreadyShown: readonly string[];
  /** Matching chunks that were pruned earlier and stay hidden. */
  readonly hiddenPruned: readonly string[];
  /** Matching chunks left out for want of room. */
  readonly omitted: number;
  readonly matchesTotal?: number;
  readonly documentsTotal?: number;
  /** One sentence of plain result, for tools that return no chunks. */
  readonly message?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The only truth about pruning. Applied before the results of its turn. */
export interface EditEvent extends EventBase {
  readonly type: "edit";
  readonly by: "policy" | "oldest" | "emergency";
  readonly pruned: readonly string[];
  readonly tokensFreed: number;
  /** Ids that the policy named and that are not in its context. */
  readonly unknown: readonly string[];
}

export interface BudgetEvent extends EventBase {
  readonly type: "budget";
  /** Prompt tokens as we count them: messages, framing and tool schemas. */
  readonly counted: number;
  /** What the server reported for the prompt of this turn's decision, if it did. */
  readonly reported?: number;
  /** The larger of the two estimates; the next decision is budgeted with it. */
  readonly used: number;
  readonly schemaTokens: number;
  readonly reasoningTokens: number;
  /** Prompt tokens that a prefix cache of 16-token blocks could reuse from the last prompt. */
  readonly reusableTokens: number;
  readonly limit: number;
  readonly soft: number;
  readonly hard: number;
  /** The usage line as shown; frozen here. */
  readonly line: string;
}

export interface NoticeEvent extends EventBase {
  readonly type: "notice";
  readonly code: string;
  readonly message: string;
  /** Whether the policy sees it: never, only in the next prompt, or from here on. */
  readonly shown: "never" | "once" | "kept";
}

export type StopReason =
  | "finished"
  | "max_turns"
  | "budget_exhausted"
  | "timeout"
  | "cost_limit"
  | "cancelled"
  | "policy_error"
  | "retrieval_error";
export type Concluded = "policy" | "forced" | "from_record";
export type Outcome = "found" | "partial" | "abstained";

export interface RecordedDocument {
  readonly corpus: string;
  readonly id: string;
  readonly score: number;
  readonly justification: string;
  /** Keys of the chunks that speak for it, best first. */
  readonly chunks: readonly string[];
  /** True when every chunk of it had been pruned. */
  readonly pruned: boolean;
  /** What the policy quoted of it, where that stands in the text; only a quote that was found is kept. */
  readonly quote?: RecordedQuote;
  /** Documents that say the same in the same words and take no place of their own; left out where there is none. */
  readonly duplicates?: readonly DocumentName[];
}

/** A span of a document: UTF-16 offsets into it, its 1-based first line, its own text. */
export interface RecordedQuote {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly text: string;
}

export interface EndEvent extends EventBase {
  readonly type: "end";
  readonly stopReason: StopReason;
  readonly concluded: Concluded;
  readonly outcome: Outcome;
  readonly documents: readonly RecordedDocument[];
  /** Chunks of listed documents that the run has not shown: those of its ranking. */
  readonly chunks?: readonly RecordedChunk[];
  readonly usage: RunUsage;
  readonly error?: RunFailure;
}

/** Why a run could not go on, for whoever asked; `hint` says what they can do about it. */
export interface RunFailure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface RunUsage {
  readonly turns: number;
  readonly toolCalls: number;
  /** Summed over all decisions: reported where the server reports, else counted. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reusableTokens: number;
  readonly prunedChunks: number;
  readonly shownChunks: number;
  readonly seconds: number;
  /** Null when the policy has no price. */
  readonly costUsd: number | null;
}

export type RecordEvent =
  | RankingEvent
  | DecisionEvent
  | ToolResultEvent
  | EditEvent
  | BudgetEvent
  | NoticeEvent
  | EndEvent;
export type RecordLine = RecordHeader | RecordEvent;

/** An event before the recorder numbers and stamps it. */
export type EventBody<E extends RecordEvent = RecordEvent> = E extends RecordEvent
  ? Omit<E, "seq" | "at" | "turn">
  : never;
