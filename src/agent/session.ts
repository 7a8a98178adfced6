import { stopwatch } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { toWinnowError, type WinnowError } from "../core/errors.ts";
import { oneLine } from "../core/text.ts";
import type {
  EndEvent,
  EventBody,
  RecordEvent,
  RecordedChunk,
  RecordedDocument,
  RecordedTokens,
  RecordHeader,
  RunFailure,
  StopReason,
} from "../record/events.ts";
import { TokenChain } from "../record/token-chain.ts";
import { finishComplaint, finishGaps, finishNotices } from "./check-finish.ts";
import { finalEntries, finishCall, resolveList } from "./conclude.ts";
import { usageLine } from "./context/blocks.ts";
import { Context } from "./context/context.ts";
import { reusableTokens } from "./context/prefix-cache.ts";
import type { RenderedContext } from "./context/rendered.ts";
import { conclusionNotice, nudge, softNotice } from "./context/wording.ts";
import { type Accepted, decide } from "./decide.ts";
import type { DecisionTokens } from "./decision-tokens.ts";
import { pruneOldest } from "./make-room.ts";
import { pruneBatchTokens } from "./profiles/profile.ts";
import { rankQuestion } from "./rank-question.ts";
import type { RunEvent, RunOptions } from "./run.ts";
import { selectionNotices, selectionRequest } from "./select-documents.ts";
import { executeTurn, type TurnOutcome } from "./tools/execute-turn.ts";
import { Trajectory } from "./trajectory.ts";
import { withUnreadReasons } from "./unread-reason.ts";

/** Messages in a row without a call or a list, after which a policy counts as broken. */
const IDLE_TURNS_MAX = 3;
/** Turns in a row in which every call was refused for want of budget, none of them pruning. */
const REFUSED_TURNS_MAX = 3;
/** Turns in a row in which the store failed. */
const FAILED_TURNS_MAX = 3;
/** Notices that a policy may put on record in one run, and UTF-16 units of each. */
const NOTICES_MAX = 100;
const NOTICE_UNITS_MAX = 500;
const TIMEOUT_DEFAULT_MS = 600_000;

/** The state of one run: the record so far and what is folded from it. One instance runs once. */
export class Session {
  readonly header: RecordHeader;
  readonly options: RunOptions;
  readonly events: RecordEvent[] = [];
  readonly context: Context;
  readonly trajectory = new Trajectory();
  readonly signal: AbortSignal;
  readonly #publish: (event: RunEvent) => void;
  readonly #told = new Set<string>();
  readonly #policyNotices = new Set<string>();
  readonly #tokenChain = new TokenChain();
  #broken: RecordFailure | undefined;
  #turn = 0;
  #calls = 0;
  #toolCalls = 0;
  #idle = 0;
  #refused = 0;
  #failed = 0;
  /** Chunks of the question's ranking by key, for documents that are listed unread. */
  readonly #unread = new Map<string, RecordedChunk>();
  /** A list that went back to the policy once; it stands when nothing better comes. */
  #held: { readonly documents: readonly RecordedDocument[]; readonly turn: number } | undefined;
  /** By how much the server's count exceeded ours at the last decision. */
  extraTokens = 0;
  /** Prompt tokens of the last decision as the server counted them, if it did. */
  reportedTokens: number | undefined;
  lastPrompt: RenderedContext | undefined;
  readonly #elapsedMs: () => number;
  readonly spent = { prompt: 0, completion: 0, cached: 0, reusable: 0, cost: 0, priced: false };

  constructor(header: RecordHeader, options: RunOptions, publish: (event: RunEvent) => void) {
    this.header = header;
    this.options = options;
    this.#elapsedMs = stopwatch(options.clock, header.at);
    this.#publish = publish;
    this.context = new Context(header, options.profile, options.counter);
    const timeout = deadline(options.limits?.timeoutMs ?? TIMEOUT_DEFAULT_MS);
    this.signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  }

  get turn(): number {
    return this.#turn;
  }

  /** Prompt tokens in use: the larger of our count and the server's. */
  get used(): number {
    return this.context.render().tokens + this.extraTokens;
  }

  nextCallId(): string {
    this.#calls++;
    return `call_${this.#calls}`;
  }

  /** Numbers, records, applies and publishes an event, in this order: nothing is shown that is not on record. */
  emit(body: EventBody): void {
    // A policy may have swallowed the failure of a notice; nothing is written behind a torn line.
    if (this.#broken !== undefined) throw this.#broken;
    const event = {
      seq: this.events.length + 1,
      at: this.options.clock.now(),
      turn: this.#turn,
      ...body,
    } as RecordEvent;
    try {
      this.options.recorder.append(event);
    } catch (error) {
      this.#broken = new RecordFailure(error);
      throw this.#broken;
    }
    this.events.push(event);
    this.context.apply(event);
    this.trajectory.apply(event);
    this.#publish(event);
  }

  /**
   * The tokens of a decision as the record keeps them, against those of the decision before. Moves on, so it takes each
   * decision with tokens once and in order.
   */
  packTokens({ prompt, ...rest }: DecisionTokens): RecordedTokens {
    return { prompt: this.#tokenChain.pack(prompt, rest.completion), ...rest };
  }

  delta(kind: "reasoning" | "text", delta: string): void {
    this.#publish({ type: kind === "text" ? "text_delta" : "reasoning_delta", turn: this.#turn, delta });
  }

  /** Puts what a policy has to tell the caller on record, each message once. A policy that outlives its run is not heard. */
  policyNotice(code: string, message: string): void {
    const text = oneLine(message, NOTICE_UNITS_MAX);
    if (this.signal.aborted || this.#policyNotices.has(text) || this.#policyNotices.size >= NOTICES_MAX) return;
    this.#policyNotices.add(text);
    this.emit({ type: "notice", code: oneLine(code, 60), message: text, shown: "never" });
  }

  /** Runs to the end and returns the last event. Rejects only when the record cannot be written. */
  async run(): Promise<EndEvent> {
    this.options.recorder.append(this.header);
    this.#publish(this.header);
    let end: EventBody<EndEvent>;
    try {
      end = await this.#loop();
    } catch (error) {
      if (error instanceof RecordFailure) throw error.cause;
      end = this.#interrupted(error);
    }
    try {
      this.emit(end);
    } catch (error) {
      throw error instanceof RecordFailure ? error.cause : error;
    }
    this.options.recorder.flush();
    return this.events.at(-1) as EndEvent;
  }

  async #loop(): Promise<EventBody<EndEvent>> {
    const { profile, limits } = this.options;
    const { turnsMax } = this.header;
    if (this.options.policy.startsFromRanking === true) await this.#rank();
    for (;;) {
      this.signal.throwIfAborted();
      if (this.#turn >= turnsMax) return this.#force("max_turns");
      if (limits?.costUsdMax !== undefined && this.spent.cost >= limits.costUsdMax)
        return this.#fromRecord("cost_limit");
      if (!pruneOldest(this, profile.budget.limit - profile.budget.reserveDecision, "emergency")) {
        return this.#fromRecord("budget_exhausted");
      }
      this.#turn++;
      const accepted = await decide(this, false);
      if ("failure" in accepted) return this.#fromRecord("policy_error", accepted.failure);
      const end = this.#conclusion(accepted) ?? (await this.#act(accepted));
      if (end !== undefined) return end;
      this.#closeTurn();
      this.#tellUnpriced();
    }
  }

  /** Puts on record what one query of the question ranks. */
  async #rank(): Promise<void> {
    const { entries, chunks, notices } = await rankQuestion(this.options.library, this.header, this.signal);
    for (const chunk of chunks) this.#unread.set(chunk.key, chunk);
    for (const message of notices) {
      this.#told.add(message);
      this.emit({ type: "notice", code: "retrieval", message, shown: "never" });
    }
    this.emit({ type: "ranking", entries });
  }

  /** Chunks that a list names and that nothing on record holds yet. */
  #unreadOf(documents: readonly RecordedDocument[]): Pick<EndEvent, "chunks"> {
    const shown = this.context.allChunks();
    const keys = documents.flatMap((document) => document.chunks).filter((key) => !shown.has(key));
    const chunks = keys.map((key) => this.#unread.get(key)).filter((chunk) => chunk !== undefined);
    return chunks.length === 0 ? {} : { chunks };
  }

  /** The end event when the decision is a final list that holds; tells the policy when it is one that does not. */
  #conclusion(accepted: Accepted): EventBody<EndEvent> | undefined {
    const entries = finalEntries(accepted, this.options.profile);
    if (entries === undefined) return undefined;
    const { documents, unknown } = resolveList(entries, this.context, this.trajectory, this.header.documentsMax);
    if (unknown.length > 0) {
      this.emit({
        type: "notice",
        code: "unknown_ids",
        message: `The final list named unknown ids: ${unknown.slice(0, 10).join(", ")}.`,
        shown: "never",
      });
    }
    if (documents.length === 0 && entries.length > 0) return undefined;
    if (this.#sendsBack(accepted, documents)) return undefined;
    return this.#end("finished", "policy", withUnreadReasons(documents, this.header.query, this.#unread));
  }

  /**
   * True when a list goes back to the policy, once in a run: because it lacks evidence, or to be cut to what is needed.
   * Else the caller is told what it lacks and what was left out.
   */
  #sendsBack(accepted: Accepted, documents: readonly RecordedDocument[]): boolean {
    const { profile } = this.options;
    const finish = finishCall(accepted, profile);
    if (finish === undefined) return false;
    const gaps = finishGaps(finish, this.context, profile);
    const wishes = [finishComplaint(gaps), selectionRequest(documents, this.context, profile)];
    const message = wishes.filter((wish) => wish !== undefined).join("\n\n");
    const isLate = this.#turn >= this.header.turnsMax || this.used >= profile.budget.soft;
    if (this.#held !== undefined || message === "" || isLate) {
      const selected = profile.selection === "asked" ? selectionNotices(this.#held?.documents ?? [], documents) : [];
      for (const notice of [...finishNotices(gaps), ...selected])
        this.emit({ type: "notice", ...notice, shown: "never" });
      return false;
    }
    this.#held = { documents, turn: this.#turn };
    const nothing = { chunks: [], hits: [], alreadyShown: [], hiddenPruned: [], omitted: 0 };
    const error = { code: "list_sent_back", message: `${message} Then call finish again.` };
    this.emit({ type: "tool_result", callId: finish.callId, tool: "finish", ...nothing, error });
    return true;
  }

  /** Runs the calls of a decision. An end event when the run cannot go on. */
  async #act(accepted: Accepted): Promise<EventBody<EndEvent> | undefined> {
    const { profile, counter, library } = this.options;
    const calls = accepted.calls.filter((call) => call.tool !== "finish");
    if (calls.length === 0) {
      if (this.#held?.turn === this.#turn) return undefined;
      this.#idle++;
      if (this.#idle >= IDLE_TURNS_MAX) {
        return this.#fromRecord("policy_error", {
          code: "policy_failed",
          message: `No call and no usable list in ${IDLE_TURNS_MAX} turns.`,
        });
      }
      const message = nudge(profile, accepted.calls.length > 0 || finalEntries(accepted, profile) !== undefined);
      this.emit({ type: "notice", code: "no_action", message, shown: "once" });
      return undefined;
    }
    this.#idle = 0;
    this.#toolCalls += calls.length;
    const outcome = await executeTurn(calls, {
      context: this.context,
      profile,
      counter,
      library,
      extraTokens: this.extraTokens,
      signal: this.signal,
      told: this.#told,
      emit: (event) => this.emit(event),
    });
    return this.#afterTools(outcome, calls.length);
  }

  async #afterTools(outcome: TurnOutcome, calls: number): Promise<EventBody<EndEvent> | undefined> {
    const allRefused = outcome.refused > 0 && outcome.refused + outcome.noted === calls;
    this.#refused = allRefused && outcome.pruned === 0 ? this.#refused + 1 : 0;
    this.#failed = outcome.failed > 0 && outcome.failed === calls ? this.#failed + 1 : 0;
    if (this.#failed >= FAILED_TURNS_MAX) {
      return this.#fromRecord("retrieval_error", {
        code: "store_failed",
        message: "The corpus could not be searched.",
      });
    }
    return this.#refused >= REFUSED_TURNS_MAX ? this.#force("budget_exhausted") : undefined;
  }

  /** A cost limit that cannot bind is worth a word. */
  #tellUnpriced(): void {
    if (this.options.limits?.costUsdMax === undefined || this.spent.priced || this.#turn !== 1) return;
    const message = "The policy reports no cost, so the cost limit cannot bind.";
    this.emit({ type: "notice", code: "no_price", message, shown: "never" });
  }

  /** Usage line and notice that close a turn. */
  #closeTurn(): void {
    const { profile } = this.options;
    const { limit, soft, hard, perCallTokens } = profile.budget;
    if (profile.pruning === "oldest" && this.used >= soft) {
      pruneOldest(this, soft - Math.max(perCallTokens, pruneBatchTokens(profile)), "oldest");
    }
    const rendered = this.context.render();
    const used = rendered.tokens + this.extraTokens;
    this.emit({
      type: "budget",
      counted: rendered.tokens,
      used,
      schemaTokens: this.context.schemaTokens,
      reasoningTokens: this.context.reasoningTokens,
      reusableTokens: reusableTokens(this.lastPrompt, rendered),
      limit,
      soft,
      hard,
      line: usageLine(used, profile),
      ...(this.reportedTokens === undefined ? {} : { reported: this.reportedTokens }),
    });
    if (used >= soft && profile.softNotice !== "off" && profile.pruning !== "oldest") {
      this.emit({
        type: "notice",
        code: "over_soft_limit",
        message: softNotice(used, profile),
        shown: profile.softNotice,
      });
    }
    this.options.recorder.flush();
  }

  /** One last decision, in which only a list counts; a list from the record when there is none. */
  async #force(reason: StopReason): Promise<EventBody<EndEvent>> {
    const { profile } = this.options;
    const { limit, reserveFinal, reserveDecision } = profile.budget;
    this.emit({ type: "notice", code: "conclude_now", message: conclusionNotice(profile), shown: "kept" });
    pruneOldest(this, limit - reserveFinal, "emergency");
    if (this.used + reserveDecision > limit) return this.#fromRecord(reason);
    this.#turn++;
    const accepted = await decide(this, true);
    if ("failure" in accepted) return this.#fromRecord(reason, accepted.failure);
    const entries = finalEntries(accepted, profile);
    const list =
      entries === undefined ? undefined : resolveList(entries, this.context, this.trajectory, this.header.documentsMax);
    if (list === undefined || list.documents.length === 0) return this.#fromRecord(reason);
    const finish = finishCall(accepted, profile);
    const gaps = finish === undefined ? [] : finishNotices(finishGaps(finish, this.context, profile));
    for (const notice of gaps) this.emit({ type: "notice", ...notice, shown: "never" });
    return this.#end(reason, "forced", withUnreadReasons(list.documents, this.header.query, this.#unread));
  }

  #interrupted(error: unknown): EventBody<EndEvent> {
    if (this.options.signal?.aborted === true) return this.#fromRecord("cancelled");
    if (this.signal.aborted) return this.#fromRecord("timeout");
    const known = toWinnowError(error);
    return this.#fromRecord("policy_error", { code: known.code, message: known.message });
  }

  #fromRecord(reason: StopReason, error?: RunFailure): EventBody<EndEvent> {
    const end =
      this.#held === undefined
        ? this.#end(reason, "from_record", this.trajectory.ranked(this.header.documentsMax))
        : this.#end(reason, "forced", this.#held.documents);
    return { ...end, ...(error === undefined ? {} : { error }) };
  }

  #end(
    stopReason: StopReason,
    concluded: EndEvent["concluded"],
    documents: readonly RecordedDocument[],
  ): EventBody<EndEvent> {
    const complete = concluded === "policy";
    const outcome = documents.length === 0 ? "abstained" : complete ? "found" : "partial";
    const usage = {
      turns: this.#turn,
      toolCalls: this.#toolCalls,
      promptTokens: this.spent.prompt,
      completionTokens: this.spent.completion,
      cachedTokens: this.spent.cached,
      reusableTokens: this.spent.reusable,
      prunedChunks: this.trajectory.prunedChunks,
      shownChunks: this.trajectory.shownChunks,
      seconds: this.#elapsedMs() / 1000,
      costUsd: this.spent.priced ? this.spent.cost : null,
    };
    return { type: "end", stopReason, concluded, outcome, documents, ...this.#unreadOf(documents), usage };
  }
}

/** The record could not be written: the one failure that a run cannot report in its record. */
export class RecordFailure extends Error {
  constructor(cause: unknown) {
    super("The record could not be written.", { cause: toWinnowError(cause, "store_failed") satisfies WinnowError });
  }
}
