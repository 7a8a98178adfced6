import type { DecisionRepair, JsonValue, RecordedUsage, SamplingSettings } from "../record/events.ts";
import type { RankedEntry, RenderedContext } from "./context/rendered.ts";
import type { DecisionTokens } from "./decision-tokens.ts";
import type { Profile } from "./profiles/profile.ts";
import type { ToolSchema } from "./tools/tool-schemas.ts";

/** All that a policy gets to see when it decides. It keeps no memory of its own between turns (design §2). */
export interface View {
  readonly query: string;
  readonly context: RenderedContext;
  /**
   * What one query of the question ranks, best first, for policies that ask for it (`startsFromRanking`). Ids and scores:
   * what stands in these documents has to be searched for like everything else.
   */
  readonly ranking?: readonly RankedEntry[];
  readonly tools: readonly ToolSchema[];
  /** Most tokens that the answer may have. */
  readonly maxTokens: number;
  readonly documentsMax: number;
  /** How many corpora are searched, default 1. */
  readonly corpora?: number;
  /** True when the run has met a limit: only a final list is accepted now. */
  readonly mustConclude: boolean;
  /** How the profile wants the final list; a raw-token driver writes calls and results accordingly. */
  readonly conclusion: Profile["conclusion"];
  /** Tokens of the whole window, and of those the least that an answer needs: for a policy that counts exactly. */
  readonly window: { readonly tokens: number; readonly reserve: number };
  /** Tokens that a pruning should free beyond what it must (`Profile.pruneBatchShare`). */
  readonly pruneBatchTokens: number;
  /** ISO date on which the run began. */
  readonly date: string;
}

export interface ProposedCall {
  readonly tool: string;
  /** Parsed JSON, or the text that the policy wrote where it could not be parsed. */
  readonly arguments: unknown;
}

export interface Decision {
  readonly reasoning?: string;
  readonly text?: string;
  readonly calls: readonly ProposedCall[];
  readonly usage?: RecordedUsage;
  /**
   * What the model's API wants back with this message in later turns (signatures of its reasoning, say). Plain JSON that
   * nobody but the policy reads; it comes back as `providerState` of the rendered message.
   */
  readonly providerState?: JsonValue;
  /** True when the answer was cut at `maxTokens`. */
  readonly cut?: boolean;
  /** Policies that work on raw tokens: the ids, for the record and for profiles that splice them back in. */
  readonly tokens?: DecisionTokens;
  readonly sampling?: SamplingSettings;
  /** What had to be mended to read the model's output; on record only. */
  readonly repairs?: readonly DecisionRepair[];
}

export interface DecideOptions {
  readonly signal: AbortSignal;
  readonly seed: number;
  /** The run that asks, for servers that keep the requests of one run together; each rollout is a run of its own. */
  readonly runId?: string;
  /** At which a model samples, 0 to 2; left out: the policy's own. Policies that sample nothing ignore it. */
  readonly temperature?: number;
  /** Called with pieces of reasoning and text as they arrive, for display only. */
  readonly onDelta?: (kind: "reasoning" | "text", delta: string) => void;
  /** Puts a notice on record and into the result: what the caller should know and the policy is not shown. */
  readonly onNotice?: (code: string, message: string) => void;
}

/**
 * Decides the next action. May be anything from a table to a model on another machine; whatever it returns or throws is
 * checked by the loop. To report that the prompt was too long for the server, throw a `ContextLengthError`.
 */
export interface Policy {
  readonly name: string;
  /** Name of the model that decides; a policy without one is taken to sample nothing. */
  readonly model?: string;
  /** True when the seed changes nothing: what it is shown decides all. */
  readonly ignoresSeed?: boolean;
  /** True when it is to be given the ranking of one query of the question, and may list documents of it unread. */
  readonly startsFromRanking?: boolean;
  decide(view: View, options: DecideOptions): Promise<Decision>;
}

/** The server refused the prompt as too long: the loop makes one emergency edit and tries again. */
export class ContextLengthError extends Error {
  override readonly name = "ContextLengthError";
}
