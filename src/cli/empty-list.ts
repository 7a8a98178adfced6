import type { StopReason } from "../record/events.ts";

export interface EmptyList {
  readonly message: string;
  /** What the user can do about it; absent where nothing went wrong. */
  readonly hint?: string;
}

/**
 * What to say in place of a list without documents. Only a run that its policy ended has looked and found nothing; after
 * any other end, nobody knows what the corpus holds.
 */
const EMPTY_LISTS: Readonly<Record<StopReason, EmptyList>> = {
  finished: { message: "Nothing in the corpus supports this question." },
  policy_error: {
    message: "No documents: the policy failed before anything was found (policy error).",
    hint: "Check the model with winnow doctor --policy POLICY, or search without a model: --policy rules",
  },
  retrieval_error: {
    message: "No documents: the corpus could not be searched (retrieval error).",
    hint: "See the state of the index with winnow status.",
  },
  timeout: {
    message: "No documents: the time limit was reached before anything was found (timeout).",
    hint: "Give it longer with --timeout SECONDS.",
  },
  max_turns: {
    message: "No documents: the turns were used up before anything was found (max turns).",
    hint: "Allow more with --turns NUMBER.",
  },
  budget_exhausted: {
    message: "No documents: the window was full before anything was found (budget exhausted).",
    hint: "Use a larger window with --context TOKENS.",
  },
  cost_limit: {
    message: "No documents: the cost limit was reached before anything was found (cost limit).",
    hint: "Raise it with --max-cost DOLLARS.",
  },
  cancelled: { message: "No documents: the search was cancelled before anything was found (cancelled)." },
};

export function emptyList(stopReason: StopReason): EmptyList {
  return EMPTY_LISTS[stopReason];
}
