import { createHash } from "node:crypto";
import type { FindMode } from "../../retrieval/corpus-reader.ts";
import type { FusionSettings } from "../../retrieval/find/fusion-settings.ts";

export type ToolName =
  | "search_corpus"
  | "grep_corpus"
  | "read_document"
  | "follow_metadata"
  | "prune_chunks"
  | "update_notes"
  | "finish";

/** Token numbers of a run (design §5). All in tokens of the profile's counter, `perCallHits` in chunks. */
export interface BudgetNumbers {
  readonly limit: number;
  /** From here the policy is told to prune or conclude. */
  readonly soft: number;
  /** From here every tool but `prune_chunks` (and `finish`) is refused. */
  readonly hard: number;
  readonly perCallTokens: number;
  readonly perCallHits: number;
  /** Kept free for the next decision, always. */
  readonly reserveDecision: number;
  /** Kept free for the final list when the run is made to conclude. */
  readonly reserveFinal: number;
}

export interface RetrievalSettings {
  readonly mode: FindMode;
  /** How the halves of a hybrid search are joined. */
  readonly fusion: FusionSettings;
  /** Chunks that a grep shows at most. */
  readonly grepHits: number;
  /** Chunks of one document that a read considers at most. */
  readonly readChunks: number;
}

/**
 * Everything that fixes how the harness talks to a policy. Plain data: it is written into every record, and its hash
 * names it. The prompt is a template with `{query}`, `{documentsMax}`, `{date}` and `{steering}`.
 */
export interface Profile {
  readonly name: string;
  readonly version: number;
  readonly prompt: string;
  readonly tools: readonly ToolName[];
  readonly budget: BudgetNumbers;
  readonly usageLine: { readonly denominator: "limit" | "soft"; readonly thousands: boolean };
  /** Whether the notice over the soft limit stays in the context, is shown to one decision, or is left out. */
  readonly softNotice: "kept" | "once" | "off";
  /** `virtual` is `<integer>_<n>`, as the Context-1 weights saw; `short` is `d3.2`. */
  readonly idStyle: "virtual" | "short";
  readonly history: "sampled" | "rerendered";
  readonly pruning: "none" | "oldest" | "self-edit";
  /**
   * How much more than it must a pruning frees, as a share of the window, 0 to 0.5: an edit spoils what a server has cached
   * behind it, so fewer and larger ones cost less. Absent means 0, also in old records.
   */
  readonly pruneBatchShare?: number;
  /** `run`: a pruned chunk stays hidden. `until_read`: an explicit read shows it again. */
  readonly pruneScope: "run" | "until_read";
  readonly pruneLeaves: "nothing" | "stub";
  /** Whether the title and the heading path stand under a chunk's heading line. */
  readonly showTitles: boolean;
  /** Whether date, origin and standing of its document stand under a chunk's title. Absent means no, also in old records. */
  readonly showMetadata?: boolean;
  /**
   * What stands around the chunks of a result. `full` (the default, and what records without this field mean): matches and
   * their lines, what was left out and why. `bare`: as published, only what keeps a result from being misread.
   */
  readonly resultFrame?: "full" | "bare";
  /** How the final list is given: by the `finish` tool, or as Document elements in plain text. */
  readonly conclusion: "finish_tool" | "document_elements";
  /** Room for the notes that the policy keeps with `update_notes`, tokens: always shown, last. Absent: it keeps none. */
  readonly notesTokensMax?: number;
  /**
   * `checked`: the `finish` tool asks for a quote of every document and for the coverage of what the question asks, and
   * sends a list back once where a quote was not shown or something is open. Absent means `none`, also in old records.
   */
  readonly finishEvidence?: "none" | "checked";
  /**
   * `asked`: a first list of `SELECTION_DOCUMENTS_MIN` documents or more goes back once, with what each was quoted for, to
   * be cut to what the question needs. Absent means `none`, also in old records.
   */
  readonly selection?: "none" | "asked";
  readonly retrieval: RetrievalSettings;
  /** Token cost of what surrounds a message and a conversation in the model's own format; an estimate for chat APIs. */
  readonly framing: { readonly perMessage: number; readonly perCall: number; readonly perConversation: number };
  readonly turnsMax: number;
  readonly callsPerTurnMax: number;
  /** Longest final list. */
  readonly documentsMax: number;
}

/** Context window that the numbers of design §5 are written for. */
const REFERENCE_LIMIT = 32_768;

/** The profile with its window set to `limit` tokens: every row of the budget scales with it. */
export function withLimit(profile: Profile, limit: number): Profile {
  const scale = limit / REFERENCE_LIMIT;
  const of = (tokens: number): number => Math.max(1, Math.round(tokens * scale));
  const { budget } = profile;
  const { notesTokensMax } = profile;
  return {
    ...profile,
    ...(notesTokensMax === undefined ? {} : { notesTokensMax: of(notesTokensMax) }),
    budget: {
      limit,
      soft: of(budget.soft),
      hard: of(budget.hard),
      perCallTokens: of(budget.perCallTokens),
      perCallHits: Math.min(budget.perCallHits, Math.max(2, Math.round(budget.perCallHits * scale))),
      reserveDecision: of(budget.reserveDecision),
      reserveFinal: of(budget.reserveFinal),
    },
  };
}

/** Tokens that a pruning frees beyond what it must. */
export function pruneBatchTokens({ pruneBatchShare = 0, budget }: Profile): number {
  return Math.round(pruneBatchShare * budget.limit);
}

/** SHA-256 (hex, 16 digits) of any JSON value with its keys sorted: equal data, equal hash. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex").slice(0, 16);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** True when a policy under this profile may prune. */
export function offersPruning(profile: Profile): boolean {
  return profile.pruning === "self-edit";
}

/** Tools that the policy is offered, in the profile's order. */
export function offeredTools(profile: Profile): readonly ToolName[] {
  return offersPruning(profile) ? profile.tools : profile.tools.filter((tool) => tool !== "prune_chunks");
}
