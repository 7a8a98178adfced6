import type { SearchResult } from "../agent/result.ts";
import { type ErrorCode, toWinnowError, WinnowError } from "../core/errors.ts";
import { plural } from "../core/text.ts";
import type { ChatAnswer, ChatModel } from "../models/chat/chat-model.ts";
import { PromptTooLongError } from "../models/chat/chat-model.ts";
import { ANSWER_TOOL, answerRequest } from "./ask/answer-request.ts";
import { type CheckedAnswer, checkAnswer } from "./ask/check-citations.ts";

/** Asked again when an answer cannot be read. */
const TRIES_MAX = 2;

export interface Answered {
  readonly schema: "answer/1";
  readonly question: string;
  /** Null where no model was asked, the search found nothing to answer from, or the model failed. */
  readonly answer: CheckedAnswer | null;
  /** Why a model that was asked gave no answer: what was found is not lost with it. */
  readonly failure: { readonly code: ErrorCode; readonly message: string; readonly hint: string | null } | null;
  readonly model: string | null;
  /** Tokens of the answering model alone, as its server reports them. */
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number };
  /** In US dollars; null when the price is not known. */
  readonly costUsd: number | null;
  readonly notices: readonly string[];
  readonly search: SearchResult;
}

/**
 * Has a model answer from what a search found, and checks every citation against the passages. Without a model, or without
 * documents, there is no answer. Rejects with `cancelled` only: whatever else befalls the model stands in `failure`.
 */
export async function answerFrom(
  search: SearchResult,
  model: ChatModel | undefined,
  signal?: AbortSignal,
): Promise<Answered> {
  const usage = { promptTokens: 0, completionTokens: 0 };
  const nothing = {
    ...{ schema: "answer/1" as const, question: search.query, answer: null, failure: null, usage, costUsd: null },
    search,
  };
  if (model === undefined) {
    return { ...nothing, model: null, notices: ["No model was named to answer: these are the documents alone."] };
  }
  if (search.documents.length === 0) return { ...nothing, model: model.name, notices: [] };
  const request = answerRequest(search.query, search.documents);
  const notices = new Set<string>();
  let costUsd: number | null = 0;
  const asked = () => ({ ...nothing, model: model.name, usage, costUsd });
  try {
    for (let turn = 1; turn <= TRIES_MAX; turn++) {
      const given = await complete(model, request, notices, signal);
      usage.promptTokens += given.usage.promptTokens ?? 0;
      usage.completionTokens += given.usage.completionTokens ?? 0;
      costUsd = costUsd === null || given.costUsd === undefined ? null : costUsd + given.costUsd;
      const answer = checkAnswer(argumentsOf(given), search.documents);
      if (answer !== undefined) return { ...asked(), answer, notices: [...notices, ...remarks(answer)] };
    }
    throw new WinnowError("policy_failed", `${model.name} gave no answer that can be read.`, {
      hint: "It has to call tools; winnow doctor --policy POLICY says whether it does.",
    });
  } catch (error) {
    const { code, message, hint = null } = toWinnowError(error);
    if (code === "cancelled") throw error;
    return { ...asked(), failure: { code, message, hint }, notices: [...notices] };
  }
}

async function complete(
  model: ChatModel,
  request: ReturnType<typeof answerRequest>,
  notices: Set<string>,
  signal: AbortSignal | undefined,
): Promise<ChatAnswer> {
  try {
    return await model.complete(request, {
      onNotice: (_code, message) => notices.add(message),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (!(error instanceof PromptTooLongError)) throw error;
    throw new WinnowError("policy_failed", "The model's window is too small for the passages.", {
      hint: "Ask for fewer documents: -k 4",
      cause: error,
    });
  }
}

/** What the model called the tool with; a model without tools may have written the same as text. */
function argumentsOf({ calls, text }: ChatAnswer): unknown {
  const written = calls.find(({ tool }) => tool === ANSWER_TOOL)?.arguments ?? /\{[\s\S]*\}/.exec(text)?.[0] ?? "";
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}

function remarks({ statements, dropped, missing }: CheckedAnswer): string[] {
  const bare = statements.filter(({ citations }) => citations.length === 0).length;
  return [
    ...(missing === "" ? [] : [`Not in the documents: ${missing}`]),
    ...(bare === 0 ? [] : [`${bare} of ${statements.length} statements are shown by no passage.`]),
    ...(dropped === 0
      ? []
      : [`${plural(dropped, "citation")} left out: the quoted words do not stand in the document named.`]),
  ];
}
