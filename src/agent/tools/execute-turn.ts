import { toWinnowError, type WinnowError } from "../../core/errors.ts";
import type { Predicate } from "../../core/filter.ts";
import { oneLine } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import type { EditEvent, EventBody, NoticeEvent, RecordedCall, ToolResultEvent } from "../../record/events.ts";
import type { Context } from "../context/context.ts";
import { offeredTools, type Profile } from "../profiles/profile.ts";
import { type CheckedCall, checkCall } from "./call-arguments.ts";
import { type Candidate, pack } from "./pack.ts";
import {
  followInLibrary,
  grepLibrary,
  type Library,
  readFromLibrary,
  searchLibrary,
  toRecordedChunk,
} from "./retrieve.ts";

/** Ids and sentences around the chunks of one result, tokens, as a part of the window. */
const FRAME_PART_OF_LIMIT = 1 / 128;
const FRAME_TOKENS_MIN = 48;
/** Chunks before the named one that a read around a chunk starts with. */
const READ_BEFORE = 1;
const MATCH_LINE_UNITS_MAX = 160;

export interface TurnScope {
  readonly context: Context;
  readonly profile: Profile;
  readonly counter: TokenCounter;
  readonly library: Library;
  /** Tokens by which the server's count of the prompt exceeds ours; 0 when it reports none. */
  readonly extraTokens: number;
  readonly signal: AbortSignal;
  /** Notices that the run has given already; each is given once. */
  readonly told: Set<string>;
  /** Records an event and applies it to the context. */
  emit(event: EventBody): void;
}

export interface TurnOutcome {
  /** Calls that were refused because the hard limit was reached. */
  readonly refused: number;
  /** Calls that failed in the store rather than because of what the policy wrote. */
  readonly failed: number;
  readonly pruned: number;
  /** Calls that only wrote notes. */
  readonly noted: number;
}

interface FoundChunks {
  readonly candidates: readonly Candidate[];
  readonly hitsMax: number;
  /** Whether pruned chunks may be shown again. */
  readonly review: boolean;
  readonly notices: readonly string[];
  readonly totals?: Totals;
  /** Matching chunks beyond the candidates. */
  readonly more: number;
}
type Found = FoundChunks | { readonly error: WinnowError };
interface Totals {
  readonly matchesTotal: number;
  readonly documentsTotal: number;
}

/**
 * Runs the calls of one turn (design §5): prunes first; then all queries at once against what had been shown when the
 * turn began; then the results are packed in the order of the calls, each with a fair share of the room, unused shares
 * rolling on. Errors of the policy's making become short results. Rejects only when the signal aborts.
 */
export async function executeTurn(calls: readonly RecordedCall[], scope: TurnScope): Promise<TurnOutcome> {
  const offered = offeredTools(scope.profile);
  const checked = calls.map((recorded) => ({ recorded, check: checkCall(recorded, offered) }));
  let pruned = 0;
  for (const { recorded, check } of checked) {
    if ("call" in check && check.call.tool === "prune_chunks") pruned += prune(recorded, check.call.ids, scope);
  }
  const used = scope.context.render().tokens + scope.extraTokens;
  const { hard } = scope.profile.budget;
  const open = used < hard;
  const finds = await Promise.all(
    checked.map(({ check }) => ("call" in check && open ? findFor(check.call, scope, calls.length) : undefined)),
  );
  scope.signal.throwIfAborted();
  let refused = 0;
  let failed = 0;
  let noted = 0;
  let waiting = finds.filter((found) => found !== undefined).length;
  for (const [i, { recorded, check }] of checked.entries()) {
    const found = finds[i];
    if ("error" in check) emitError(recorded, "invalid_call", check.error, scope);
    else if (found !== undefined) {
      if ("notices" in found) tell(found.notices, scope);
      const usedNow = scope.context.render().tokens + scope.extraTokens;
      if ("error" in found) {
        if (!isPolicyMistake(found.error)) failed++;
        emitError(recorded, found.error.code, shortMessage(found.error), scope);
      } else if (usedNow >= hard) {
        refused++;
        emitRefusal(recorded, usedNow, scope);
      } else emitPacked(recorded, found, usedNow, waiting, scope);
      waiting--;
    } else if (check.call.tool === "update_notes") {
      noted++;
      emitResult(recorded, { message: "Noted." }, scope);
    } else if (check.call.tool !== "prune_chunks" && check.call.tool !== "finish") {
      refused++;
      emitRefusal(recorded, used, scope);
    }
  }
  return { refused, failed, pruned, noted };
}

function prune(recorded: RecordedCall, ids: readonly string[], scope: TurnScope): number {
  const { context } = scope;
  const keys = new Set<string>();
  const unknown: string[] = [];
  for (const id of ids) {
    const key = context.chunkKey(id);
    if (key !== undefined && context.isVisible(key)) keys.add(key);
    else unknown.push(oneLine(id, 40));
  }
  const before = context.render().tokens;
  const edit: EventBody<EditEvent> = { type: "edit", by: "policy", pruned: [...keys], tokensFreed: 0, unknown };
  const freed = context.visible().reduce((total, { shown, tokens }) => total + (keys.has(shown.key) ? tokens : 0), 0);
  scope.emit({ ...edit, tokensFreed: Math.min(freed, before) });
  const complaint = unknown.length === 0 ? "" : ` Not in your context: ${unknown.slice(0, 10).join(", ")}.`;
  emitResult(
    recorded,
    { message: keys.size === 0 ? `Nothing pruned.${complaint}` : `Pruned${complaint === "" ? "" : `.${complaint}`}` },
    scope,
  );
  return keys.size;
}

async function findFor(call: CheckedCall, scope: TurnScope, calls: number): Promise<Found | undefined> {
  const { context, profile, library, signal } = scope;
  const { perCallHits } = profile.budget;
  try {
    const asked = call.tool === "follow_metadata" ? followed(call) : call;
    if (asked.tool === "search_corpus") {
      const exclude = new Set(context.allChunks().keys());
      // Other calls of this turn may show the same chunks first, so each query fetches enough for all of them.
      const query = { text: asked.query, where: asked.where, chunksMax: perCallHits * Math.max(1, calls), exclude };
      const { hits, notices } = await searchLibrary(library, query, signal);
      const candidates = hits.map((hit) => ({ chunk: toRecordedChunk(hit.corpus, hit.chunk), score: hit.score }));
      return { candidates, hitsMax: perCallHits, review: false, notices, more: 0 };
    }
    if (call.tool === "grep_corpus") {
      const chunksMax = profile.retrieval.grepHits;
      const answer = await grepLibrary(library, { pattern: call.pattern, where: call.where, chunksMax }, signal);
      const candidates = answer.hits.map(({ hit, match }) => ({
        chunk: toRecordedChunk(hit.corpus, hit.chunk),
        match: { line: match.line, text: oneLine(match.lineText, MATCH_LINE_UNITS_MAX) },
      }));
      const { matchesTotal, documentsTotal, notices } = answer;
      return {
        candidates,
        hitsMax: chunksMax,
        review: false,
        notices,
        totals: { matchesTotal, documentsTotal },
        more: 0,
      };
    }
    if (asked.tool === "follow_metadata") return await followFor(asked, scope);
    if (call.tool === "read_document") return await readFor(call.id, scope);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return { error: toWinnowError(error, "store_failed") };
  }
}

type FollowCall = Extract<CheckedCall, { readonly tool: "follow_metadata" }>;

/** A join with a query is a search among what shares the value. */
function followed(call: FollowCall): FollowCall | Extract<CheckedCall, { readonly tool: "search_corpus" }> {
  const { query } = call;
  return query === undefined ? call : { tool: "search_corpus", query, where: [sharing(call)] };
}

const sharing = ({ key, value }: FollowCall): Predicate => ({ key, operator: "=", values: [value] });

async function followFor(call: FollowCall, { profile, library, signal }: TurnScope): Promise<Found> {
  const chunksMax = profile.retrieval.readChunks;
  const { chunks } = await followInLibrary(library, { where: [sharing(call)], chunksMax }, signal);
  const candidates = chunks.map(([corpus, chunk]) => ({ chunk: toRecordedChunk(corpus, chunk) }));
  return { candidates, hitsMax: chunksMax, review: false, notices: [], more: 0 };
}

async function readFor(id: string, scope: TurnScope): Promise<Found> {
  const { context, profile } = scope;
  const key = context.chunkKey(id);
  const document = context.document(id);
  const around = key === undefined ? undefined : context.allChunks().get(key)?.index;
  const from = around === undefined ? 0 : Math.max(0, around - READ_BEFORE);
  const to = from + profile.retrieval.readChunks - 1;
  const target = document ?? { id };
  const { corpus, chunks } = await readFromLibrary(scope.library, target, { from, to }, scope.signal);
  const more = Math.max(0, (chunks[0]?.count ?? 0) - from - chunks.length);
  const candidates = chunks.map((chunk) => ({ chunk: toRecordedChunk(corpus, chunk) }));
  return {
    candidates,
    hitsMax: profile.retrieval.readChunks,
    review: profile.pruneScope === "until_read",
    notices: [],
    more,
  };
}

function tell(notices: readonly string[], scope: TurnScope): void {
  for (const message of new Set(notices)) {
    if (scope.told.has(message)) continue;
    scope.told.add(message);
    scope.emit({ type: "notice", code: "retrieval", message, shown: "never" } satisfies EventBody<NoticeEvent>);
  }
}

function emitPacked(
  recorded: RecordedCall,
  found: FoundChunks,
  usedNow: number,
  waiting: number,
  scope: TurnScope,
): void {
  const { profile, context, counter } = scope;
  const { limit, reserveDecision, perCallTokens } = profile.budget;
  const frame = Math.max(FRAME_TOKENS_MIN, Math.round(limit * FRAME_PART_OF_LIMIT)) + profile.framing.perMessage;
  const room = limit - reserveDecision - usedNow - frame * waiting;
  const share = Math.floor(room / Math.max(1, waiting));
  const packed = pack(found.candidates, context, profile, counter, {
    hitsMax: found.hitsMax,
    capTokens: Math.min(perCallTokens, share),
    roomTokens: room,
    reviewPruned: found.review,
  });
  const isSearch = recorded.tool === "search_corpus";
  const alreadyShown = isSearch ? packed.alreadyShown.slice(0, profile.budget.perCallHits) : packed.alreadyShown;
  // A search over-fetches: what lies beyond the hits that a call may show was never a part of its answer.
  const omitted = isSearch ? Math.min(packed.omitted, found.hitsMax - packed.hits.length) : packed.omitted + found.more;
  emitResult(recorded, { ...packed, alreadyShown, omitted, ...(found.totals ?? {}) }, scope);
}

function emitResult(
  recorded: RecordedCall,
  part: Partial<Omit<ToolResultEvent, "type" | "seq" | "at" | "turn" | "callId" | "tool">>,
  scope: TurnScope,
): void {
  scope.emit({
    type: "tool_result",
    callId: recorded.id,
    tool: recorded.tool,
    chunks: [],
    hits: [],
    alreadyShown: [],
    hiddenPruned: [],
    omitted: 0,
    ...part,
  });
}

function emitError(recorded: RecordedCall, code: string, message: string, scope: TurnScope): void {
  emitResult(recorded, { error: { code, message: oneLine(message, 300) } }, scope);
}

function emitRefusal(recorded: RecordedCall, used: number, scope: TurnScope): void {
  const { profile } = scope;
  const way = profile.pruning === "self-edit" ? "Prune chunks first, or conclude." : "Conclude now.";
  const of = profile.usageLine.denominator === "limit" ? profile.budget.limit : profile.budget.soft;
  emitError(recorded, "budget_exceeded", `Token budget exceeded (${used}/${of} tokens). ${way}`, scope);
}

/** Failures that another call by the policy can avoid. */
function isPolicyMistake(error: WinnowError): boolean {
  return ["invalid_pattern", "invalid_filter", "invalid_argument", "document_not_found"].includes(error.code);
}

function shortMessage(error: WinnowError): string {
  if (!isPolicyMistake(error)) return "The search failed. Try again, or go on with other calls.";
  return [error.message, error.hint ?? ""].join(" ").trim();
}
